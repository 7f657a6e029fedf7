"""Who, why, caused by what: kept short, and whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from actum.journal.errors import Invalid
from actum.journal.metadata import LONGEST_TEXT, Metadata

FULL = Metadata(
    actor="user:7",
    on_behalf_of="user:8",
    tenant="north",
    command_id=UUID(int=1),
    command_type="Deposit",
    correlation=UUID(int=2),
    causation=UUID(int=3),
    reason="audit finding 12",
    producer="bank@1.0+abc",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate="a=b",
    extra={"ip": "10.0.0.1"},
)


def test_metadata_survives_its_bytes() -> None:
    assert Metadata.decode(FULL.encode()) == FULL
    assert Metadata.decode(Metadata(actor="é🜂").encode()) == Metadata(actor="é🜂")


def test_what_says_nothing_is_not_stored() -> None:
    assert Metadata(actor="me", command_id=UUID(int=1)).encode() == (
        b'{"actor":"me","command":"00000000-0000-0000-0000-000000000001"}'
    )


def test_correlation_and_causation_are_the_command_where_nobody_says_otherwise() -> None:
    own = Metadata(actor="me", command_id=UUID(int=1))
    assert (own.correlation_id, own.causation_id) == (UUID(int=1), UUID(int=1))
    assert (FULL.correlation_id, FULL.causation_id) == (UUID(int=2), UUID(int=3))
    assert Metadata(actor="me").correlation_id is None


def test_fields_of_a_newer_actum_are_passed_over() -> None:
    assert Metadata.decode(b'{"actor":"me","mood":"good"}') == Metadata(actor="me")


@pytest.mark.parametrize(
    "stored", [b"", b"{}", b"\xff", b'{"actor":7}', b'{"actor":"\xff"}', b'{"actor":"a","command":"no"}']
)
def test_bytes_that_are_no_metadata_are_said_to_be_none(stored: bytes) -> None:
    with pytest.raises(Invalid, match="stored metadata cannot be read"):
        Metadata.decode(stored)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"actor": ""}, "metadata actor: expected text of 1 to"),
        ({"actor": "x" * (LONGEST_TEXT + 1)}, "metadata actor: expected text of 1 to"),
        ({"actor": 7}, "metadata actor: expected text"),
        ({"actor": "me", "reason": ""}, "metadata reason: expected text"),
        ({"actor": "\ud800"}, "metadata"),
        ({"actor": "me", "correlation": "order-4711"}, "metadata correlation: expected a UUID, found 'order-4711'"),
        ({"actor": "me", "causation": str(UUID(int=1))}, "metadata causation: expected a UUID"),
        ({"actor": "me", "command_id": 7}, "metadata command_id: expected a UUID"),
        ({"actor": "me", "extra": {"ip": 7}}, "metadata extra: expected texts by texts"),
    ],
)
def test_metadata_that_cannot_be_stored_says_why(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        Metadata(**fields).encode()
