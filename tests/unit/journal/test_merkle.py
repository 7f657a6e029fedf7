"""The leaf commitment, held to its description and to a vector that must never change."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from actum.journal.merkle import leaf

EVENT: dict[str, Any] = {
    "position": 7,
    "id": bytes(range(16)),
    "type": "Deposited",
    "version": 2,
    "recorded": 1_700_000_000_000_001,
    "effective": None,
    "tags": "account:A-1\nowner:é",
    "metadata": b'{"actor":"me"}',
    "data": b'{"amount":"12.50"}',
    "salt": bytes(range(16, 32)),
}


def test_the_leaf_is_what_its_description_says() -> None:
    tags = EVENT["tags"].encode()
    envelope = sha256(EVENT["salt"] + len(tags).to_bytes(8, "big") + tags + EVENT["metadata"]).hexdigest()
    payload = sha256(EVENT["salt"] + EVENT["data"]).hexdigest()
    lines = [
        "actum/event/v1",
        "bank",
        "7",
        EVENT["id"].hex(),
        "Deposited",
        "2",
        "1700000000000001",
        "",
        envelope,
        payload,
    ]
    assert leaf("bank", **EVENT) == sha256(b"\x00" + "".join(line + "\n" for line in lines).encode()).digest()


def test_the_leaf_of_the_golden_event_never_changes() -> None:
    assert leaf("bank", **EVENT).hex() == "4c60e1240f07cdd7bd08499869df9759e1a55459d81702278a92685a48fc0343"
    assert (
        leaf("bank", **EVENT | {"effective": -1}).hex()
        == "0be0089a4ee1f8bd2360f716775833336f29ef556f72b133cc93eb5fa0adc54e"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"position": 8},
        {"id": bytes(16)},
        {"type": "Withdrawn"},
        {"version": 3},
        {"recorded": 1},
        {"effective": 0},
        {"tags": ""},
        {"metadata": b""},
        {"data": b""},
        {"salt": bytes(16)},
        {"tags": "account:A-1\nowner:é{", "metadata": b'"actor":"me"}'},
    ],
    ids="+".join,
)
def test_every_part_of_the_event_is_committed_to(change: dict[str, Any]) -> None:
    assert leaf("bank", **EVENT | change) != leaf("bank", **EVENT)


def test_the_same_event_in_another_journal_has_another_leaf() -> None:
    assert leaf("bank", **EVENT) != leaf("bunk", **EVENT)
