"""What is sealed opens for its recipient, as it was, and for nobody else."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.errors import Code, SojournError
from sojourn.testing.clock import SimulatedClock
from sojourn.vault import opener as opening
from sojourn.vault import sealer as sealing_module
from sojourn.vault.keys import SUITE, KeyPair, wrapping_context
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import RANDOM_BYTES, Sealer

PAIR = KeyPair(recipient="evidence", private=X25519PrivateKey.generate())
OTHER = KeyPair(recipient="gateway", private=X25519PrivateKey.generate())


def _sealer(random_bytes: Callable[[int], bytes] = os.urandom) -> Sealer:
    return Sealer("evidence", PAIR.public, random_bytes)


def _refused(sealing: Sealing, opener: Opener | None = None) -> None:
    with pytest.raises(SojournError) as raised:
        (opener or Opener(PAIR)).open(sealing.matter, sealing.key)
    assert raised.value.code is Code.RECORD_DAMAGED


@given(value=st.binary(max_size=4096), subject=st.text(max_size=20))
def test_a_sealed_value_opens_as_it_was_and_matches_its_commitment(value: bytes, subject: str) -> None:
    sealing = _sealer().seal(subject, value)
    opened = Opener(PAIR).open(sealing.matter, sealing.key)
    assert opened.value == value
    expected = hashlib.sha256(b"sojourn/sealed/v1\x00" + opened.salt + value).hexdigest()
    assert sealing.sealed.commitment == sealing.matter.commitment == expected
    assert sealing.sealed.key == sealing.matter.key == sealing.key.key
    assert (sealing.key.subject, sealing.key.recipient) == (f"{subject}/reason", "evidence")


def test_the_stored_form_is_the_one_that_is_written_down() -> None:
    sealing = _sealer().seal("alice", b"value")
    secret = SUITE.decrypt(sealing.key.wrapped, PAIR.private, b"sojourn/sealing-key/v1\x00" + sealing.key.key.encode())
    nonce, ciphertext = sealing.matter.ciphertext[:12], sealing.matter.ciphertext[12:]
    salted = AESGCM(secret).decrypt(nonce, ciphertext, sealing.sealed.commitment.encode("ascii"))
    assert salted[32:] == b"value"


def test_equal_values_cannot_be_told_to_be_equal() -> None:
    sealer = _sealer()
    first, second = sealer.seal("alice", b"yes"), sealer.seal("alice", b"yes")
    assert first.sealed.commitment != second.sealed.commitment
    assert first.matter.ciphertext != second.matter.ciphertext


def test_each_person_has_keys_of_their_own_so_that_they_can_be_destroyed_apart() -> None:
    sealer = _sealer()
    alice, bob, again = sealer.seal("alice", b"1"), sealer.seal("bob", b"2"), sealer.seal("alice", b"3")
    assert alice.sealed.key == again.sealed.key != bob.sealed.key


def test_each_class_of_record_has_keys_of_its_own() -> None:
    sealer = _sealer()
    keys = {one: sealer.seal("alice", b"1", one).key for one in RecordClass}
    assert len({key.key for key in keys.values()}) == len(RecordClass)
    assert keys[RecordClass.STATEMENT].subject == "alice/statement"


def test_a_data_key_serves_one_month_so_that_what_is_old_can_be_destroyed_apart() -> None:
    clock = SimulatedClock(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    sealer = Sealer("evidence", PAIR.public, os.urandom, clock.now)
    old, same = sealer.seal("alice", b"1"), sealer.seal("alice", b"2")
    clock.advance(timedelta(seconds=1))
    new = sealer.seal("alice", b"3")
    assert old.sealed.key == same.sealed.key != new.sealed.key


def test_a_destroyed_key_is_not_used_again() -> None:
    sealer, opener = _sealer(), Opener(PAIR)
    alice, bob = sealer.seal("alice", b"1"), sealer.seal("bob", b"2")
    opener.open(alice.matter, alice.key)
    sealer.forget([alice.key.key])
    opener.forget([alice.key.key])
    assert sealer.seal("alice", b"3").sealed.key != alice.sealed.key
    assert sealer.seal("bob", b"4").sealed.key == bob.sealed.key
    _refused(alice._replace(key=dataclasses.replace(alice.key, wrapped=bytes(80))), opener)


def test_two_sealers_never_share_a_key() -> None:
    assert _sealer().seal("alice", b"1").sealed.key != _sealer().seal("alice", b"1").sealed.key


def test_somebody_else_cannot_open_it() -> None:
    _refused(_sealer().seal("alice", b"value"), Opener(OTHER))


@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    sealing = _sealer().seal("alice", b"a value of some length")
    field = data.draw(st.sampled_from(["ciphertext", "wrapped"]))
    old = sealing.matter.ciphertext if field == "ciphertext" else sealing.key.wrapped
    place, flip = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(1, 255))
    new = old[:place] + bytes([old[place] ^ flip]) + old[place + 1 :]
    if field == "ciphertext":
        _refused(sealing._replace(ciphertext=new))
    else:
        _refused(sealing._replace(key=dataclasses.replace(sealing.key, wrapped=new)))


@given(matter=st.binary(max_size=200), wrapped=st.binary(max_size=200))
def test_garbage_is_refused_and_never_breaks_the_opener(matter: bytes, wrapped: bytes) -> None:
    sealing = _sealer().seal("alice", b"value")
    _refused(sealing._replace(ciphertext=matter))
    _refused(sealing._replace(key=dataclasses.replace(sealing.key, wrapped=wrapped)))


def test_a_value_cannot_be_put_in_the_place_of_another() -> None:
    sealer = _sealer()
    first, second = sealer.seal("alice", b"approved"), sealer.seal("alice", b"denied")
    _refused(first._replace(ciphertext=second.ciphertext))


def test_a_key_cannot_be_put_in_the_place_of_another() -> None:
    sealer = _sealer()
    first, second = sealer.seal("alice", b"1"), sealer.seal("bob", b"2")
    _refused(first._replace(key=dataclasses.replace(first.key, wrapped=second.key.wrapped)))


@pytest.mark.parametrize("salted", [b"", b"x" * 31, b"x" * 40])
def test_what_was_never_committed_to_is_refused_even_with_the_right_key(salted: bytes) -> None:
    """Whoever holds a data key can encrypt anything; only the commitment says what was recorded."""
    sealing = _sealer().seal("alice", b"value")
    secret = SUITE.decrypt(sealing.key.wrapped, PAIR.private, wrapping_context(sealing.key.key))
    forged = b"n" * 12 + AESGCM(secret).encrypt(b"n" * 12, salted, sealing.sealed.commitment.encode())
    _refused(sealing._replace(ciphertext=forged))


def test_a_data_key_is_renewed_before_its_nonces_could_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_module, "VALUES_PER_KEY_MAX", 3)
    sealer = _sealer()
    sealings = [sealer.seal("alice", bytes([number])) for number in range(7)]
    names = [one.sealed.key for one in sealings]
    assert [names.count(name) for name in dict.fromkeys(names)] == [3, 3, 1]
    opener = Opener(PAIR)
    assert [opener.open_value(one.matter, one.key) for one in sealings] == [bytes([number]) for number in range(7)]


def test_sealer_and_opener_remember_a_bounded_number_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_module, "SUBJECTS_MAX", 4)
    monkeypatch.setattr(opening, "KEYS_MAX", 4)
    sealer, opener = _sealer(), Opener(PAIR)
    sealings = [sealer.seal(f"person-{number}", b"value") for number in range(20)]
    assert len(sealer._keys) == 4
    assert {opener.open_value(one.matter, one.key) for one in sealings} == {b"value"}
    assert len(opener._ciphers) == 4


def test_all_randomness_is_what_was_given_and_none_of_it_serves_twice() -> None:
    given: list[bytes] = []

    def counting(count: int) -> bytes:
        given.append(os.urandom(count))
        return given[-1]

    sealer, opener = _sealer(counting), Opener(PAIR)
    sealings = [sealer.seal("alice", b"1") for _ in range(250)]
    used = [opener.open(one.matter, one.key).salt + one.ciphertext[:12] for one in sealings]
    assert len(set(used)) == len(used)
    ahead = [one for one in given if len(one) == RANDOM_BYTES]
    assert b"".join(ahead).startswith(b"".join(used))
    assert sorted(len(one) for one in given) == [16, 32, *[RANDOM_BYTES] * 3]
