"""The attribute tests of one access, worked out from the material of its pack alone."""

from __future__ import annotations

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger.errors import LedgerError

from .accesses import Access, Books, Configurations
from .attributes import AttributeTest, answer, dispositions
from .attributes.answer import Letter, passed
from .material import Material


def fold(material: Material) -> tuple[Books, Access]:
    """The material's books, and the access that it is about."""
    books = Books(configurations=Configurations(attachment=material.attachments.get))
    for one in material.entries:
        books.take(one)
    return books, books.accesses.requests[material.request]


def examine(material: Material, books: Books, access: Access) -> tuple[AttributeTest, ...]:
    """All tests of the access that the material is about."""
    return answer(
        access,
        configurations=books.configurations,
        as_of=material.as_of,
        integrity=_integrity(material),
        dispositions=dispositions(books.others).get(access.request, ()),
    )


def _integrity(material: Material) -> AttributeTest:
    """Follows every proof again, as the verifier does; that the signature is ours only the verifier can say."""
    head = checkpoints.parse(material.checkpoint.partition("\n\n")[0] + "\n")
    broken = []
    for seq, data in material.raw.items():
        try:
            leaf, proof = merkle.leaf_hash(data), material.proofs[seq]
            merkle.verify_inclusion(leaf=leaf, index=seq, size=head.size, proof=proof, root=head.root)
        except LedgerError:
            broken.append(seq)
    if broken:
        return passed(Letter.K, False, f"entries {', '.join(map(str, broken))} do not lead to the checkpoint")
    reason = f"all {len(material.raw)} entries lead to the checkpoint of {head.size}; repeat it with sojourn-verify"
    return passed(Letter.K, True, reason)
