"""SQL in colours, made on the server: each word in a span with a class, each text escaped.

What a statement holds is never HTML here, and what could fool a reader (bidi, escapes of terminals) is shown as such.
"""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, _TokenType, is_token_subtype

from sojourn.evidence.escape import visible

LETTERS_MAX = 20_000
"""A text that is longer is shown in one colour: taking it apart would cost more than it tells."""

CLASSES = (
    (Comment, "comment"),
    (Keyword, "keyword"),
    (Name.Builtin, "keyword"),
    (Name, "name"),
    (Number, "number"),
    (String, "text"),
    (Operator, "operator"),
    (Punctuation, "operator"),
)


def sql(text: str) -> Markup:
    """A statement as HTML."""
    if len(text) > LETTERS_MAX:
        return escape(visible(text, keep_lines=True))
    lexer = PostgresLexer(stripnl=False, ensurenl=False)
    return Markup("").join(_word(kind, word) for kind, word in lexer.get_tokens(text))


def _word(kind: _TokenType, word: str) -> Markup:
    shown = escape(visible(word, keep_lines=True))
    for family, name in CLASSES:
        if is_token_subtype(kind, family):
            return Markup('<span class="{}">{}</span>').format(f"sql-{name}", shown)
    return shown
