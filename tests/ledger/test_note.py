"""Signed notes: the documented examples of Go's package and of C2SP, and everything a note may not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey, Verifier

# golang.org/x/mod/sumdb/note, package documentation and tests.
PETER_SIGNS = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# C2SP signed-note.
SPECIFICATION = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPECIFICATION_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))


def test_the_documented_note_is_written_and_opened_byte_for_byte() -> None:
    key = SigningKey.parse(PETER_SIGNS)
    assert (key.name, key.vkey(), key.format()) == ("PeterNeumann", PETER, PETER_SIGNS)
    assert notes.sign(TEXT, [key]) == TEXT + "\n" + PETER_LINE
    opened = notes.open(TEXT + "\n" + PETER_LINE + ENOCH_LINE, [Verifier.parse(PETER), Verifier.parse(ENOCH)])
    assert (opened.text, opened.names) == (TEXT, ("PeterNeumann", "EnochRoot"))


def test_the_specifications_note_opens() -> None:
    assert notes.open(SPECIFICATION_NOTE, [Verifier.parse(SPECIFICATION)]).text == "This is an example message.\n"


def test_signatures_of_unknown_keys_are_passed_over_but_one_known_key_has_to_sign() -> None:
    note = TEXT + "\n" + ENOCH_LINE + PETER_LINE
    assert notes.open(note, [Verifier.parse(PETER)]).names == ("PeterNeumann",)
    with pytest.raises(LedgerError, match="No trusted key"):
        notes.open(note, [KEY.verifier()])
    with pytest.raises(LedgerError, match="No trusted key"):
        notes.open(note, [])
    with pytest.raises(LedgerError, match="same name"):
        notes.open(note, [Verifier.parse(PETER), Verifier.parse(PETER)])


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    other = notes.sign("other\n", [KEY]).split("\n\n")[1]
    with pytest.raises(LedgerError, match="is wrong"):
        notes.open(notes.sign(TEXT, [KEY]) + other, [KEY.verifier()])
    assert notes.open(notes.sign(TEXT, [KEY, KEY]), [KEY.verifier()]).names == (KEY.name,)


@pytest.mark.parametrize("vkey", [PETER, ENOCH, SPECIFICATION, KEY.vkey()])
def test_a_verifier_key_with_any_character_changed_or_cut_is_refused(vkey: str) -> None:
    assert Verifier.parse(vkey).vkey() == vkey
    for place in range(len(vkey)):
        with pytest.raises(LedgerError):
            Verifier.parse(vkey[:place] + chr(ord(vkey[place]) + 1) + vkey[place + 1 :])
        with pytest.raises(LedgerError):
            Verifier.parse(vkey[:place])


def test_a_signing_key_with_any_character_changed_is_refused_and_never_repeated() -> None:
    text = KEY.format()
    secret = text.rsplit("+", 1)[1]
    for place in range(len(text)):
        with pytest.raises(LedgerError) as caught:
            SigningKey.parse(text[:place] + chr(ord(text[place]) + 1) + text[place + 1 :])
        assert secret[4:20] not in str(caught.value)
    assert "seed" not in repr(KEY) and KEY.seed.hex() not in repr(KEY)
    assert SigningKey.parse(text + "\n") == KEY


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "", "+", "++", "a", "a+b", " +00000000+AAAA",
    ],
)  # fmt: skip
def test_keys_of_another_length_algorithm_or_form_are_refused(vkey: str) -> None:
    with pytest.raises(LedgerError):
        Verifier.parse(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x00b", "\ud800"])
def test_a_key_name_without_spaces_plus_and_control_characters(name: str) -> None:
    with pytest.raises(LedgerError):
        SigningKey.generate(name, bytes(32))


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(LedgerError):
        SigningKey.generate("a.example", bytes(31))


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "return\r\n", "escape\x1b\n", "\ud800\n"])
def test_a_text_that_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(LedgerError):
        notes.sign(text, [KEY])


def test_a_note_needs_a_key() -> None:
    with pytest.raises(LedgerError):
        notes.sign(TEXT, [])


GOOD = notes.sign(TEXT, [KEY])


@pytest.mark.parametrize(
    "note",
    [
        "", "\n", "\n\n", TEXT, TEXT + "\n", GOOD[:-1], GOOD + "\n", GOOD.replace("— ", "- "), GOOD.replace("— ", "—"),
        GOOD.replace("\n\n", "\n"), GOOD + "— a b c\n", GOOD + "— a AAA\n", GOOD + "— a AAAA\n", GOOD + "—  AAAAAAAA\n",
        GOOD + "— a+b AAAAAAAA\n", GOOD + "— a AAAAAAAAA===\n", GOOD + "— a AAAAAB==\n", GOOD.replace("problem",
        "prob\tlem"),
        GOOD + "— a AAAAAAAA\n" * 100, "x" * notes.MAX_NOTE_BYTES + GOOD, "\ud800" + GOOD,
    ],
)  # fmt: skip
def test_a_note_of_another_form_is_refused(note: str) -> None:
    with pytest.raises(LedgerError):
        notes.open(note, [KEY.verifier()])


def test_a_note_may_hold_many_signatures_and_empty_lines() -> None:
    many = notes.sign("a\n\nb\n", [KEY]) + "— a AAAAAAAA\n" * 99
    assert notes.open(many, [KEY.verifier()]).text == "a\n\nb\n"


@given(place=st.integers(0, len(GOOD) - 1), character=st.characters())
def test_a_note_with_a_changed_character_is_never_opened(place: int, character: str) -> None:
    altered = GOOD[:place] + character + GOOD[place + 1 :]
    if altered != GOOD:
        with pytest.raises(LedgerError):
            notes.open(altered, [KEY.verifier()])


@given(st.text(max_size=200))
def test_garbage_raises_only_the_error_of_the_ledger(text: str) -> None:
    for parse in (Verifier.parse, SigningKey.parse, notes.split):
        with pytest.raises(LedgerError):
            parse(text)
