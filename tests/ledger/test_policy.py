"""Trust policies: the text of C2SP tlog-policy read strictly, and who makes a quorum."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import policy as policies
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey

LOG = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: CosigningKey.generate(f"{name}.example/w", bytes([n + 1]) * 32) for n, name in enumerate(NAMES)}
VKEYS = {name: key.cosigner().vkey() for name, key in KEYS.items()}
WITNESSES = "".join(f"witness {name} {vkey}\n" for name, vkey in VKEYS.items())
EXAMPLE = f"""\
log {LOG.vkey()}

{WITNESSES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
TEXT = Checkpoint(origin=LOG.name, size=7, root=sha256(b"root").digest())
NOTE = checkpoints.sign(TEXT, LOG)


def cosigned(*names: str) -> str:
    return NOTE + "".join(KEYS[name].cosign(TEXT.format(), 1_700_000_000) for name in names)


def test_the_example_of_the_specification_is_read() -> None:
    policy = policies.parse(EXAMPLE.encode())
    assert [log.verifier.name for log in policy.logs] == [LOG.name]
    assert tuple(witness.name for witness in policy.witnesses) == NAMES
    assert [(group.name, group.needed, len(group.members)) for group in policy.groups] == [
        ("X-witnesses", 2, 3), ("Y-witnesses", 1, 3), ("X-and-Y", 2, 2),
    ]  # fmt: skip
    assert policy.quorum == "X-and-Y"


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ((), False),
        (("X1", "X2", "X3"), False),
        (("Y1", "Y2", "Y3"), False),
        (("X1", "Y1"), False),
        (("X1", "X3", "Y2"), True),
        (NAMES, True),
    ],
)
def test_a_checkpoint_is_accepted_when_both_organisations_saw_it(names: tuple[str, ...], enough: bool) -> None:
    policy = policies.parse(EXAMPLE.encode())
    if enough:
        accepted = policies.accept(policy, cosigned(*names))
        assert accepted.checkpoint == TEXT and set(accepted.witnessed) == set(names)
        assert {one.seconds for one in accepted.witnessed.values()} == {1_700_000_000}
    else:
        with pytest.raises(LedgerError, match="not the quorum"):
            policies.accept(policy, cosigned(*names))


@given(st.sets(st.sampled_from(NAMES)), st.integers(1, 6))
def test_a_threshold_counts_each_witness_once(names: set[str], needed: int) -> None:
    text = f"log {LOG.vkey()}\n{WITNESSES}group all-of-them {needed} {' '.join(NAMES)}\nquorum all-of-them\n"
    policy = policies.parse(text.encode())
    assert policy.is_met([*names, *names]) is (len(names) >= needed)


def test_no_quorum_asks_for_the_log_alone_and_still_refuses_a_wrong_cosignature() -> None:
    policy = policies.parse(f"log {LOG.vkey()}\n{WITNESSES}quorum none\n".encode())
    assert policies.accept(policy, NOTE).witnessed == {}
    broken = cosigned("X1")[:-6] + "AAA=\n"
    with pytest.raises(LedgerError):
        policies.accept(policy, broken)


def test_a_log_of_another_key_or_name_is_not_accepted() -> None:
    stranger = SigningKey.generate(LOG.name, bytes(32))
    policy = policies.parse(f"log {stranger.vkey()}\nquorum none\n".encode())
    with pytest.raises(LedgerError, match="No trusted key"):
        policies.accept(policy, NOTE)
    renamed = SigningKey.generate("other.example/ledger", LOG.seed)
    posing = f"{TEXT.format()}\n" + renamed.signature_line(TEXT.format())
    with pytest.raises(LedgerError, match="No log of the policy signs for"):
        policies.accept(policies.parse(f"log {renamed.vkey()}\nquorum none\n".encode()), posing)


def test_a_policy_without_logs_takes_the_log_that_the_reader_knows() -> None:
    policy = policies.parse(f"witness w {VKEYS['X1']}\nquorum w\n".encode())
    assert policies.accept(policy, cosigned("X1"), [LOG.verifier()]).checkpoint == TEXT
    with pytest.raises(LedgerError):
        policies.accept(policy, cosigned("X1"))


def test_spaces_tabs_comments_and_any_octet_in_a_name_are_taken() -> None:
    text = (
        b"\t # a comment\n\n  witness \xff\x80w\t" + VKEYS["X1"].encode() + b"  https://w.example/ \nquorum \xff\x80w"
    )
    policy = policies.parse(text)
    assert policy.witnesses[0].url == "https://w.example/" and policy.is_met([policy.quorum])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "has one line"),
        ("quorum none\nquorum none\n", "there is a quorum above"),
        ("quorum w\n", "not defined above"),
        ("quorum\n", "defines no log"),
        ("quorum none none\n", "defines no log"),
        ("Quorum none\n", "defines no log"),
        (f"log {VKEYS['X1']}\nquorum none\n", "none of this kind"),
        (f"witness w {LOG.vkey()}\nquorum none\n", "none of this kind"),
        (f"witness w {VKEYS['X1'][:-2]}\nquorum none\n", "Line 1"),
        (f"log {LOG.vkey()} a b\nquorum none\n", "defines no log"),
        (f"log {LOG.vkey()}\nlog {LOG.vkey()}\nquorum none\n", "is that of a log above"),
        (f"witness w {VKEYS['X1']}\nwitness v {VKEYS['X1']}\nquorum none\n", "is that of a witness above"),
        (f"witness w {VKEYS['X1']}\nwitness w {VKEYS['X2']}\nquorum none\n", "is taken"),
        (f"witness none {VKEYS['X1']}\nquorum none\n", "is taken"),
        (f"witness w {VKEYS['X1']}\ngroup w any w\nquorum w\n", "is taken"),
        (f"witness w {VKEYS['X1']}\ngroup g any\nquorum w\n", "defines no log"),
        (f"witness w {VKEYS['X1']}\ngroup g any g\nquorum w\n", "not defined above"),
        (f"witness w {VKEYS['X1']}\ngroup g any none\nquorum w\n", "cannot be one"),
        (f"witness w {VKEYS['X1']}\ngroup g any w w\nquorum w\n", "a member already"),
        (f"witness w {VKEYS['X1']}\ngroup g any w\ngroup h any w\nquorum w\n", "a member already"),
        *[
            (f"witness w {VKEYS['X1']}\ngroup g {count} w\nquorum g\n", "a group needs")
            for count in ("0", "2", "01", "+1", "-1", "1.0", "ANY", "\uff11", "1_0", "9999")
        ],
        ("quorum none\x00\n", "control character"),
        ("quorum none\r\n", "control character"),
        ("quorum none\x7f\n", "control character"),
        ("quorum\u00a0none\n", "defines no log"),
        ("#" * 70_000, "at most"),
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused(text: str, rule: str) -> None:
    with pytest.raises(LedgerError, match=rule):
        policies.parse(text.encode())


def test_a_policy_is_bounded_and_takes_what_the_specification_asks_for() -> None:
    def text(count: int) -> bytes:
        keys = [CosigningKey.generate(f"w{n}.example", n.to_bytes(32, "big")) for n in range(1, count + 1)]
        lines = "".join(f"witness w{n} {key.cosigner().vkey()}\n" for n, key in enumerate(keys))
        return (lines + f"group g all {' '.join(f'w{n}' for n in range(count))}\nquorum g\n").encode()

    assert len(policies.parse(text(100)).witnesses) == 100
    with pytest.raises(LedgerError, match="more than 100"):
        policies.parse(text(101))


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_reading_anything_gives_a_policy_or_the_one_error(data: bytes) -> None:
    try:
        policies.parse(data)
    except LedgerError:
        return


@given(st.text(alphabet="log witnes grup quorm any al none12\n\tX", max_size=200))
def test_reading_words_of_the_format_gives_a_policy_or_the_one_error(text: str) -> None:
    try:
        policy = policies.parse(text.encode())
    except LedgerError:
        return
    assert policy.is_met([]) is (policy.quorum == "none")
