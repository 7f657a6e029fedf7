"""What a view cannot take in is put aside with what follows it, and taken up again in order once the code is mended."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest

from actum import App, Event, Invalid, Tag, Unavailable, Unknown, View
from actum.journal.errors import Misdeclared
from actum.journal.upcast import convert, rename, split
from actum.projection.changed import Rebuilds
from actum.service.running import Running
from actum.subscription.policy import Policy, park, skip, stop
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import AccountId


class Paid(Event):
    account: AccountId
    amount: Decimal


class Payment(Event):
    account: AccountId
    cents: int


class PaidAt(Event):
    account: AccountId
    till: Annotated[int, Tag("till")]


class Odd:
    """What the code of today cannot take: mended by emptying it."""

    amounts: set[Decimal] = set()


@pytest.fixture(autouse=True)
def broken() -> Iterator[None]:
    Odd.amounts = {Decimal(13)}
    yield
    Odd.amounts = set()


def _app(policy: Policy) -> App:
    app = App("shop", version="7")

    @app.view
    class Account(View, on_failure=policy):
        account: AccountId
        amounts: list[Decimal] = []
        seen: int = 0

        def evolve(self, event: Paid) -> None:
            self.seen += 1
            if event.amount in Odd.amounts:
                raise ValueError(f"{event.amount} brings bad luck")
            self.amounts.append(event.amount)

    return app


def _pay(running: Running, *payments: tuple[str, int]) -> None:
    running.append(*[Paid(account=account, amount=Decimal(amount)) for account, amount in payments])


def _shown(running: Running) -> dict[str, list[int]]:
    found = running.view(running.app.view_type("Account"))
    return {row.account: [int(amount) for amount in row.amounts] for row in found}  # type: ignore[attr-defined]


def _types(running: Running) -> list[str]:
    return [event.type for event in running.events() if event.type != "Paid"]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where journal and views are."""
    if request.param == "SQLite":
        return str(tmp_path / "shop.actum")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


@pytest.fixture
def running(journal: str) -> Iterator[Running]:
    with _app(park(attempts=1)).open(journal, actor="ada", follow=False) as running:
        yield running


def test_the_key_of_an_event_that_fails_is_parked_and_all_others_go_on(running: Running):
    _pay(running, ("a", 1), ("a", 13), ("b", 2), ("a", 3), ("b", 4))
    running.catch_up()
    _pay(running, ("a", 5), ("b", 6))
    running.catch_up()
    assert _shown(running) == {"a": [1], "b": [2, 4, 6]}
    (one,) = running.parked()
    assert (one.follower, one.key, one.position, one.attempts, one.waiting) == ("Account", "a", 2, 1, 3)
    assert one.error == "ValueError: 13 brings bad luck"
    assert "in evolve" in one.trace


def test_a_number_that_has_become_too_long_for_its_column_is_parked_like_anything_else(journal: str):
    app = App("shop")

    @app.view
    class Account(View, on_failure=park(attempts=1)):
        account: AccountId
        cents: int = 0

        def evolve(self, event: Payment) -> None:
            self.cents += event.cents

    with app.open(journal, actor="ada", follow=False) as running:
        running.append(*[Payment(account=account, cents=2**63 - 1) for account in ("a", "b", "a", "c")])
        running.catch_up()
        assert {row.account: row.cents for row in running.view(Account)} == dict.fromkeys("abc", 2**63 - 1)
        (one,) = running.parked()
        assert (one.key, one.position, one.waiting) == ("a", 3, 1)
        assert "cents: expected a whole number of 64 bits, found one of 65" in one.error


def test_a_key_taken_up_again_has_its_events_in_order_and_goes_on(running: Running):
    _pay(running, ("a", 1), ("a", 13), ("b", 2), ("a", 3))
    running.catch_up()
    Odd.amounts = set()
    assert running.retry("Account", "a")
    assert _shown(running) == {"a": [1, 13, 3], "b": [2]}
    _pay(running, ("a", 4))
    running.catch_up()
    assert _shown(running)["a"] == [1, 13, 3, 4]
    assert running.parked() == ()


def test_all_of_it_is_on_record_with_who_why_and_because_of_what(running: Running):
    _pay(running, ("a", 13), ("a", 3))
    running.catch_up()
    Odd.amounts = set()
    running.retry("Account")
    parked, resumed = [event for event in running.events() if event.type != "Paid"]
    assert (parked.type, resumed.type) == ("actum.view-parked", "actum.view-resumed")
    assert parked.event.error == "ValueError: 13 brings bad luck"  # type: ignore[attr-defined]
    cause = next(running.events())
    assert parked.metadata.causation_id == resumed.metadata.causation_id == cause.id
    assert parked.metadata.producer == "shop@7"
    assert resumed.metadata.actor == "ada"
    assert (resumed.event.position, resumed.event.until) == (1, 2)  # type: ignore[attr-defined]


def test_what_fails_again_stays_parked_and_says_so(running: Running):
    _pay(running, ("a", 13), ("a", 3))
    running.catch_up()
    assert not running.retry("Account", "a")
    (one,) = running.parked()
    assert (one.attempts, one.waiting) == (2, 2)
    assert _shown(running) == {}


def test_what_fails_again_or_further_on_is_on_record_too(running: Running):
    _pay(running, ("a", 13), ("a", 3), ("a", 14))
    running.catch_up()
    running.retry("Account", "a", reason="tried", actor="eva")
    Odd.amounts = {Decimal(14)}
    running.retry("Account", "a", reason="mended")
    notes = [(event.type, event.event, event.metadata) for event in running.events() if event.type != "Paid"]
    said = [(type, event.position, who.actor, who.reason) for type, event, who in notes]  # type: ignore[attr-defined]
    assert said == [
        ("actum.view-parked", 1, "shop@7", None),
        ("actum.view-parked", 1, "eva", "tried"),
        ("actum.view-resumed", 1, "ada", "mended"),
        ("actum.view-parked", 3, "ada", "mended"),
    ]
    assert [getattr(event, "attempts", None) for _, event, _ in notes] == [1, 2, None, 1]


def _edited(*, version: int = 1, more: bool = False) -> App:
    """The same application, its `evolve` mended rather than what it looks at; with `more` columns, if need be."""
    app = App("shop", version="8")

    class Account(View, on_failure=park(attempts=1), version=version):
        account: AccountId
        amounts: list[Decimal] = []
        seen: int = 0

        def evolve(self, event: Paid) -> None:
            self.seen += 1
            self.amounts.append(event.amount)

    class Wider(Account, table="account", on_failure=park(attempts=1), version=version):
        luck: int = 0

    Wider.__name__ = "Account"
    app.view(Wider if more else Account)
    return app


@pytest.mark.parametrize("rebuilds", [Rebuilds.AUTOMATIC, Rebuilds.BY_HAND])
def test_a_key_is_taken_up_by_edited_code_into_the_table_that_readers_see(journal: str, rebuilds: Rebuilds):
    with _app(park(attempts=1)).open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 1), ("a", 13), ("a", 3), ("b", 2))
        running.catch_up()
    with _edited().open(journal, actor="eva", follow=False, rebuilds=rebuilds) as running:
        assert [one.key for one in running.parked()] == ["a"]
        assert running.retry("Account", "a")
        assert _shown(running) == {"a": [1, 13, 3], "b": [2]}
    with _app(park(attempts=1)).open(journal, actor="ada", follow=False) as running:
        assert running.parked() == ()
        _pay(running, ("a", 4))
        running.catch_up()
        assert _shown(running) == {"a": [1, 13, 3, 4], "b": [2]}


def test_where_edited_code_has_other_columns_what_is_parked_is_seen_and_one_is_told_what_to_do(journal: str):
    with _app(park(attempts=1)).open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 1), ("a", 13), ("a", 3))
        running.catch_up()
    edited = _edited(version=2, more=True)
    with edited.open(journal, actor="eva", follow=False, rebuilds=Rebuilds.BY_HAND) as running:
        assert [(one.key, one.waiting) for one in running.parked()] == [("a", 2)]
        with pytest.raises(
            Invalid, match="kept by version 1 of its definition, which has other columns than version 2 here"
        ):
            running.retry("Account", "a")
        running.rebuild(running.app.view_type("Account")).switch()
        assert (running.parked(), _shown(running)) == ((), {"a": [1, 13, 3]})


def test_a_view_goes_by_its_class_and_a_key_by_its_values(journal: str):
    app = App("shop")

    @app.view
    class Seen(View, on_failure=park(attempts=1)):
        account: AccountId
        till: Annotated[int, Tag("till")]
        seen: int = 0

        def evolve(self, event: PaidAt) -> None:
            self.seen += 1
            if Odd.amounts:
                raise ValueError("odd")

    with app.open(journal, actor="ada", follow=False) as running:
        running.append(PaidAt(account="a", till=1), PaidAt(account="b", till=1), PaidAt(account="b", till=2))
        running.catch_up()
        Odd.amounts = set()
        assert running.retry(Seen, ("a", 1))
        assert running.discard(Seen, ("b", 1), reason="a test")
        assert running.retry(Seen, "b\n2")
        assert [(row.account, row.till, row.seen) for row in running.view(Seen)] == [("a", 1, 1), ("b", 2, 1)]


def test_one_event_can_be_taken_in_by_itself(running: Running):
    _pay(running, ("a", 13), ("a", 3), ("a", 4))
    running.catch_up()
    Odd.amounts = set()
    assert not running.retry("Account", "a", one=True)
    assert _shown(running) == {"a": [13]}
    (waits,) = running.parked()
    assert (waits.position, waits.error, waits.waiting) == (2, "", 2)
    assert running.retry("Account")
    assert _shown(running) == {"a": [13, 3, 4]}


def test_what_is_discarded_is_passed_over_with_a_reason_also_when_the_view_begins_anew(running: Running):
    _pay(running, ("a", 1), ("a", 13), ("a", 3), ("b", 13))
    running.catch_up()
    assert running.discard("Account", "a", reason="a test payment", actor="eva")
    assert _shown(running) == {"a": [1, 3]}
    note = next(event for event in running.events() if event.type == "actum.view-discarded")
    assert (note.metadata.actor, note.metadata.reason) == ("eva", "a test payment")
    assert (note.event.position, note.event.key) == (2, "a")  # type: ignore[attr-defined]
    Odd.amounts = set()
    before = running.retry("Account", "b"), _shown(running)
    running.rebuild(running.app.view_type("Account"))
    assert (True, _shown(running)) == before == (True, {"a": [1, 3], "b": [13]})


def test_what_fails_once_too_often_is_tried_again_first(journal: str):
    with _app(park(attempts=3)).open(journal, actor="ada", follow=True) as running:
        _pay(running, ("a", 13), ("b", 2))
        running.wait_for(2, timeout=30)
        (one,) = running.parked()
        assert one.attempts == 3
        assert _shown(running) == {"b": [2]}


def test_what_is_passed_over_by_policy_is_on_record_and_the_key_goes_on(journal: str):
    with _app(skip("sums only", attempts=1)).open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 1), ("a", 13), ("a", 3))
        running.catch_up()
        assert _shown(running) == {"a": [1, 3]}
        assert running.parked() == ()
        note = next(event for event in running.events() if event.type == "actum.view-skipped")
        assert (note.event.position, note.event.reason) == (2, "sums only")  # type: ignore[attr-defined]


def test_a_view_that_shall_stop_stands_still_before_the_event(journal: str):
    with _app(stop()).open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 1), ("a", 13))
        with pytest.raises(Unavailable, match="Account cannot take"):
            running.catch_up()
        assert (_shown(running), running.parked(), _types(running)) == ({}, (), [])


def test_parked_events_are_read_in_the_words_of_today(journal: str):
    old = _app(park(attempts=1))
    with old.open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 13), ("a", 3))
        running.catch_up()
    new = App("shop")

    @new.view
    class Account(View, on_failure=park(attempts=1)):
        account: AccountId
        cents: int = 0

        def evolve(self, event: Payment) -> None:
            if event.cents == 1300 and Odd.amounts:
                raise ValueError("still odd")
            self.cents += event.cents

    new.upcast(
        "Paid",
        1,
        rename("amount", to="cents"),
        convert("cents", by=lambda text: int(Decimal(text) * 100)),
        into=("Payment", 1),
    )
    with new.open(journal, actor="ada", follow=False) as running:
        running.catch_up()
        (one,) = running.parked()
        assert (one.position, one.waiting) == (1, 2)
        Odd.amounts = set()
        assert running.retry("Account", "a")
        assert [row.cents for row in running.view(Account)] == [1600]


def test_a_key_is_taken_up_again_while_workers_go_on(journal: str):
    with _app(park(attempts=1)).open(journal, actor="ada", follow=False) as running:
        with running.work(2, lease=5):
            _pay(running, *[(f"k{number % 10}", 13 if number == 5 else number + 100) for number in range(200)])
            running.wait_for(200, timeout=60)
            assert [one.key for one in running.parked()] == ["k5"]
            Odd.amounts = set()
            for number in range(20):
                _pay(running, *[(f"k{key}", 1000 + number) for key in range(10)])
                if number == 10:
                    assert running.retry("Account")
            running.wait_for(running.head(), timeout=60)
        expected = {f"k{key}": [] for key in range(10)}  # type: ignore[var-annotated]
        for event in running.events():
            if isinstance(event.event, Paid):
                expected[event.event.account].append(int(event.event.amount))
        assert _shown(running) == expected
        assert _types(running) == ["actum.view-parked", "actum.view-resumed"]


@pytest.mark.parametrize("mended", [False, True])
def test_a_view_that_has_parked_keys_is_rebuilt_and_what_still_fails_is_parked_there(journal: str, *, mended: bool):
    """Workers hold the view meanwhile. Events that are parked in the one table are no matter of the other one."""
    app = _app(park(attempts=1))
    with app.open(journal, actor="ada", follow=False) as running:
        _pay(running, *[(f"k{number % 10}", 13 if number == 5 else number + 100) for number in range(100)])
        running.catch_up()
        assert [one.key for one in running.parked()] == ["k5"]
        if mended:
            Odd.amounts = set()
        view = app.view_type("Account")
        with running.work(2, lease=5):
            rebuild = running.rebuild(view)
            found = rebuild.diff()
            assert [(row.key, row.what) for row in found.rows] == ([(("k5",), "added")] if mended else [])
            rebuild.switch(found)
            _pay(running, ("k5", 7), ("k6", 8))
            running.wait_for(running.head(), timeout=60)
            assert [one.key for one in running.parked()] == ([] if mended else ["k5"])
            Odd.amounts = set()
            if not mended:
                assert running.retry("Account")
        shown = _shown(running)
    expected = {f"k{key}": [13 if n == 5 else n + 100 for n in range(key, 100, 10)] for key in range(10)}
    assert shown == expected | {"k5": [*expected["k5"], 7], "k6": [*expected["k6"], 8]}


def test_what_cannot_be_asked_for_is_said(running: Running):
    _pay(running, ("a", 13))
    running.catch_up()
    with pytest.raises(Unknown, match="no parked key of Account is called 'b'; known: a"):
        running.retry("Account", "b")
    with pytest.raises(Invalid, match="expected a reason"):
        running.discard("Account", "a", reason=" ")
    with pytest.raises(Misdeclared, match="expected a reason"):
        skip("")
    with pytest.raises(Misdeclared, match="expected 1 or more, found 0"):
        park(attempts=0)
    with pytest.raises(Misdeclared, match=r"pause: expected seconds above 0, not above longest, .* found 9 and 5\.0"):
        park(pause=9, longest=5.0)


def test_one_is_tried_again_after_the_pauses_that_its_policy_names(journal: str):
    with _app(park(attempts=2, pause=600, longest=600)).open(journal, actor="ada", follow=False) as running:
        _pay(running, ("a", 13))
        running.views.shelf.step()
        trouble = running.views.shelf.trouble
        assert trouble is not None
        assert 200 < running.views.shelf.rest(10_000) <= 600
        assert running.parked() == ()


class Refunded(Event):
    account: AccountId
    cents: int


@pytest.mark.parametrize("policy", [park(attempts=1), skip("bad luck", attempts=1)], ids=["park", "skip"])
def test_what_is_nothing_today_makes_no_row_also_where_something_else_fails(journal: str, policy: Policy):
    old, today = App("shop"), App("shop")

    @old.view
    class Counted(View):
        account: AccountId
        cents: int = 0

        def evolve(self, event: Payment) -> None:
            self.cents += event.cents

    @today.view
    class Refunds(View):
        account: AccountId
        cents: int = 0

        def evolve(self, event: Refunded) -> None:
            self.cents += event.cents

    @today.view
    class Total(View, on_failure=policy):
        account: AccountId
        total: Decimal = Decimal(0)

        def evolve(self, event: Paid) -> None:
            self.total += event.amount
            if event.amount in Odd.amounts:
                raise ValueError("bad luck")

    def parted(data: dict[str, Any]) -> list[tuple[str, int, dict[str, Any]]]:
        account, cents = data["account"], data["cents"]
        if cents < 0:
            return [("Refunded", 1, {"account": account, "cents": -cents})]
        return [("Paid", 1, {"account": account, "amount": str(cents)})]

    today.upcast("Payment", 1, split(parted, into=[("Paid", 1), ("Refunded", 1)]))
    with old.open(journal, actor="ada", follow=False) as running:
        running.append(*[Payment(account=account, cents=cents) for account, cents in (("a", 1), ("b", -2), ("a", 13))])
    with today.open(journal, actor="ada", follow=False) as running:
        running.catch_up()
        assert {row.account: row.total for row in running.view(Total)} == {"a": 1}
        assert running.rebuild_rows(Total, keys=["b"]).diff().candidate.rows == 0
        running.rebuild(Total).switch()
        assert {row.account: row.total for row in running.view(Total)} == {"a": 1}
