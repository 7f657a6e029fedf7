"""Views are kept up by a thread or by whoever waits, can be waited for, deleted and had back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from actum import ActumError, App, Busy, Invalid, Unavailable, Unknown, View
from actum.journal.errors import NotAJournal
from tests.unit.projection.bank import (
    AccountId,
    Balance,
    Deposited,
    Opened,
    Richest,
    Turnover,
    bank,
    fill,
    folded,
    opened,
    shown,
    some_events,
)


@pytest.fixture(params=["memory:", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    return "memory:" if request.param == "memory:" else tmp_path / "bank.actum"


@pytest.mark.parametrize("follow", [True, False])
def test_whoever_waits_for_a_position_reads_what_was_written(journal: str | Path, *, follow: bool):
    with opened(journal, follow=follow) as running:
        for number in range(1, 30):
            decided = running.append(Deposited(account="A-1", amount=Decimal(1)))
            running.wait_for(decided.position)
            row = running.view(Balance).get("A-1")
            assert row is not None
            assert row.balance == number


def test_a_query_waits_for_the_position_it_is_told(journal: str | Path):
    with opened(journal, follow=True) as running:
        running.append(*[Deposited(account=f"A-{n}", amount=Decimal(n)) for n in range(9)])
        decided = running.append(Deposited(account="A-1", amount=Decimal(100)))
        page = running.ask(Richest(at_least=Decimal(7)), wait_for=decided.position)
        assert [row.account for row in page] == ["A-1", "A-8", "A-7"]


def test_waiting_ends_when_the_time_is_over(tmp_path: Path):
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, some_events(5000, seed=1))
        with pytest.raises(Busy, match=r"after 0 s the views are at position .*expected 5000"):
            running.wait_for(5000, timeout=0)
        running.wait_for(5000, timeout=60)


@pytest.mark.parametrize("follow", [True, False])
def test_a_position_from_the_future_is_not_waited_for(journal: str | Path, *, follow: bool):
    with opened(journal, follow=follow) as running:
        with pytest.raises(Invalid, match="position 5 is from the future, the journal ends at 0"):
            running.wait_for(5)
        with pytest.raises(Invalid, match="from 0"):
            running.wait_for(0, timeout=-1)


def test_views_that_have_stopped_raise_instead_of_letting_one_wait():
    app = App("failing")

    @app.view
    class Fragile(View):
        account: AccountId

        def evolve(self, event: Opened) -> None:
            raise KeyError("mended soon")

    with app.open("memory:", actor="tester") as running:
        decided = running.append(Opened(account="A-1", owner="Ada"))
        with pytest.raises(ActumError, match=r"Fragile cannot take.*KeyError"):
            running.wait_for(decided.position, timeout=1)


def test_a_deleted_read_database_comes_back_identical(tmp_path: Path):
    events = some_events(3000, seed=2)
    with opened(tmp_path / "bank.actum") as running:
        fill(running.store, events)
        running.catch_up()
        before = {view: running.digest(view) for view in (Balance, Turnover)}
    for file in tmp_path.glob("bank.views.db*"):
        file.unlink()
    with opened(tmp_path / "bank.actum") as running:
        running.catch_up()
        assert {view: running.digest(view) for view in (Balance, Turnover)} == before
        assert shown(running) == folded(events)


@pytest.mark.parametrize("everything", [True, False])
def test_a_read_database_deleted_under_a_running_application_comes_back(tmp_path: Path, *, everything: bool):
    events = some_events(1500, seed=3)
    with opened(tmp_path / "bank.actum", follow=True) as running:
        fill(running.store, events)
        running.wait_for(1500)
        before = running.digest(Balance)
        for file in tmp_path.glob("bank.views.db*" if everything else "bank.views.db"):
            file.unlink()
        decided = running.append(Opened(account="new", owner="Ida"))
        running.wait_for(decided.position)
        assert shown(running) == folded([*events, Opened(account="new", owner="Ida")])
        assert running.digest(Balance) != before
        assert running.rebuild(Balance).switch() == decided.position + 1
        assert shown(running) == folded([*events, Opened(account="new", owner="Ida")])


def test_a_rebuild_reports_its_progress_and_leads_to_the_same_digest(journal: str | Path):
    with opened(journal) as running:
        fill(running.store, some_events(2500, seed=4))
        running.catch_up()
        before = running.digest(Balance)
        told: list[tuple[int, int]] = []
        rebuild = running.rebuild(Balance)
        rebuild.wait(progress=lambda at, goal: told.append((at, goal)))
        rebuild.switch()
        assert [at for at, _ in told] == sorted(at for at, _ in told)
        assert told[-1] == (2500, 2500)
        assert running.digest(Balance) == before


def test_a_rebuild_while_the_views_are_followed_ends_well(tmp_path: Path):
    with opened(tmp_path / "bank.actum", follow=True) as running:
        fill(running.store, some_events(2500, seed=5))
        writing = threading.Thread(
            target=lambda: [running.append(Deposited(account="A-1", amount=Decimal(1))) for _ in range(50)]
        )
        writing.start()
        running.rebuild(Balance).switch()
        writing.join()
        running.wait_for(running.head())
        assert shown(running) == folded([recorded.event for recorded in running.events()])


def test_the_digest_changes_with_any_cell(tmp_path: Path):
    with opened(tmp_path / "bank.actum") as running:
        empty = running.digest(Balance)
        assert empty == "0" * 64
        running.append(Deposited(account="A-1", amount=Decimal("1.0")))
        running.catch_up()
        one = running.digest(Balance)
        running.append(Deposited(account="A-1", amount=Decimal("0.0")))
        running.catch_up()
        assert len({empty, one, running.digest(Balance)}) == 3


def test_a_view_as_of_a_position_or_a_time_is_what_it_was_then(journal: str | Path):
    events = some_events(400, seed=6)
    with opened(journal) as running:
        for start in range(0, 400, 100):
            fill(running.store, events[start : start + 100])
        assert {row.account: row for row in running.view(Balance, at=250)} == folded(events[:250])
        assert list(running.view(Balance, at=0)) == []
        moment = next(running.events(after=99, limit=1)).recorded_at
        until = sum(recorded.recorded_at <= moment for recorded in running.events())
        assert {row.account: row for row in running.view(Balance, at=moment)} == folded(events[:until])
        name = next(iter(folded(events[:250])))
        assert running.state(Balance, name, at=250) == folded(events[:250])[name]
        with pytest.raises(Invalid, match="from the future"):
            running.view(Balance, at=401)
        with pytest.raises(Invalid, match="naive"):
            running.view(Balance, at=datetime(2024, 1, 1))  # noqa: DTZ001


def test_before_the_first_event_there_is_nothing(journal: str | Path):
    with opened(journal) as running:
        fill(running.store, some_events(5, seed=7))
        assert list(running.view(Balance, at=datetime(1999, 1, 1, tzinfo=UTC))) == []


def test_the_read_database_of_another_journal_is_not_opened(tmp_path: Path):
    with opened(tmp_path / "one.actum", read_database=tmp_path / "views.db"):
        pass
    with pytest.raises(NotAJournal, match=r"derived from another journal.*delete it, or name another"):
        opened(tmp_path / "other.actum", read_database=tmp_path / "views.db")


def test_a_view_or_query_that_was_not_declared_is_unknown_and_the_declared_are_named():
    class Other(View):
        account: AccountId

        def evolve(self, event: Opened) -> None: ...

    known = "no view is called 'Other'; known: Balance, Branch, Turnover"
    with opened() as running, pytest.raises(Unknown, match=known):
        running.view(Other)
    with App("bare").open("memory:") as bare:
        with pytest.raises(Unknown, match="no view is called 'Other'; none is declared"):
            bare.view(Other)
        with pytest.raises(Unknown, match="no query is called 'Richest'; none is declared"):
            bare.ask(Richest(at_least=Decimal(1)))


def test_an_application_without_views_makes_no_read_database(tmp_path: Path):
    app = App("bare")
    app.knows(Opened)
    with app.open(tmp_path / "bare.actum", actor="tester") as running:
        decided = running.append(Opened(account="A-1", owner="Ada"))
        running.wait_for(decided.position)
        assert running.catch_up() == 1
    assert not list(tmp_path.glob("*.views.db*"))


def test_two_applications_at_once_keep_one_read_database(tmp_path: Path):
    with opened(tmp_path / "bank.actum", follow=True) as one, opened(tmp_path / "bank.actum", follow=True) as other:
        for number in range(40):
            (one if number % 2 else other).append(Deposited(account="A-1", amount=Decimal(1)))
        for running in (one, other):
            running.wait_for(40)
            row = running.view(Balance).get("A-1")
            assert row is not None
            assert (row.balance, row.changes) == (40, 40)


def test_a_closed_application_says_so(tmp_path: Path):
    running = opened(tmp_path / "bank.actum", follow=True)
    table = running.view(Balance)
    running.close()
    with pytest.raises(Unavailable, match="closed"):
        table.get("A-1")
    with pytest.raises(Unavailable, match="closed"):
        running.events()


def test_a_query_with_values_that_do_not_fit_is_refused():
    with opened() as running, pytest.raises(Invalid, match=r"Richest.at_least: expected Decimal, found 1.5"):
        running.ask(Richest(at_least=1.5))  # type: ignore[arg-type]


def test_views_and_queries_are_listed_by_name():
    assert sorted(bank.views) == ["Balance", "Branch", "Turnover"]
    assert bank.view_type("balances") is Balance
    assert bank.query_type("Richest") is Richest
