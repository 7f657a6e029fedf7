"""The journal as a running application shows it: typed events with their envelope, states as of any moment."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from actum import App, Invalid, Recorded, Running
from actum.journal.event import Event
from actum.journal.query import Query
from tests.unit.projection.bank import Balance, Deposited, Opened, bank, fill, folded, opened, some_events

MOVE = Deposited(account="A-1", amount=Decimal(1))


@pytest.fixture(params=["memory:", "file"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with opened("memory:" if request.param == "memory:" else tmp_path / "bank.actum") as running:
        yield running


def test_an_event_comes_with_its_whole_envelope(running: Running):
    then = datetime(1993, 1, 5, tzinfo=UTC)
    running.append(Deposited(account="A-1", amount=Decimal("5.00")), actor="ada", reason="because", effective_at=then)
    (recorded,) = running.events()
    assert recorded.event == Deposited(account="A-1", amount=Decimal("5.00"))
    assert (recorded.position, recorded.type, recorded.version, recorded.tags) == (1, "Deposited", 1, ("account:A-1",))
    assert recorded.effective_at == then
    assert datetime.now(UTC) - recorded.recorded_at < timedelta(minutes=5)
    assert (recorded.metadata.actor, recorded.metadata.reason) == ("ada", "because")
    assert recorded.id == recorded.stored.uuid
    assert recorded == next(running.events())
    assert "position=1" in repr(recorded)


def test_events_come_in_the_order_and_the_part_that_was_asked_for(running: Running):
    fill(running.store, some_events(50, seed=1))
    positions = [recorded.position for recorded in running.events(after=10, until=20)]
    assert positions == list(range(11, 21))
    assert [recorded.position for recorded in running.events(backwards=True, limit=3)] == [50, 49, 48]
    wanted = Query.of(types=["Opened"], tags=["account:A-1"])
    assert all(
        recorded.event == Opened(account="A-1", owner=recorded.event.owner) for recorded in running.events(wanted)
    )  # type: ignore[attr-defined]
    with pytest.raises(Invalid, match="after"):
        running.events(after=-1)


def test_whoever_reads_on_from_the_future_is_told_so(running: Running):
    fill(running.store, some_events(5, seed=1))
    assert list(running.events(after=5)) == []
    assert list(running.events(Query.of(types=["Never"]), after=3)) == []
    for ask in (lambda: list(running.events(after=6)), lambda: running.follow(after=6)):
        with pytest.raises(Invalid, match="after: position 6 is from the future, the journal ends at 5"):
            ask()


def test_an_event_that_is_split_or_dropped_today_is_several_or_none():
    class Moved(Event):
        source: str
        target: str

    class Pinged(Event):
        pass

    old, new = App("old"), App("new")
    old.knows(Moved, Pinged)
    new.knows(Deposited, Opened)
    from actum.journal.clock import SYSTEM_IDS
    from actum.journal.store import Append
    from actum.journal.upcast import drop, split

    new.upcast("Pinged", 1, drop())
    new.upcast(
        "Moved",
        1,
        split(
            lambda data: [
                ("Opened", 1, {"account": data["source"], "owner": "x"}),
                ("Deposited", 1, {"account": data["target"], "amount": "1"}),
            ],
            into=[("Opened", 1), ("Deposited", 1)],
        ),
    )
    with new.open("memory:", actor="tester") as running:
        for event in (Moved(source="A", target="B"), Pinged()):
            running.store.append(Append((old.codec.encode(event, ids=SYSTEM_IDS),)))
        forwards = list(running.events())
        assert [(each.position, each.type, each.stored.type) for each in forwards] == [
            (1, "Opened", "Moved"),
            (1, "Deposited", "Moved"),
        ]
        assert list(running.events(backwards=True)) == forwards[::-1]


def test_a_state_is_what_it_was_after_each_event(running: Running):
    events = some_events(200, seed=2, accounts=4)
    fill(running.store, events)
    for position in range(0, 201, 17):
        known = folded(events[:position]).get("A-1", Balance(account="A-1"))
        assert running.state(Balance, "A-1", at=position) == known
    assert running.state(Balance, "A-1") == folded(events)["A-1"]


def test_a_state_is_what_it_was_at_each_moment(running: Running):
    events = some_events(30, seed=3, accounts=2)
    for event in events:
        running.append(event)
    for recorded in list(running.events()):
        last = max(each.position for each in running.events() if each.recorded_at <= recorded.recorded_at)
        known = folded(events[:last]).get("A-1", Balance(account="A-1"))
        assert running.state(Balance, "A-1", at=recorded.recorded_at) == known


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        (51, "position 51 is from the future, the journal ends at 50"),
        (-1, "at: expected a position"),
        (True, "at: expected a position"),
        (datetime(2024, 1, 1), "naive"),  # noqa: DTZ001
    ],
)
def test_a_moment_that_cannot_be_is_refused(running: Running, moment: int | datetime, why: str):
    fill(running.store, some_events(50, seed=4))
    with pytest.raises(Invalid, match=why):
        running.state(Balance, "A-1", at=moment)


def test_following_gives_what_there_is_and_then_what_comes(running: Running):
    fill(running.store, some_events(700, seed=5))
    following = running.follow(after=100)
    seen: list[Recorded] = list(itertools.islice(following, 600))
    assert [recorded.position for recorded in seen] == list(range(101, 701))
    writing = threading.Thread(target=fill, args=(running.store, some_events(300, seed=6)))
    writing.start()
    live = [recorded.position for recorded in itertools.islice(following, 300)]
    writing.join()
    assert live == list(range(701, 1001))


def test_following_a_query_passes_over_the_rest(running: Running):
    following = running.follow(Query.of(types=["Opened"]))
    events = some_events(400, seed=7)
    fill(running.store, events)
    wanted = [number for number, event in enumerate(events, 1) if isinstance(event, Opened)]
    assert [recorded.position for recorded in itertools.islice(following, len(wanted))] == wanted


def test_what_the_application_declares_can_be_looked_up_by_name():
    assert bank.states["Balance"] is Balance


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda running: running.append(MOVE, effective_at="2026"),
            "expected a datetime with a time zone, found '2026'",
        ),
        (lambda running: running.append(MOVE, condition="x"), "condition: expected an AppendCondition, found 'x'"),
        (lambda running: running.wait_for(0, timeout="x"), "timeout: expected seconds from 0, found 'x'"),
        (lambda running: running.wait_for(0, timeout=math.nan), "timeout: expected seconds from 0, found nan"),
        (lambda running: running.explain(Balance, "A-1", column="balance", last=-1), "last: expected how many"),
    ],
)
def test_what_a_call_cannot_take_is_said_in_words_and_nothing_is_done(
    running: Running, call: Callable[[Running], object], said: str
):
    with pytest.raises(Invalid, match=said):
        call(running)
    assert running.head() == 0
