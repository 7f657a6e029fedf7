"""The journal over HTTP: events chosen by type, tag, actor, story and time; each in its full envelope."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from starlette.testclient import TestClient

from actum import App, Event
from actum.http.answers import Recording, stored_of
from actum.http.asgi import asgi
from actum.http.problem import URN
from actum.journal.clock import SYSTEM_IDS
from actum.journal.event import EventData
from actum.journal.store import Append, leaf_of
from actum.journal.upcast import rename
from actum.service.running import Running
from tests.unit.http.bank import AccountId, Deposit, Open


class Paid(Event, name="Deposited", version=2):
    account: AccountId
    sum: str


def kind(response: Any) -> str:
    return str(response.json()["type"]).removeprefix(URN)


def places(answer: Any) -> list[int]:
    return [event["position"] for event in answer.json()["events"]]


def test_events_come_in_order_page_by_page(client: TestClient, filled: Running):
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = client.get("/events", params={"after": after, "limit": 7})
        seen += places(page)
        after = page.json()["next"]
    assert seen == list(range(1, 21))


def test_what_is_behind_the_end_is_not_there_yet(client: TestClient, filled: Running):
    assert places(client.get("/events", params={"after": 20})) == []
    answer = client.get("/events", params={"after": 21})
    assert (answer.status_code, answer.json()["type"]) == (409, f"{URN}not-yet")


def test_the_newest_come_first_where_that_is_wanted(client: TestClient, filled: Running):
    seen: list[int] = []
    until: int | None = 20
    while until is not None:
        page = client.get("/events", params={"until": until, "limit": 7, "newest": "true"})
        seen += places(page)
        until = page.json()["next"]
    assert seen == list(range(20, 0, -1))


def test_events_are_chosen_by_type_and_tag(client: TestClient, filled: Running):
    assert places(client.get("/events?type=Opened&limit=3")) == [1, 3, 5]
    assert places(client.get("/events?tag=account:A-3")) == [7, 8]
    assert places(client.get("/events?tag=account:A-3&type=Deposited&type=Transferred")) == [8]
    assert places(client.get("/events?tag=account:A-3&tag=account:A-4")) == []


def test_events_are_chosen_by_actor_and_story(client: TestClient, running: Running):
    story = uuid4()
    running.execute(Open(account="A", owner="o"), actor="ada")
    running.execute(Open(account="B", owner="o"), actor="bob", correlation=story)
    running.execute(Open(account="C", owner="o"), actor="bob", id=story)
    assert places(client.get("/events?actor=bob")) == [2, 3]
    assert places(client.get("/events?actor=ada&actor=bob&limit=2")) == [1, 2]
    assert places(client.get(f"/events?correlation={story}")) == [2, 3]
    assert places(client.get(f"/events?correlation={story}&actor=ada")) == []


def test_events_are_chosen_by_time(client: TestClient, filled: Running):
    (tenth,) = filled.events(after=9, limit=1)
    since = client.get("/events", params={"since": tenth.recorded_at.isoformat()})
    assert places(since)[-1] == 20
    assert min(places(since)) <= 10
    until = client.get("/events", params={"until": tenth.recorded_at.isoformat()})
    assert places(until)[0] == 1
    assert max(places(until)) >= 10
    assert places(client.get("/events?since=0001-01-01T00:00:00Z&limit=1")) == [1]


def test_an_event_is_shown_to_the_byte_so_that_its_leaf_can_be_computed_again(client: TestClient, filled: Running):
    body = client.get("/events/4").content
    recording = msgspec.json.decode(body, type=Recording)
    (stored,) = filled.store.read(after=3, limit=1)
    assert stored_of(recording) == stored
    assert leaf_of(stored_of(recording), filled.store.origin).hex() == recording.leaf


def test_an_event_is_found_by_its_id(client: TestClient, filled: Running):
    id = client.get("/events/4").json()["id"]
    assert client.get(f"/events/{id}").json()["position"] == 4
    assert kind(client.get(f"/events/{UUID(int=7)}")) == "not-found"
    assert kind(client.get("/events/21")) == "not-found"
    assert kind(client.get("/events/first")) == "invalid"


def test_events_of_other_programs_are_shown_as_they_are_stored(client: TestClient, running: Running):
    for data in (b'{"a": 1,\n"b":[]}', b"\x00\xff"):
        running.store.append(Append((EventData(SYSTEM_IDS.new(), "other.thing", data, SYSTEM_IDS.salt()),)))
    json, binary = client.get("/events").json()["events"]
    assert json["data"] == {"a": 1, "b": []}
    assert (binary["data"], binary["encoded"]) == (None, "AP8=")
    for place in (1, 2):
        recording = msgspec.json.decode(client.get(f"/events/{place}").content, type=Recording)
        assert stored_of(recording) == next(running.store.read(after=place - 1, limit=1))


@pytest.mark.parametrize(
    "address",
    [
        "/events?limit=0",
        "/events?limit=1001",
        "/events?after=-1",
        "/events?since=12",
        "/events?newest=yes",
        "/events?correlation=x",
        "/events?type=",
        "/events?tag=%00",
        "/events?colour=red",
        "/events?" + "&".join("actor=x" for _ in range(201)),
    ],
)
def test_what_no_event_can_have_is_turned_down(client: TestClient, address: str):
    answer = client.get(address)
    assert (answer.status_code, kind(answer)) == (400, "invalid")


def test_older_kinds_are_shown_as_stored_and_in_the_words_of_today(running: Running, client: TestClient):
    """Also to whoever has them in the words of an earlier program."""
    running.execute(Open(account="A", owner="o"))
    running.execute(Deposit(account="A", amount=Decimal(7)))
    known = {path: client.get(path).headers["etag"] for path in ("/events", "/events/2")}
    newer = App("newer")
    newer.knows(Paid)
    newer.upcast("Deposited", 1, rename("amount", to="sum"))
    with newer.open(running.store, actor="x") as reading, TestClient(asgi(newer, reading)) as late:
        event = late.get("/events/2").json()
        for path, etag in known.items():
            assert late.get(path, headers={"if-none-match": etag}).status_code == 200
            again = late.get(path).headers["etag"]
            assert late.get(path, headers={"if-none-match": again}).status_code == 304
    assert (event["version"], event["data"]) == (1, {"account": "A", "amount": "7"})
    assert event["today"] == [{"type": "Deposited", "version": 2, "data": {"account": "A", "sum": "7"}}]
