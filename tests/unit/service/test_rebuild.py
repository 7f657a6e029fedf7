"""A view is built anew beside itself, compared, switched to and gone back from; and who did it is on record."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from actum import App, Busy, Event, Invalid, Running, Unavailable, View
from actum.journal.errors import Misdeclared
from actum.journal.readmodel import Role
from actum.projection.acts import RebuildCancelled, ViewSwitched, ViewTakenBack
from actum.projection.changed import Rebuilds
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, concerned, fill, some_events
from tests.unit.projection.versions import at_work, first, made_of, rows_of, second, view_of, wider

EVENTS = [*some_events(600, seed=11), *[Opened(account=f"B-{number}", owner="Ida") for number in range(3)]]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal whose balances are kept by the first version."""
    path = tmp_path / "bank.actum"
    with at_work(first(), path) as running:
        fill(running.store, EVENTS)
        running.catch_up()
    return path


def _views(journal: Path) -> Path:
    return journal.with_suffix(".views.db")


def _by_sql(journal: Path) -> list[Any]:
    connection = apsw.Connection(str(_views(journal)))
    try:
        return connection.execute("SELECT account, balance, changes FROM balances ORDER BY account").fetchall()
    finally:
        connection.close()


def _roles(running: Running) -> list[tuple[int, Role]]:
    return [(each.definition.version, each.role) for each in running.versions(view_of(running.app))]  # type: ignore[arg-type]


def _shown(rows: dict[str, Any]) -> list[Any]:
    return [(row["account"], str(row["balance"]), row["changes"]) for _, row in sorted(rows.items())]


# Building and switching.


def test_readers_see_the_old_rows_until_the_switch_and_the_new_ones_after(journal: Path):
    old, new = made_of(first(), EVENTS), made_of(second(), EVENTS)
    with at_work(second(), journal) as running:
        view = view_of(running.app)
        assert not running.view(view).current
        rebuild = running.rebuild(view)
        rebuild.wait()
        assert rows_of(running) == old
        assert _by_sql(journal) == _shown(old)
        assert _roles(running) == [(1, Role.LIVE), (2, Role.CANDIDATE)]
        rebuild.switch()
        assert running.view(view).current
        assert rows_of(running) == new
        assert _by_sql(journal) == _shown(new)
        assert _roles(running) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_after_the_switch_the_new_rows_are_kept_up(journal: Path):
    with at_work(second(), journal, follow=True) as running:
        running.rebuild(view_of(running.app)).switch()
        more = [Deposited(account="A-1", amount=Decimal(700))]
        decided = running.append(*more)
        running.wait_for(decided.position)
        assert rows_of(running) == made_of(second(), [*EVENTS, *more])


def test_a_rebuild_goes_on_where_the_one_before_was_left(journal: Path):
    with at_work(second(), journal) as running:
        build = running.views.shelf.build(view_of(running.app), step=100)
        for _ in range(3):
            build.step()
        built = build.pace().position
    with at_work(second(), journal) as running:
        assert running.candidate(view_of(running.app)).progress().position == built < 603
        running.rebuild(view_of(running.app)).switch()
        assert rows_of(running) == made_of(second(), EVENTS)


def test_a_rebuild_is_paused_resumed_and_says_how_far_it_is(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app), step=1)
        rebuild.pause()
        stopped = rebuild.progress()
        assert (stopped.position < 603, stopped.goal) == (True, 603)
        with pytest.raises(Busy, match=r"at position \d+ of 603 and is paused; resume it"):
            rebuild.wait()
        assert rebuild.progress() == stopped
        rebuild.resume()
        rebuild.wait(timeout=60)
        pace = rebuild.progress()
        assert (pace.position, pace.goal, pace.left) == (603, 603, 0)
        assert pace.rate > 0
        rebuild.switch()
        assert rows_of(running) == made_of(second(), EVENTS)


def test_closing_leaves_what_was_built(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app), step=1)
    with at_work(second(), journal) as running:
        assert running.candidate(view_of(running.app)).progress().position == rebuild.progress().position
        assert _roles(running) == [(1, Role.LIVE), (2, Role.CANDIDATE)]


def test_a_definition_that_fails_is_told_to_whoever_waits_and_readers_see_nothing_of_it(journal: Path):
    broken = App("bank")

    @broken.view
    class Balance(View, table="balances", version=3):
        account: AccountId

        def evolve(self, event: Opened) -> None:
            if event.account == "B-2":
                raise KeyError("mended soon")

    broken.knows(Deposited, Transferred)
    with at_work(broken, journal) as running:
        with pytest.raises(Unavailable, match=r"Balance cannot take Opened\(account='B-2'.*mended soon"):
            running.rebuild(Balance).switch()
        assert _by_sql(journal) == _shown(made_of(first(), EVENTS))


def test_what_is_live_already_is_not_switched_to_twice(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app))
        rebuild.switch()
        with pytest.raises(Invalid, match="live already"):
            rebuild.switch()
        with pytest.raises(Invalid, match="step: expected 1 event or more, found 0"):
            running.rebuild(view_of(running.app), step=0)
        with pytest.raises(Invalid, match="no candidate of Balance; rebuild it first"):
            running.candidate(view_of(running.app))


def test_one_earlier_table_is_kept_and_those_before_it_are_not(journal: Path):
    with at_work(second(), journal) as running:
        running.rebuild(view_of(running.app)).switch()
    with at_work(second(version=4), journal) as running:
        running.rebuild(view_of(running.app)).switch()
        assert _roles(running) == [(4, Role.LIVE), (2, Role.KEPT)]


def test_the_same_definition_is_rebuilt_to_the_same_rows(tmp_path: Path):
    with at_work(first(), "memory:") as running:
        view = view_of(running.app)
        fill(running.store, EVENTS)
        running.catch_up()
        before = running.digest(view)
        rebuild = running.rebuild(view)
        found = rebuild.diff()
        assert (found.equal, found.live.digest, found.candidate.digest) == (True, before, before)
        rebuild.switch(found)
        assert running.digest(view) == before
        assert _roles(running) == [(1, Role.LIVE), (1, Role.KEPT)]
        running.rollback(view)
        assert running.digest(view) == before


# Comparing.


def _expected(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """What differs, computed in the plainest way there is."""
    found: list[tuple[str, str, list[str]]] = []
    for key in sorted({*old, *new}):
        if key not in new:
            found.append((key, "removed", []))
        elif key not in old:
            found.append((key, "added", []))
        elif old[key] != new[key]:
            found.append((key, "changed", [name for name in new[key] if new[key][name] != old[key][name]]))
    return found


def _since(events: list[Event], account: str, column: str) -> int:
    """The position of the event since which the two versions differ in that cell, fold by fold from the beginning."""
    parted = 0
    for position in range(1, len(events) + 1):
        if account not in concerned(events[position - 1]):
            continue
        old, new = (made_of(app, events[:position]).get(account) for app in (first(), second()))
        same = (old and old[column]) == (new and new[column])
        parted = 0 if same else parted or position
    return parted


def test_the_difference_names_exactly_the_rows_and_cells_that_differ(journal: Path):
    old, new = made_of(first(), EVENTS), made_of(second(), EVENTS)
    with at_work(second(), journal) as running:
        found = running.rebuild(view_of(running.app)).diff()
    expected = _expected(old, new)
    assert [(row.key[0], row.what, [cell.column for cell in row.cells]) for row in found.rows] == expected
    assert (found.added, found.removed, found.changed) == (0, 3, len(expected) - 3)
    assert found.position == 603
    assert found.cells == {
        name: sum(name in names for _, _, names in expected) for name in ("owner", "balance", "changes")
    }
    for row in found.rows:
        for cell in row.cells:
            name = str(row.key[0])
            assert [str(cell.live), str(cell.candidate)] == [str(old[name][cell.column]), str(new[name][cell.column])]
    assert "version 1 is not at hand" in found.reasons


def test_with_both_definitions_at_hand_each_cell_is_told_the_event_since_which_it_differs(journal: Path):
    with at_work(second(), journal) as running:
        found = running.rebuild(view_of(running.app)).diff(old=first())
        stored = {each.position: each for each in running.events()}
    cells = [(row, cell) for row in found.rows for cell in row.cells]
    assert len(cells) > 30
    for row, cell in cells[::5]:
        assert cell.since is not None
        assert cell.since.position == _since(EVENTS, str(row.key[0]), cell.column)
        event = stored[cell.since.position]
        assert (cell.since.id, cell.since.type) == (event.id, event.type)
        assert cell.since.live != cell.since.candidate
    removed = [row.since.position for row in found.rows if row.what == "removed" and row.since]
    assert removed == [601, 602, 603]


def test_a_wrong_older_definition_is_turned_down(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app))
        with pytest.raises(Invalid, match=r"old: Balance is version 3 .* the live rows were made by version 1"):
            rebuild.diff(old=view_of(wider()))


def test_columns_that_only_one_has_are_named(journal: Path):
    with at_work(wider(), journal) as running:
        found = running.rebuild(view_of(running.app)).diff(limit=0)
        assert (found.new, found.gone) == (("last", "opened"), ("owner", "balance", "changes"))
        assert (found.added, found.removed, found.changed, found.equal) == (0, 0, 0, False)


def test_the_difference_is_as_of_one_position_while_the_live_table_moves_on(journal: Path):
    """The older program goes on projecting all the time; what differs is what differs as of the position that is told."""
    with at_work(first(), journal, follow=True) as older, at_work(second(), journal) as running:
        over = threading.Event()

        def write() -> None:
            while not over.is_set():
                older.append(Deposited(account="A-1", amount=Decimal(600)))

        writing = threading.Thread(target=write)
        writing.start()
        try:
            rebuild = running.rebuild(view_of(running.app))
            differences = [rebuild.diff(old=first()) for _ in range(5)]
        finally:
            over.set()
            writing.join()
        events = [each.event for each in running.events()]
    assert len({each.position for each in differences}) > 1
    for found in differences:
        old, new = (made_of(app, events[: found.position]) for app in (first(), second()))
        expected = _expected(old, new)
        assert [(row.key[0], row.what, [cell.column for cell in row.cells]) for row in found.rows] == expected


# What was compared is what is switched to.


def _tamper(journal: Path, table: str) -> None:
    connection = apsw.Connection(str(_views(journal)))
    connection.execute(f"UPDATE {table} SET changes = changes + 1 WHERE account = 'A-1'")
    connection.close()


@pytest.mark.parametrize("side", ["live", "candidate"])
def test_a_switch_is_refused_where_a_row_is_not_what_was_compared(journal: Path, side: str):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app))
        found = rebuild.diff()
        _tamper(journal, getattr(found, side).definition.table)
        with pytest.raises(Invalid, match=r"not those that were compared.*compare again"):
            rebuild.switch(found)
        assert _roles(running) == [(1, Role.LIVE), (2, Role.CANDIDATE)]
        rebuild.switch(rebuild.diff())


def test_a_switch_by_digest_is_refused_where_the_candidate_has_another(journal: Path):
    with at_work(second(), journal) as running:
        digest = running.rebuild(view_of(running.app)).diff().candidate.digest
    with at_work(second(), journal) as running:
        candidate = running.candidate(view_of(running.app))
        for wrong in ("0" * 64, digest[:4]):
            with pytest.raises(Invalid, match="compare again"):
                candidate.switch(wrong)
        candidate.switch(digest[:16])
        assert _roles(running)[0] == (2, Role.LIVE)


def test_a_switch_is_refused_where_the_candidate_has_moved_since_it_was_compared(journal: Path):
    with at_work(first(), journal) as older, at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app))
        found = rebuild.diff()
        older.append(Deposited(account="A-1", amount=Decimal(1)))
        older.catch_up()
        rebuild.diff()
        with pytest.raises(Invalid, match="was compared at position 603 and stands at 604"):
            rebuild.switch(found)


def test_events_that_come_after_the_comparison_do_not_keep_one_from_switching(journal: Path):
    more = [Deposited(account="A-1", amount=Decimal(900)), Deposited(account="new", amount=Decimal(2))]
    with at_work(first(), journal) as older, at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app))
        found = rebuild.diff()
        older.append(*more)
        older.catch_up()
        rebuild.switch(found)
        assert rows_of(running) == made_of(second(), [*EVENTS, *more])


# Going back.


def test_one_goes_back_to_the_earlier_table_and_forward_again(journal: Path):
    old, new = made_of(first(), EVENTS), made_of(second(), EVENTS)
    with at_work(second(), journal) as running:
        view = view_of(running.app)
        running.rebuild(view).switch()
        running.rollback(view, behind=True)
        assert _roles(running) == [(1, Role.LIVE), (2, Role.TAKEN_BACK)]
        assert rows_of(running) == old
        assert _by_sql(journal) == _shown(old)
        assert not running.view(view).current
        running.candidate(view).switch()
        assert rows_of(running) == new
        assert _roles(running) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_going_back_to_rows_that_are_behind_must_be_accepted(journal: Path):
    with at_work(second(), journal) as running:
        view = view_of(running.app)
        running.rebuild(view).switch()
        running.append(Deposited(account="A-1", amount=Decimal(1)))
        running.catch_up()
        head = running.head()
        with pytest.raises(Invalid, match=r"version 1 of Balance stands at position 603, 2 events behind.*behind=True"):
            running.rollback(view)
        assert running.head() == head
        running.rollback(view, behind=True)
        assert rows_of(running) == made_of(first(), EVENTS)


def test_an_older_program_keeps_the_earlier_table_ready_to_go_back_to(journal: Path):
    more = [Deposited(account="A-1", amount=Decimal(900))]
    with at_work(first(), journal) as older, at_work(second(), journal) as running:
        running.rebuild(view_of(running.app)).switch()
        running.append(*more)
        running.catch_up()
        older.catch_up()
        assert rows_of(older) == made_of(first(), [*EVENTS, *more])
        running.rollback(view_of(running.app))
        assert _by_sql(journal) == _shown(made_of(first(), [*EVENTS, *more]))


def test_without_an_earlier_table_there_is_nothing_to_go_back_to(journal: Path):
    with at_work(first(), journal) as running, pytest.raises(Invalid, match="no earlier table of Balance is kept"):
        running.rollback(view_of(running.app))


def test_what_was_taken_back_is_not_switched_to_by_itself(journal: Path):
    with at_work(second(), journal) as running:
        running.rebuild(view_of(running.app)).switch()
        running.rollback(view_of(running.app), behind=True)
    with at_work(second(), journal, rebuilds=Rebuilds.AUTOMATIC) as running:
        running.catch_up()
        assert _roles(running) == [(1, Role.LIVE), (2, Role.TAKEN_BACK)]
        assert rows_of(running) == made_of(first(), EVENTS)


# On record.


def test_who_switched_went_back_and_gave_up_is_on_record_with_why_and_with_the_digests(journal: Path):
    with at_work(second(), journal) as running:
        view = view_of(running.app)
        rebuild = running.rebuild(view)
        found = rebuild.diff()
        switched = rebuild.switch(found, actor="ops-1", reason="the bank keeps one")
        back = running.rollback(view, behind=True, actor="ops-2", reason="it does not")
        running.candidate(view).switch(actor="ops-1")
        running.rebuild(view).wait()
        given_up = running.cancel_rebuild(view, actor="ops-3", reason="enough")
        acts = {each.position: each for each in running.events(after=603)}
        assert [each.type for each in acts.values()] == [
            "actum.view_switched",
            "actum.view_taken_back",
            "actum.view_switched",
            "actum.rebuild_cancelled",
        ]
        event = acts[switched].event
        assert isinstance(event, ViewSwitched)
        assert (event.view, event.before, event.after) == ("Balance", found.live.definition, found.candidate.definition)
        assert (event.digest_before, event.digest_after) == (found.live.digest, found.candidate.digest)
        assert (event.added, event.removed, event.changed) == (found.added, found.removed, found.changed)
        assert (acts[switched].metadata.actor, acts[switched].metadata.reason) == ("ops-1", "the bank keeps one")
        assert acts[switched].tags == ("view:Balance",)
        event = acts[back].event
        assert isinstance(event, ViewTakenBack)
        assert (event.digest_before, event.digest_after) == (found.candidate.digest, found.live.digest)
        assert (acts[back].metadata.actor, acts[back].metadata.reason) == ("ops-2", "it does not")
        assert isinstance(acts[given_up].event, RebuildCancelled)
        assert acts[given_up].metadata.actor == "ops-3"


def test_what_happens_by_itself_is_nobodys_act(journal: Path):
    with at_work(second(), journal, rebuilds=Rebuilds.AUTOMATIC) as running:
        running.catch_up()
        assert running.head() == 603


def test_a_candidate_that_is_given_up_is_gone(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app), step=1)
        rebuild.cancel(reason="no")
        assert _roles(running) == [(1, Role.LIVE)]
        with pytest.raises(Invalid, match="no candidate of Balance to give up"):
            running.cancel_rebuild(view_of(running.app))
        assert not rebuild.alive
        running.rebuild(view_of(running.app)).switch()
        assert rows_of(running) == made_of(second(), EVENTS)


# What an application does by itself when it is opened.


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("rebuilds", [Rebuilds.AUTOMATIC, Rebuilds.WHEN_RAISED])
def test_a_raised_version_is_built_beside_and_switched_to_by_itself(journal: Path, rebuilds: Rebuilds, *, follow: bool):
    with at_work(second(), journal, rebuilds=rebuilds, follow=follow) as running:
        running.wait_for(603, timeout=60)
        assert rows_of(running) == made_of(second(), EVENTS)
        assert running.view(view_of(running.app)).current
        assert _roles(running) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_a_change_without_a_raised_version_is_named_with_what_to_do(journal: Path, caplog: pytest.LogCaptureFixture):
    with pytest.raises(
        Misdeclared, match=r"Balance is kept by version 1 \(\w{8}\); this program folds it otherwise"
    ) as said:
        at_work(second(version=1), journal, rebuilds=Rebuilds.WHEN_RAISED)
    assert "Raise it: version=2" in str(said.value)
    with at_work(second(version=1), journal, rebuilds=Rebuilds.AUTOMATIC) as running:
        assert [each.levelname for each in caplog.records if "Raise it: version=2" in each.message] == ["WARNING"]
        (changed,) = running.views.shelf.changed.values()
        assert (changed.raised, changed.live.version, changed.mine.version) == (False, 1, 1)
        assert changed.live.fingerprint != changed.mine.fingerprint
        running.catch_up()
        assert rows_of(running) == made_of(second(), EVENTS)


def test_columns_that_are_not_there_yet_are_said_to_be_so_and_can_be_waited_for(journal: Path):
    with at_work(wider(), journal) as running:
        table = running.view(view_of(running.app))
        assert not table.readable
        with pytest.raises(Busy, match=r"kept by version 1 .* not all the columns of version 3"):
            table.count()
        with pytest.raises(Busy, match="the views are at position 0"):
            running.wait_for(603, timeout=0)
    with at_work(wider(), journal, rebuilds=Rebuilds.AUTOMATIC, follow=True) as running:
        running.wait_for(603, timeout=60)
        assert rows_of(running) == made_of(wider(), EVENTS)


def test_an_older_program_does_not_take_the_newer_ones_place(journal: Path):
    with at_work(second(), journal) as running:
        running.rebuild(view_of(running.app)).switch()
    for _ in range(2):
        with at_work(first(), journal, rebuilds=Rebuilds.AUTOMATIC) as older:
            older.catch_up()
            assert rows_of(older) == made_of(first(), EVENTS)
            assert _roles(older) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_an_older_program_whose_table_is_gone_shows_the_rows_of_the_newer_one(journal: Path):
    for app in (second(), second(version=4)):
        with at_work(app, journal) as running:
            running.rebuild(view_of(running.app)).switch()
    with at_work(first(), journal, rebuilds=Rebuilds.AUTOMATIC) as older:
        older.catch_up()
        assert rows_of(older) == made_of(second(), EVENTS)
        assert not older.view(view_of(older.app)).current
        assert older.views.shown(view_of(older.app)) == len(EVENTS)


def test_how_far_a_view_shows_the_journal_is_that_of_the_table_that_is_read(journal: Path):
    with at_work(first(), journal) as older, at_work(second(), journal) as newer:
        old, new = view_of(older.app), view_of(newer.app)
        assert older.views.shown(old) == newer.views.shown(new) == len(EVENTS)
        newer.rebuild(new).switch()
        assert older.views.shown(old) == newer.views.shown(new) == len(EVENTS)
        newer.catch_up()
        assert newer.views.shown(new) == newer.head()
        older.append(Deposited(account="A-1", amount=Decimal(1)))
        assert older.views.shown(old) < older.head()
        older.catch_up()
        assert older.views.shown(old) == older.head()


def test_two_versions_of_a_program_run_side_by_side_each_with_its_own_rows(journal: Path):
    """A rolling deployment: both write, both follow, and the newer one rebuilds and switches meanwhile."""
    old = at_work(first(), journal, follow=True)
    new = at_work(second(), journal, rebuilds=Rebuilds.AUTOMATIC, follow=True)
    with old, new:
        for number in range(60):
            running = (old, new)[number % 2]
            decided = running.append(Deposited(account=f"A-{number % 5}", amount=Decimal(400 + number)))
            running.wait_for(decided.position, timeout=60)
        for running in (old, new):
            running.wait_for(running.head(), timeout=60)
        events = [each.event for each in new.events()]
        assert rows_of(old) == made_of(first(), events)
        assert rows_of(new) == made_of(second(), events)
        assert _roles(new) == [(2, Role.LIVE), (1, Role.KEPT)]


def test_a_switch_by_another_process_is_noticed(journal: Path):
    """A program that stands by takes over what somebody else has switched to."""
    with at_work(second(), journal, follow=True) as standing_by:
        with at_work(second(), journal) as somebody:
            somebody.rebuild(view_of(somebody.app)).switch()
        decided = standing_by.append(Deposited(account="A-1", amount=Decimal(900)))
        standing_by.wait_for(decided.position, timeout=60)
        deadline = time.monotonic() + 60
        while not standing_by.view(view_of(standing_by.app)).current and time.monotonic() < deadline:
            standing_by.wait_for(decided.position)
        assert rows_of(standing_by) == made_of(second(), [each.event for each in standing_by.events()])


def test_a_view_that_workers_keep_up_is_compared_switched_and_kept_up_by_them_again(journal: Path):
    """Several workers stand at several positions; the newer program's take the new table over."""
    with (
        at_work(first(), journal) as older,
        older.work(3, lease=2),
        at_work(second(), journal) as newer,
        newer.work(2, lease=2),
    ):
        over = threading.Event()

        def write() -> None:
            while not over.is_set():
                older.append(*[Deposited(account=f"A-{number}", amount=Decimal(600)) for number in range(9)])
                over.wait(0.02)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            rebuild = newer.rebuild(view_of(newer.app))
            found = rebuild.diff()
            rebuild.switch(found)
        finally:
            over.set()
            writing.join()
        newer.wait_for(newer.head(), timeout=60)
        older.wait_for(older.head(), timeout=60)
        events = [each.event for each in newer.events()]
        expected = _expected(*(made_of(app, events[: found.position]) for app in (first(), second())))
        assert [(row.key[0], row.what, [cell.column for cell in row.cells]) for row in found.rows] == expected
        assert rows_of(older) == made_of(first(), events)
        assert rows_of(newer) == made_of(second(), events)


def test_a_read_database_deleted_in_the_middle_of_a_rebuild_comes_back_by_the_new_definition(journal: Path):
    with at_work(second(), journal) as running:
        rebuild = running.rebuild(view_of(running.app), step=1)
        rebuild.pause()
        for file in journal.parent.glob("bank.views.db*"):
            file.unlink()
        rebuild.resume()
        rebuild.wait(timeout=60)
        running.catch_up()
        assert rows_of(running) == made_of(second(), EVENTS)
        assert _roles(running)[0] == (2, Role.LIVE)
