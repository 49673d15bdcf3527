"""SCRAM: the published exchange, both our sides against each other, and every field tampered with."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.credential import ScramVerifier, derive_verifier, prepare_secret
from sojourn.gateway.postgres.scram import (
    ITERATIONS_MAX,
    ClientExchange,
    Mechanism,
    ScramError,
    ScramFault,
    ServerExchange,
    decoy_verifier,
)

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_NONCE = b"rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
# RFC 7677 section 3, user "user", password "pencil".
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
VERIFIER = derive_verifier("pencil", SALT, 4096)
HASH = b"h" * 32


def server(
    verifier: ScramVerifier = VERIFIER, mechanism: Mechanism = Mechanism.PLAIN, binding: bytes | None = None
) -> ServerExchange:
    return ServerExchange([verifier], SERVER_NONCE, mechanism=mechanism, binding=binding)


def client(
    password: str = "pencil", mechanism: Mechanism = Mechanism.PLAIN, binding: bytes | None = None
) -> ClientExchange:
    return ClientExchange(password, CLIENT_NONCE, mechanism=mechanism, binding=binding)


def keep(message: bytes) -> bytes:
    return message


def run(ours: ServerExchange, theirs: ClientExchange, *changes: Callable[[bytes], bytes]) -> None:
    """Run a whole exchange; each change alters one of the four messages on its way."""
    first, second, third, fourth = [*changes, keep, keep, keep, keep][:4]
    answer = second(ours.first(first(theirs.first())))
    theirs.finish(fourth(ours.final(third(theirs.final(answer)))))


def fault_of(call: Callable[[], object]) -> ScramFault:
    with pytest.raises(ScramError) as refused:
        call()
    return refused.value.fault


def test_the_server_answers_the_published_exchange_byte_for_byte() -> None:
    exchange = server()
    assert exchange.first(CLIENT_FIRST) == SERVER_FIRST
    assert exchange.final(CLIENT_FINAL) == SERVER_FINAL


def test_our_client_and_our_server_agree() -> None:
    run(server(), client())


def test_a_wrong_password_is_refused_with_the_state_that_clients_know() -> None:
    with pytest.raises(ScramError) as refused:
        run(server(), client("pencils"))
    assert refused.value.fault is ScramFault.WRONG_PROOF
    assert refused.value.sqlstate == "28P01"


def test_a_login_bound_to_its_channel_works_and_another_channel_is_noticed() -> None:
    plus = Mechanism.PLUS
    run(server(mechanism=plus, binding=HASH), client(mechanism=plus, binding=HASH))
    other = client(mechanism=plus, binding=b"x" * 32)
    assert fault_of(lambda: run(server(mechanism=plus, binding=HASH), other)) is ScramFault.WRONG_BINDING


def test_a_client_that_was_not_shown_channel_binding_reveals_the_downgrade() -> None:
    assert fault_of(lambda: run(server(binding=HASH), client(binding=HASH))) is ScramFault.DOWNGRADE
    run(server(binding=None), client(binding=HASH))
    run(server(binding=HASH), client(binding=None))


def test_turning_the_flag_of_the_client_on_its_way_breaks_the_login() -> None:
    def turned(message: bytes) -> bytes:
        return b"n" + message[1:]

    assert fault_of(lambda: run(server(binding=HASH), client(binding=HASH), turned)) is ScramFault.WRONG_BINDING


@pytest.mark.parametrize(
    ("mechanism", "header"),
    [
        (Mechanism.PLAIN, b"p=tls-server-end-point,,"),
        (Mechanism.PLUS, b"n,,"),
        (Mechanism.PLUS, b"y,,"),
        (Mechanism.PLUS, b"p=tls-unique,,"),
        (Mechanism.PLAIN, b"n,a=admin,"),
        (Mechanism.PLAIN, b"x,,"),
        (Mechanism.PLAIN, b""),
    ],
)
def test_a_header_that_does_not_fit_the_mechanism_is_refused(mechanism: Mechanism, header: bytes) -> None:
    binding = HASH if mechanism is Mechanism.PLUS else None
    exchange = server(mechanism=mechanism, binding=binding)
    assert fault_of(lambda: exchange.first(header + b"n=,r=" + CLIENT_NONCE)) is ScramFault.MALFORMED


@pytest.mark.parametrize(
    "bare",
    [b"", b"r=abc", b"n=,r=", b"n=,r=a\x7fb", b"m=x,n=,r=abcdef", b"n=", b"r=abc,n=", b"n=,r=" + b"x" * 2_000],
)
def test_a_malformed_first_message_is_refused(bare: bytes) -> None:
    assert fault_of(lambda: server().first(b"n,," + bare)) is ScramFault.MALFORMED


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (CLIENT_FINAL.replace(b"c=biws", b"c=eSws"), ScramFault.WRONG_BINDING),
        (CLIENT_FINAL.replace(b"c=biws", b"d=biws"), ScramFault.MALFORMED),
        (CLIENT_FINAL.replace(b"$k0", b"$k1"), ScramFault.MALFORMED),
        (CLIENT_FINAL.replace(b"p=dHzb", b"p=eHzb"), ScramFault.WRONG_PROOF),
        (CLIENT_FINAL.replace(b"p=dHzb", b"p=!!!!"), ScramFault.MALFORMED),
        (CLIENT_FINAL[:-4], ScramFault.MALFORMED),
        (CLIENT_FINAL.replace(b",p=", b",x=1,p="), ScramFault.WRONG_PROOF),
        (CLIENT_FINAL.partition(b",p=")[0], ScramFault.MALFORMED),
        (CLIENT_FINAL + b"A" * 2_000, ScramFault.MALFORMED),
        (b"", ScramFault.MALFORMED),
    ],
)
def test_a_final_message_with_one_field_changed_is_refused(changed: bytes, fault: ScramFault) -> None:
    exchange = server()
    exchange.first(CLIENT_FIRST)
    assert fault_of(lambda: exchange.final(changed)) is fault


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"r=rO", b"r=rX", ScramFault.MALFORMED),
        (b"$k0", b"$k1", ScramFault.MALFORMED),
        (b"s=W22", b"s=X22", ScramFault.WRONG_PROOF),
        (b"s=W22", b"s=!22", ScramFault.MALFORMED),
        (b"i=4096", b"i=4097", ScramFault.WRONG_PROOF),
        (b"i=4096", b"i=4095", ScramFault.WRONG_SERVER),
        (b"i=4096", b"i=2147483647", ScramFault.WRONG_SERVER),
        (b"i=4096", b"i=" + str(ITERATIONS_MAX + 1).encode(), ScramFault.WRONG_SERVER),
        (b"i=4096", b"i=x", ScramFault.MALFORMED),
        (b"i=4096", b"i=" + b"9" * 500, ScramFault.MALFORMED),
        (b"r=", b"m=1,r=", ScramFault.MALFORMED),
    ],
)
def test_a_first_answer_of_the_server_with_one_field_changed_fails(old: bytes, new: bytes, fault: ScramFault) -> None:
    def changed(message: bytes) -> bytes:
        assert old in message
        return message.replace(old, new)

    assert fault_of(lambda: run(server(), client(), keep, changed)) is fault


def test_a_server_nonce_that_adds_nothing_is_refused() -> None:
    exchange = client()
    exchange.first()
    answer = b"r=" + CLIENT_NONCE + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert fault_of(lambda: exchange.final(answer)) is ScramFault.MALFORMED


def test_a_server_that_does_not_know_the_secret_is_noticed() -> None:
    impostor = ScramVerifier(salt=SALT, iterations=4096, stored_key=VERIFIER.stored_key, server_key=bytes(32))
    assert fault_of(lambda: run(server(impostor), client())) is ScramFault.WRONG_SERVER


@pytest.mark.parametrize(
    ("final", "fault"),
    [
        (b"v=AAAA", ScramFault.WRONG_SERVER),
        (b"v=", ScramFault.WRONG_SERVER),
        (b"v=!", ScramFault.MALFORMED),
        (b"e=invalid-proof", ScramFault.REFUSED),
        (b"", ScramFault.MALFORMED),
        (b"v=" + b"A" * 5_000, ScramFault.MALFORMED),
    ],
)
def test_a_changed_last_message_of_the_server_is_refused(final: bytes, fault: ScramFault) -> None:
    assert fault_of(lambda: run(server(), client(), keep, keep, keep, lambda _: final)) is fault


def test_no_step_can_be_repeated_or_come_early() -> None:
    assert fault_of(lambda: server().final(CLIENT_FINAL)) is ScramFault.MALFORMED
    assert fault_of(lambda: client().finish(SERVER_FINAL)) is ScramFault.MALFORMED
    exchange = server()
    exchange.first(CLIENT_FIRST)
    assert fault_of(lambda: exchange.first(CLIENT_FIRST)) is ScramFault.MALFORMED
    exchange.final(CLIENT_FINAL)
    assert fault_of(lambda: exchange.final(CLIENT_FINAL)) is ScramFault.MALFORMED
    asking = client()
    asking.final(SERVER_FIRST)
    assert fault_of(lambda: asking.final(SERVER_FIRST)) is ScramFault.MALFORMED


def test_a_wrong_proof_cannot_be_tried_twice_in_one_exchange() -> None:
    exchange = server()
    exchange.first(CLIENT_FIRST)
    fault_of(lambda: exchange.final(CLIENT_FINAL.replace(b"p=dHzb", b"p=eHzb")))
    assert fault_of(lambda: exchange.final(CLIENT_FINAL)) is ScramFault.MALFORMED


def test_what_has_become_known_meanwhile_is_checked_once() -> None:
    other = derive_verifier("another", SALT, 4096)
    exchange = server(other)
    exchange.first(CLIENT_FIRST)
    assert fault_of(lambda: exchange.final(CLIENT_FINAL)) is ScramFault.WRONG_PROOF
    exchange.learn([other, VERIFIER])
    assert exchange.final(CLIENT_FINAL) == SERVER_FINAL
    assert exchange.matched == VERIFIER
    exchange.learn([VERIFIER])
    assert fault_of(lambda: exchange.final(CLIENT_FINAL)) is ScramFault.MALFORMED
    with pytest.raises(ValueError, match="share their salt"):
        server().learn([derive_verifier("pencil", b"0" * 16, 4096)])


def test_a_name_that_does_not_exist_looks_like_one_that_does() -> None:
    decoy = decoy_verifier("nobody", b"k" * 32, 4096)
    assert decoy == decoy_verifier("nobody", b"k" * 32, 4096)
    assert decoy.salt != decoy_verifier("somebody", b"k" * 32, 4096).salt
    assert decoy.salt != decoy_verifier("nobody", b"j" * 32, 4096).salt
    assert len(decoy.salt) == len(SALT)
    real, false = server().first(CLIENT_FIRST), server(decoy).first(CLIENT_FIRST)
    assert len(real) == len(false)
    assert fault_of(lambda: run(server(decoy), client("anything"))) is ScramFault.WRONG_PROOF


@pytest.mark.parametrize("nonce", [b"", b"short", b"a" * 15, b"a" * 16 + b",", b"a" * 16 + b" ", b"\x80" * 20])
def test_an_unfit_nonce_is_refused_at_once(nonce: bytes) -> None:
    with pytest.raises(ValueError, match="nonce"):
        ServerExchange([VERIFIER], nonce)
    with pytest.raises(ValueError, match="nonce"):
        ClientExchange("pencil", nonce)


def test_binding_without_its_data_is_refused_at_once() -> None:
    for make in (server, client):
        with pytest.raises(ValueError, match="binding data"):
            make(mechanism=Mechanism.PLUS)


def test_a_verifier_of_the_wrong_shape_is_refused_and_hides_its_keys() -> None:
    assert "stored" not in repr(VERIFIER)
    for salt, iterations, key in ((b"", 4096, HASH), (SALT, 0, HASH), (SALT, 4096, b"short")):
        with pytest.raises(ValueError, match="verifier"):
            ScramVerifier(salt=salt, iterations=iterations, stored_key=key, server_key=key)


@pytest.mark.parametrize(
    ("secret", "prepared"),
    [
        ("pencil", "pencil"),
        ("I\u00adX", "IX"),
        ("\u2168", "IX"),
        ("\u00aa", "a"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0031", "\u0627\u0031"),
        ("ü\u0007", "ü\u0007"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_secrets_are_prepared_as_saslprep_says(secret: str, prepared: str) -> None:
    assert prepare_secret(secret) == prepared


@given(st.text(min_size=1, max_size=30), st.binary(min_size=1, max_size=20))
def test_any_secret_logs_in_against_its_own_verifier(secret: str, salt: bytes) -> None:
    run(server(derive_verifier(secret, salt, 4096)), client(secret))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_from_the_other_side_raise_only_scram_errors(first: bytes, second: bytes) -> None:
    for start in (first, b"n,," + first, b"n,,n=,r=" + first):
        exchange = server()
        try:
            exchange.first(start)
            exchange.final(second)
        except ScramError as error:
            assert error.sqlstate in ("08P01", "28P01")
    for answer in (first, b"r=" + CLIENT_NONCE + first + b",s=AAAA,i=4096"):
        asking = client()
        try:
            asking.final(answer)
            asking.finish(second)
        except ScramError as error:
            assert error.reason


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_of_several_secrets_logs_in_and_the_exchange_tells_which(place: int) -> None:
    secrets = ["first secret", "second secret", "third secret"]
    verifiers = [derive_verifier(secret, b"a shared salt", 4096) for secret in secrets]
    server = ServerExchange(verifiers, b"s" * 24)
    client = ClientExchange(secrets[place], b"c" * 24)
    client.finish(server.final(client.final(server.first(client.first()))))
    assert server.matched is verifiers[place]


def test_a_secret_of_none_of_several_verifiers_matches_nothing() -> None:
    server = ServerExchange([derive_verifier(secret, b"a shared salt", 4096) for secret in ("one", "two")], b"s" * 24)
    client = ClientExchange("three", b"c" * 24)
    with pytest.raises(ScramError) as raised:
        server.final(client.final(server.first(client.first())))
    assert raised.value.fault is ScramFault.WRONG_PROOF
    assert server.matched is None


def test_verifiers_of_different_salts_cannot_share_an_exchange() -> None:
    verifiers = [derive_verifier("one", salt, 4096) for salt in (b"a salt", b"another salt")]
    with pytest.raises(ValueError, match="share their salt"):
        ServerExchange(verifiers, b"s" * 24)
