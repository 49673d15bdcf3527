"""The OpenAPI document: valid, whole, and kept by every answer, whatever is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from sojourn.codes import Code
from sojourn.demo.production import Production
from sojourn.testing.installation import Running, running
from sojourn.web.api.endpoints import ENDPOINTS
from sojourn.web.api.openapi import document


@pytest.fixture(scope="module")
def battered(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation of its own: what is sent here may change anything."""
    with running(tmp_path_factory.mktemp("battered") / "one", production) as one:
        yield one


@pytest.fixture(scope="module")
def described(battered: Running) -> Any:
    """The API as its own document describes it."""
    address = battered.installation.address
    told = httpx2.get(f"{address}/api/v1/openapi.json").content
    found = schemathesis.openapi.from_dict(msgspec.json.decode(told))
    found.config.update(base_url=f"{address}/api/v1")
    return found


def test_the_document_is_valid_and_describes_every_address() -> None:
    told = msgspec.json.decode(document("1"))
    validate(told)
    found = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert found == {(one.method, one.path) for one in ENDPOINTS}
    assert set(told["x-error-codes"]) == set(Code)


def test_an_operation_says_what_it_does_who_may_and_has_a_name_of_its_own() -> None:
    told = msgspec.json.decode(document("1"))
    operations = [one for methods in told["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert re.match(r"[A-Z]", one["summary"]), one["operationId"]
        assert one["x-permission"] in ("open", "person", "oversight", "administrator", "auditor")


# Signing out would end the sign-in that the others are sent with; the ledger's stream, which has no end, is in
# test_following.py.
BATTERED = [f"{one.method} {one.path}" for one in ENDPOINTS if one.path not in ("/sign-out", "/ledger/events")]


@pytest.mark.parametrize("address", BATTERED)
def test_whatever_is_sent_is_answered_as_described(battered: Running, described: Any, address: str) -> None:
    method, _, path = address.partition(" ")

    @settings(max_examples=10, database=None, suppress_health_check=list(HealthCheck))
    @given(described[path][method].as_strategy(), st.sampled_from(("alice", "carol", "dora")))
    def sent(case: Any, person: str) -> None:
        answered = case.call(headers={"Authorization": f"Bearer {battered.tokens[person]}"})
        if answered.status_code == 503:
            # Only what stands behind may be away; Sojourn itself never fails over what is sent.
            assert answered.json()["error"]["code"].startswith(("target.", "report.", "grant."))
        else:
            case.validate_response(answered, checks=[not_a_server_error, response_schema_conformance])

    sent()
