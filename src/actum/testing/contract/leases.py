"""The contract of shares and leases: who may move which slices on, and that nobody else does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from actum.journal.errors import Invalid
from actum.journal.event import EventData
from actum.journal.readmodel import ALL_SLICES, Change, Column, Cut, Kept, Mark, Parked, Shape, Share, Slices
from actum.testing.contract.case import SeededCase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.readmodel import ReadDatabase

COUNTED = Shape("counted", (Column("id", Kept.TEXT), Column("number", Kept.INTEGER)), ("id",), b"one")
MANY = 60.0
NOTES = "notes_of_the_contract"


def _parked(key: str, position: int, error: str = "ValueError: no") -> Parked:
    return Parked(key=key, position=position, event=b"e", error=error, trace="line 1", attempts=3)


class ParkingCases(SeededCase):
    """Keys that are put aside, and what is noted of them, move with the checkpoint."""

    def test_keys_are_put_aside_further_on_and_freed_with_the_checkpoint(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        one, other = _parked("a", 5), _parked("b\nc", 3)
        assert tables.commit([Change(COUNTED, [], Mark(), Mark(9, b"x"), parked=[one, other])])
        assert tables.parked(COUNTED) == [other, one]
        assert not tables.commit([Change(COUNTED, [], Mark(), Mark(9, b"y"), freed=["a"])])
        assert tables.parked(COUNTED) == [other, one]
        mark, further = Mark(9, b"x"), _parked("a", 7, error="")
        assert tables.commit([Change(COUNTED, [], mark, mark, parked=[further], freed=["b\nc"])])
        assert tables.parked(COUNTED) == [further]

    def test_a_fence_has_whoever_works_on_the_share_look_again(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        (share,) = recut(tables, Cut(ALL_SLICES, "w"), worker="w")
        fence = Change(COUNTED, [], Mark(), Mark(), epoch=share.epoch, owner="w", fence=True)
        assert tables.commit([fence])
        assert not tables.commit([Change(COUNTED, [], Mark(), Mark(1, b"x"), epoch=share.epoch, owner="w")])
        (after,) = tables.shares(COUNTED)
        assert (after.epoch, after.owner, after.held, after.mark) == (share.epoch + 1, "w", True, Mark())

    def test_notes_are_kept_in_order_until_they_are_in_the_journal(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        notes = [
            EventData(bytes([number]) * 16, f"Note{number}", b"{}", b"s" * 16, number, ("a:1", "b:2"), b'{"actor":"x"}')
            for number in (3, 1, 2)
        ]
        assert tables.commit([Change(COUNTED, [], Mark(), Mark(1, b"x"), notes=notes)])
        assert not tables.commit([Change(COUNTED, [], Mark(), Mark(2, b"y"), notes=notes)])
        assert tables.notes() == notes
        tables.noted([notes[0].id, notes[2].id])
        assert tables.notes() == [notes[1]]

    @pytest.mark.parametrize("verb", ["renew", "drop"])
    def test_a_table_begun_anew_or_dropped_has_nothing_put_aside_and_what_was_noted_stays(
        self, tables: ReadDatabase, verb: str
    ) -> None:
        tables.prepare(COUNTED)
        note = EventData(b"n" * 16, "Note", b"{}", b"s" * 16, 1, ("a:1",))
        assert tables.commit([Change(COUNTED, [], Mark(), Mark(9, b"x"), parked=[_parked("a", 5)], notes=[note])])
        if verb == "renew":
            tables.renew(COUNTED)
        else:
            tables.drop("counted")
            tables.prepare(COUNTED)
        assert tables.parked(COUNTED) == []
        assert tables.notes() == [note]


class LeaseCases(SeededCase):
    """Shares of a follower: taken, split, merged, given up, lost."""

    def test_a_new_table_has_one_share_that_nobody_holds(self, tables: ReadDatabase) -> None:
        assert tables.prepare(COUNTED)
        assert tables.shares(COUNTED) == [Share(ALL_SLICES, Mark())]
        assert tables.shares(Shape("counted", COUNTED.columns, COUNTED.key, b"another")) == []

    def test_a_share_is_taken_split_merged_and_given_up_each_time_under_another_epoch(
        self, tables: ReadDatabase
    ) -> None:
        tables.prepare(COUNTED)
        tables.commit([Change(COUNTED, [], Mark(), Mark(1, b"x"))])
        (taken,) = recut(tables, Cut(ALL_SLICES, "w"), worker="w")
        assert (taken.mark, taken.owner, taken.epoch, taken.held) == (Mark(1, b"x"), "w", 1, True)
        assert MANY - 30 < taken.left <= MANY
        halves = recut(tables, Cut(Slices(0, 511), "w"), Cut(Slices(512, 1023)), worker="w")
        assert places(halves) == [("0-511", "w", 2), ("512-1023", "", 2)]
        assert [share.mark for share in halves] == [Mark(1, b"x")] * 2
        assert [share.held for share in halves] == [True, False]
        assert places(recut(tables, Cut(ALL_SLICES), worker="w")) == [("0-1023", "", 3)]

    def test_only_neighbours_at_one_mark_that_are_as_they_were_seen_can_be_changed(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        low, high = seen = recut(tables, Cut(Slices(0, 511)), Cut(Slices(512, 1023)), worker="")
        for shares, cuts in (
            ([high, low], [Cut(ALL_SLICES)]),
            ([low], [Cut(Slices(0, 500))]),
            ([low, high], [Cut(Slices(0, 5)), Cut(Slices(7, 1023))]),
            ([], []),
        ):
            with pytest.raises(Invalid, match="expected neighbouring shares and cuts of the same slices"):
                tables.recut("counted", shares, cuts, worker="w", seconds=MANY)
        assert tables.commit([Change(COUNTED, [], Mark(), Mark(1, b"x"), low.slices, low.epoch)])
        assert not tables.recut("counted", seen, [Cut(ALL_SLICES)], worker="w", seconds=MANY)
        assert tables.mark(COUNTED) == Mark()
        assert tables.commit([Change(COUNTED, [], Mark(), Mark(1, b"x"), high.slices, high.epoch)])
        assert tables.mark(COUNTED) == Mark(1, b"x")
        assert tables.recut("counted", seen, [Cut(ALL_SLICES)], worker="w", seconds=MANY)
        assert not tables.recut("counted", seen, [Cut(ALL_SLICES)], worker="w", seconds=MANY)

    def test_what_another_holds_is_taken_only_when_their_lease_has_run_out(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        held = recut(tables, Cut(ALL_SLICES, "one"), worker="one")
        assert not tables.recut("counted", held, [Cut(ALL_SLICES, "other")], worker="other", seconds=MANY)
        tables.keep("one", followers=["counted"], seconds=0)
        assert not tables.shares(COUNTED)[0].held
        assert tables.recut("counted", held, [Cut(ALL_SLICES, "other")], worker="other", seconds=MANY)

    def test_a_commit_must_know_the_epoch_the_slices_and_the_owner(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        (share,) = recut(tables, Cut(ALL_SLICES, "w"), worker="w")

        def change(**facts: Any) -> list[Change]:
            right: dict[str, Any] = {"slices": ALL_SLICES, "epoch": share.epoch, "owner": "w", "seen": Mark()} | facts
            return [Change(COUNTED, [("a", 1)], reached=Mark(1, b"x"), **right)]

        for wrong in ({"epoch": 0}, {"slices": Slices(0, 511)}, {"owner": ""}, {"owner": "v"}, {"seen": Mark(1, b"x")}):
            assert not tables.commit(change(**wrong)), wrong
        assert tables.count(COUNTED, []) == 0
        assert tables.commit(change())

    def test_who_is_alive_is_known_until_their_time_is_over_or_they_leave(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        assert tables.keep("b", followers=["counted"], seconds=MANY) == {"counted": ("b",)}
        both = {"counted": ("a", "b"), "others": ("a",)}
        assert tables.keep("a", followers=["counted", "others"], seconds=MANY) == both
        recut(tables, Cut(Slices(0, 9), "a"), Cut(Slices(10, 1023), "b"), worker="a")
        tables.leave("b")
        assert places(tables.shares(COUNTED)) == [("0-9", "a", 1), ("10-1023", "", 2)]
        tables.keep("a", followers=["counted"], seconds=0)
        assert tables.keep("c", followers=["counted"], seconds=MANY) == {"counted": ("c",)}

    def test_a_table_begun_anew_has_one_share_under_an_epoch_that_none_had(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        recut(tables, Cut(Slices(0, 511), "w"), Cut(Slices(512, 1023), "w"), worker="w")
        tables.renew(COUNTED)
        assert tables.shares(COUNTED) == [Share(ALL_SLICES, Mark(), 2)]

    def test_a_share_that_many_want_at_once_is_had_by_one(self, tables: ReadDatabase) -> None:
        tables.prepare(COUNTED)
        for _ in range(10):
            seen = tables.shares(COUNTED)
            had: list[bool] = []

            def want(worker: str, seen: list[Share] = seen, had: list[bool] = had) -> None:
                tables.keep(worker, followers=["counted"], seconds=0)
                had.append(tables.recut("counted", seen, [Cut(ALL_SLICES, worker)], worker=worker, seconds=0.0))

            threads = [threading.Thread(target=want, args=(f"w{number}",)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(had) == [False, False, False, True]

    # Somebody's own work in the transaction.

    def test_work_in_the_transaction_stands_or_falls_with_it(self, tables: ReadDatabase) -> None:
        def note(connection: Any) -> None:
            connection.execute(f"CREATE TABLE {NOTES} (text text)")

        def fail(connection: Any) -> None:
            connection.execute(f"CREATE TABLE {NOTES}_of_others (text text)")
            raise KeyError("a bug")

        def take_away(connection: Any) -> None:
            connection.execute(f"DROP TABLE {NOTES}")

        tables.prepare(COUNTED)
        own = Shape("own", (), (), b"1")
        assert tables.prepare(own, note)
        assert not tables.prepare(own, fail)
        moved = Change(own, [], Mark(), Mark(1, b"x"), work=fail)
        with pytest.raises(KeyError, match="a bug"):
            tables.commit([Change(COUNTED, [("a", 1)], Mark(), Mark(1, b"x")), moved])
        assert tables.marks() == {"counted": Mark(), "own": Mark()}
        assert tables.count(COUNTED, []) == 0
        assert tables.commit([Change(own, [], Mark(), Mark(1, b"x"), work=take_away)])


def recut(tables: ReadDatabase, *cuts: Cut, worker: str) -> list[Share]:
    """Cut the shares anew, which must succeed; how they are then."""
    assert tables.recut("counted", tables.shares(COUNTED), cuts, worker=worker, seconds=MANY)
    return tables.shares(COUNTED)


def places(shares: Sequence[Share]) -> list[tuple[str, str, int]]:
    """Each share's slices, owner and epoch."""
    return [(str(share.slices), share.owner, share.epoch) for share in shares]
