"""Events found by whatever one knows of them, through an index that can be thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from actum.history.question import answers, question
from actum.history.searching import Search
from actum.history.story import Placed, causes, effects, story
from actum.journal.errors import Invalid, NotAJournal, Refused
from actum.journal.search import Entry
from actum.service.opening import open_search
from actum.service.running import Running
from actum.service.searching import Searching
from tests.unit.decision.bank import Deposit, Open, Transfer, a_bank

CLICK = UUID("01a21d22-58eb-720d-900c-d10df3bfb057")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Six events, the last three of one story; one of these caused another."""
    with a_bank().open(tmp_path / "bank.db", actor="teller-7") as running:
        for account in ("a", "b"):
            running.execute(Open(account=account, email=f"{account}@example.org"))
        running.execute(Deposit(account="a", amount=Decimal(10)), reason="le loyer de Genève")
        done = running.execute(Transfer(source="a", target="b", amount=Decimal(4)), correlation=CLICK, actor="zoé")
        cause = next(running.events(after=done.position - 1)).id
        running.execute(Deposit(account="b", amount=Decimal(1)), correlation=CLICK, causation=cause, actor="robot")
        with pytest.raises(Refused):
            running.execute(Transfer(source="a", target="b", amount=Decimal(400)), correlation=CLICK)
        yield running


@pytest.fixture(params=["file", "memory:"])
def search(request: pytest.FixtureRequest, running: Running, tmp_path: Path) -> Iterator[Search]:
    index = tmp_path / "bank.search.db" if request.param == "file" else request.param
    with Searching(running.store, index, follow=False) as searching:
        searching.search.catch_up()
        yield searching.search


def found(search: Search, text: str) -> list[int]:
    return [event.position for event in search.find(question(text, types=search.index.types())).events]


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("", [6, 5, 4, 3, 2, 1]),
        ("type:Opened", [2, 1]),
        ("type:*ed", [6, 5, 4, 3, 2, 1]),
        ("account:a", [6, 4, 3, 1]),
        ("account:a type:Transferred", [4]),
        ("actor:zoé", [4]),
        ("actor:nobody", []),
        ("did:Deposit", [5, 3]),
        ("amount=10", [3]),
        ("loyer geneve", [3]),
        ("gen* actor:teller-7", [3]),
        ("example.org", [2, 1]),
        ("a@example.org", [1]),
        (f"story:{CLICK}", [6, 5, 4]),
        (f"story:{CLICK} actor:robot", [5]),
        (str(CLICK), [6, 5, 4]),
        ("3f1e0f5c-6f57-4d0c-9d3e-7e1c0a6f5a11", []),
        ("after:1h", [6, 5, 4, 3, 2, 1]),
        ("before:1h", []),
        ("loyer before:1h", []),
        ("***", []),
    ],
)
def test_events_are_found_by_what_one_knows_of_them(search: Search, text: str, positions: list[int]):
    assert found(search, text) == positions


@pytest.mark.parametrize(
    "text",
    ["", "type:Opened", "account:a actor:zoé", "LOYER", "geneve", '"loyer geneve"', "Gen* le", "a@example.org", "exam*", "x*", "***",
     "amount=10", f"story:{CLICK}", str(CLICK), "did:Deposit loyer"],
)  # fmt: skip
def test_a_feed_wants_what_a_search_finds(search: Search, running: Running, text: str):
    asked = question(text, types=search.index.types())
    assert [event.position for event in running.store.read(backwards=True) if answers(asked, event)] == found(
        search, text
    )


def test_an_event_is_found_by_its_id(search: Search, running: Running):
    for recorded in running.events():
        assert search.with_id(recorded.id) == recorded.stored
        assert found(search, str(recorded.id)) == [recorded.position]
    assert search.with_id(uuid4()) is None


def test_pages_go_on_where_the_last_one_ended(search: Search):
    for text in ("", "example.org", "type:*"):
        asked = question(text, types=search.index.types())
        whole = search.find(asked).events
        first = search.find(asked, limit=1)
        rest = search.find(asked, before=first.next, limit=1000)
        assert (*first.events, *rest.events) == whole
    with pytest.raises(Invalid, match="limit"):
        search.find(question(""), limit=0)


def test_a_story_is_told_as_a_tree_refusals_included(search: Search):
    told = story({"bank": search}, CLICK)
    assert [(root.act.did, root.act.refused) for root in told.roots] == [("Transfer", False), ("Transfer", True)]
    (below,) = told.roots[0].led_to
    assert (below.act.did, [event.position for event in below.act.events]) == ("Deposit", [5])
    assert [act.did for act in told.acts] == ["Transfer", "Deposit", "Transfer"]


def test_causes_are_above_and_effects_below(search: Search, running: Running):
    transferred, deposited = (recorded.stored for recorded in running.events(after=3, limit=2))
    searches = {"bank": search}
    assert [act.events[0] for act in causes(searches, Placed("bank", deposited))] == [transferred]
    assert [act.events[0] for act in effects(searches, Placed("bank", transferred))] == [deposited]
    assert causes(searches, Placed("bank", transferred)) == []


def test_what_comes_is_taken_in(search: Search, running: Running):
    running.execute(Deposit(account="a", amount=Decimal("7.25")))
    assert found(search, "amount=7.25") == []
    search.catch_up()
    assert found(search, "amount=7.25") == [7]
    assert search.position == 7


def test_events_are_counted_over_time(search: Search):
    now = datetime.now(UTC)
    moments = [now - timedelta(days=1), now - timedelta(minutes=5), now + timedelta(minutes=5)]
    assert search.counts(moments) == [0, 6]
    assert search.index.types() == {"Opened": 2, "Deposited": 2, "Transferred": 1, "actum.refused": 1}


def test_a_word_that_shares_its_mark_with_another_is_not_shown(search: Search):
    """Marks are kept as forty bits: what the index says is looked at in the journal before it is shown."""
    mark = search.index.mark()
    stranger = Entry(1, "Other", 0, b"\1" * 16, b"\2" * 16, b"\3" * 16, ("actor:wrong",), "")
    search.index.add([stranger], seen=mark, reached=mark)
    assert found(search, "actor:wrong") == []
    assert search.with_id(UUID(bytes=b"\1" * 16)) is None


def test_an_index_that_is_deleted_comes_back(running: Running, tmp_path: Path):
    path = tmp_path / "again.search.db"
    for _ in range(2):
        with Searching(running.store, path) as searching:
            searching.progress.wait(running.head(), timeout=60)
            assert found(searching.search, "type:Opened") == [2, 1]
        path.unlink()


def test_an_older_copy_of_the_journal_is_taken_in_anew(running: Running, tmp_path: Path):
    index = open_search("memory:", journal="memory:", origin=running.store.origin)
    search = Search(running.store, index)
    search.catch_up()
    mark = index.mark()
    index.add([], seen=mark, reached=type(mark)(9, b"\7" * 16))  # it was further once
    again = Search(running.store, index)
    assert again.catch_up() == 6
    assert found(again, "type:Opened") == [2, 1]


def test_two_programs_that_keep_one_index_up_take_in_each_event_once(running: Running, tmp_path: Path):
    path = tmp_path / "shared.search.db"
    with (
        Searching(running.store, path, follow=False) as one,
        Searching(running.store, path, follow=False) as other,
    ):
        seen = other.search.index.mark()
        one.search.catch_up()
        assert not other.search.index.add([], seen=seen, reached=seen)
        other.search.catch_up()
        assert other.search.index.types()["Opened"] == 2
        running.execute(Deposit(account="a", amount=Decimal(3)))
        other.search.catch_up()
        assert found(one.search, "amount=3") == [7]


def test_an_index_of_another_journal_is_not_taken(running: Running, tmp_path: Path):
    open_search(tmp_path / "x.db", journal="memory:", origin="another").close()
    with pytest.raises(NotAJournal, match="another journal"):
        open_search(tmp_path / "x.db", journal="memory:", origin=running.store.origin)
