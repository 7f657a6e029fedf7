"""The bank of the demonstration: its rules, its figures to the cent, and the mistake that the tour finds and mends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from actum import App, Refused, Running, System, Unavailable
from actum.journal.clock import SYSTEM_IDS
from actum.projection.changed import Rebuilds
from actum.service.site import Site
from actum.testing import check_purity, given
from demos.bank.accounts import (
    AccountOpened,
    Balance,
    CurrentAccountMoved,
    Deposit,
    Deposited,
    OverdraftAuthorised,
    Transfer,
    Transferred,
    Withdraw,
    Withdrawn,
    accounts,
)
from demos.bank.activity import Activity, at_the_counter, at_the_exchange, first_day
from demos.bank.assets import assets_of
from demos.bank.page import page
from demos.bank.people import CAMILLE, Wish, camille, customers
from demos.bank.placements import Buy, PaidIn, Plan, PlanOpened, PlanValued, Sell, SharesBought, ValuePlan, placements
from demos.bank.system import bank as bank_system
from demos.bank.tour import Tour

LEA = AccountOpened(account="CC-7", customer="C-7", name="Léa", language="fr")
BOB = AccountOpened(account="CC-8", customer="C-8", name="Bob", language="en")
OPEN = PlanOpened(plan="PEA-7", customer="C-7")


def euros(text: str) -> Decimal:
    return Decimal(text)


def paid(text: str) -> Deposited:
    return Deposited(account="CC-7", customer="C-7", amount=euros(text), label="")


def test_nobody_spends_more_than_they_have_and_may_owe():
    given(accounts, LEA, paid("10.00")).when(Withdraw(account="CC-7", amount=euros("10.01"))).then_refused(
        "insufficient funds", balance=euros("10.00"), overdraft=euros("0.00"), wanted=euros("10.01")
    )
    given(accounts, LEA, paid("10.00"), OverdraftAuthorised(account="CC-7", limit=euros("5"))).when(
        Withdraw(account="CC-7", amount=euros("15.00"), label="café")
    ).then(Withdrawn(account="CC-7", customer="C-7", amount=euros("15.00"), label="café"))


def test_a_transfer_moves_money_between_two_accounts_that_are_open():
    given(accounts, LEA, BOB, paid("10.00")).when(Transfer(source="CC-7", target="CC-8", amount=euros("2.50"))).then(
        Transferred(
            source="CC-7",
            source_customer="C-7",
            target="CC-8",
            target_customer="C-8",
            amount=euros("2.50"),
            label="",
        )
    )
    given(accounts, LEA, paid("10.00")).when(Transfer(source="CC-7", target="CC-9", amount=euros("1"))).then_refused(
        "there is no such account", account="CC-9"
    )


def test_an_amount_is_in_whole_cents():
    given(accounts, LEA).when(Deposit(account="CC-7", amount=euros("0.001"))).then_refused(
        "an amount is more than nothing, in whole cents", amount=euros("0.001")
    )


def test_shares_are_bought_with_cash_and_sold_where_they_are_held():
    cash = PaidIn(plan="PEA-7", customer="C-7", amount=euros("100.00"))
    order = Buy(plan="PEA-7", share="AERO", quantity=2, price=euros("40.00"))
    bought = SharesBought(
        plan="PEA-7", customer="C-7", share="AERO", quantity=2, price=euros("40.00"), fee=euros("1.99")
    )
    given(placements, OPEN, cash).when(order).then(bought)
    given(placements, OPEN, cash, bought).when(order).then_refused(
        "not enough cash in the plan", cash=euros("18.01"), cost=euros("81.99")
    )
    given(placements, OPEN, cash, bought).when(
        Sell(plan="PEA-7", share="AERO", quantity=3, price=euros("41.00"))
    ).then_refused("fewer shares in the plan", held=2, wanted=3)
    given(placements, OPEN, cash, bought).when(ValuePlan(plan="PEA-7", prices={"AERO": euros("41.00")})).then(
        PlanValued(
            plan="PEA-7",
            customer="C-7",
            prices={"AERO": euros("41.00")},
            value=euros("100.01"),
            change=euros("2.00"),
        )
    )


def test_what_a_transfer_tells_others_is_two_movements():
    told = accounts.publications[Transferred].of(
        Transferred(
            source="CC-7", source_customer="C-7", target="CC-8", target_customer="C-8", amount=euros("2.50"), label="x"
        )
    )
    assert told == (
        CurrentAccountMoved(customer="C-7", amount=euros("-2.50"), label="x"),
        CurrentAccountMoved(customer="C-8", amount=euros("2.50"), label="x"),
    )


@pytest.mark.parametrize("app", [accounts, placements, assets_of(1), assets_of(2)], ids=lambda app: app.producer)
def test_every_rule_and_fold_is_pure(app: Any):
    check_purity(app)


class Bank:
    """The three contexts in one process."""

    def __init__(self, stack: ExitStack) -> None:
        self.accounts = stack.enter_context(accounts.open("memory:", actor="bank", follow=False))
        self.placements = stack.enter_context(placements.open("memory:", actor="bank", follow=False))
        self.assets = stack.enter_context(assets_of(1).open("memory:", actor="assets", follow=False))
        self.listening = self.assets.listen({"accounts": self.accounts, "placements": self.placements})

    def do(self, wishes: Iterator[Wish]) -> int:
        """Have it all done and heard; how much was refused."""
        refused = 0
        for wish in wishes:
            running: Running = getattr(self, wish.context)
            try:
                running.execute(wish.command, actor=wish.actor, reason=wish.reason)
            except Refused:
                refused += 1
        self.listening.catch_up()
        self.assets.catch_up()
        return refused

    def figures(self, customer: str) -> tuple[str, str, str]:
        row: Any = self.assets.view(self.assets.app.view_type("Assets")).get(customer)
        return str(row.current_account), str(row.pea), str(row.total)


@pytest.fixture
def bank() -> Iterator[Bank]:
    with ExitStack() as stack:
        yield Bank(stack)


def test_the_page_of_the_opening_slide_shows_its_figures_and_they_are_made_of_events(bank: Bank):
    assert bank.do(camille()) == 0
    assert bank.figures(CAMILLE.customer) == ("-51567.98", "6909.91", "-58477.89")
    assert bank.assets.head() > 15
    bank.accounts.catch_up()
    balance = bank.accounts.view(Balance).get(CAMILLE.account)
    assert balance == Balance(
        account="CC-0001",
        customer="C-0001",
        name="Camille Verdier",
        balance=euros("-51567.98"),
        overdraft=euros("60000.00"),
    )
    plan = bank.placements.state(Plan, CAMILLE.plan)
    assert (plan.value, plan.worth({})) == (euros("6909.91"), euros("6909.91"))


def test_the_mended_release_is_built_beside_compared_switched_to_and_gone_back_from(bank: Bank):
    bank.do(camille())
    first = bank.assets.app.view_type("Assets")
    mended = assets_of(2)
    view = mended.view_type("Assets")
    with _beside(bank.assets, mended) as running:
        rebuild = running.rebuild(view)
        difference = rebuild.diff(old=first)
        (row,) = difference.rows
        assert [(cell.column, str(cell.live), str(cell.candidate)) for cell in row.cells] == [
            ("total", "-58477.89", "-44658.07")
        ]
        rebuild.switch(difference, reason="the plan is added, not subtracted")
        assert str(running.view(view).get(CAMILLE.customer).total) == "-44658.07"
        assert bank.figures(CAMILLE.customer)[2] == "-58477.89", "the older program keeps its own rows, side by side"
        running.rollback(view, reason="to see whether one can")
        assert str(running.view(view).get(CAMILLE.customer).total) == "-58477.89"


def _beside(live: Running, mended: App) -> Running:
    """The mended application on the same journal and the same tables."""
    return Running(
        mended,
        live.store,
        ids=SYSTEM_IDS,
        actor="adviser-3",
        states_kept=100,
        database=live.views.database,
        follow=False,
        rebuilds=Rebuilds.BY_HAND,
    )


def test_a_day_of_generated_activity_adds_up_in_both_contexts(bank: Bank):
    chance = Random(7)
    people = customers(8, chance=chance)
    bank.do(first_day(people, chance=chance))
    refused = bank.do(islice(at_the_counter(people, chance=chance), 150))
    refused += bank.do(islice(at_the_exchange(people, chance=chance), 150))
    assert refused > 3
    bank.accounts.catch_up()
    for one in people:
        current, pea, total = bank.figures(one.customer)
        balance = bank.accounts.view(Balance).get(one.account)
        assert balance is not None
        assert (balance.name, str(balance.balance)) == (one.name, current)
        assert str(bank.placements.state(Plan, one.plan).value) == pea
        assert euros(total) == euros(current) - euros(pea)


@pytest.fixture(params=["sqlite", "postgres"])
def tour(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tour]:
    """The guided tour's buttons over a bank in this process, with Camille's year in it."""
    store = request.getfixturevalue("postgres") if request.param == "postgres" else None
    places = System("bank", accounts, placements, assets_of(1)).places(tmp_path, store=store)
    with ExitStack() as stack:
        there = {
            app.name: stack.enter_context(
                app.open(places[app.name].journal, read_database=places[app.name].read_database, actor="bank")
            )
            for app in (accounts, placements, assets_of(1))
        }
        for wish in camille():
            there[wish.context].execute(wish.command, actor=wish.actor, reason=wish.reason)
        there["assets"].listen({"accounts": there["accounts"], "placements": there["placements"]}).catch_up()
        there["assets"].wait_for(there["assets"].head())
        yield Tour(Site(bank_system, "http://127.0.0.1:1", places, tmp_path))


def test_the_buttons_of_the_tour_do_what_they_say_on_either_store(tour: Tour):
    tour.build()
    assert tour.done.built
    tour.compare()
    compared = tour.done.compared
    assert compared is not None
    assert (compared.rows, compared.changed, compared.columns) == (1, 1, ("total",))
    (row,) = compared.apart
    assert (str(row.shown), str(row.then)) == ("-58477.89", "-44658.07")
    assert row.since is not None
    tour.switch()
    assert (tour.release, tour.done.switched) == (2, tour.standings()[2].head)
    tour.go_back()
    assert (tour.release, tour.done.went_back) == (1, tour.standings()[2].head)
    tour.delete()
    restored = tour.done.restored
    assert restored is not None
    assert restored.equal
    assert restored.deleted
    tour.switch()
    assert tour.release == 2
    assert [one.context for one in tour.standings()] == ["accounts", "placements", "assets"]


def test_where_the_bank_is_closed_people_wait_and_ask_again_the_same():
    asked: list[tuple[str, UUID]] = []
    done = threading.Event()

    def give(wish: Wish, id: UUID) -> None:
        asked.append((wish.command.__kind__.type, id))
        if len(asked) < 3:
            raise Unavailable("closed")
        if len(asked) == 4:
            raise Refused("no")
        if len(asked) == 5:
            done.set()

    people = customers(3, chance=Random(1))
    activity = Activity(give, at_the_counter(people, chance=Random(2)), rate=50)
    activity.start()
    assert done.wait(30)
    activity.stop()
    assert len({id for _, id in asked[:3]}) == 1
    assert len({id for _, id in asked[:5]}) == 3
    assert (activity.waiting, activity.refused) == (2, 1)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[TestClient]:
    """The page where no gateway answers."""
    site = Site(bank_system, "http://127.0.0.1:1", bank_system.places(tmp_path), tmp_path)
    with TestClient(page(site), base_url="http://localhost", follow_redirects=False) as client:
        yield client


def test_the_page_is_there_although_nothing_answers_it(closed: TestClient):
    shown = closed.get("/")
    assert shown.status_code == 200
    assert "Ce service est arrêté" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "'unsafe" not in shown.headers["content-security-policy"]
    for step in (5, 6, 7):
        assert "actum up demos.bank:bank" in closed.get(f"/?step={step}").text
    assert "This service is off" in closed.get("/customers?language=en").text
    paid = closed.post("/customers/C-0001/pay?step=1", data={"way": "in", "amount": "10,00"})
    assert paid.headers["location"].startswith("/?step=1&said=Ce+service+est")


def test_a_form_of_another_site_is_turned_down_and_nobody_is_led_elsewhere(closed: TestClient):
    foreign = {"origin": "https://elsewhere.example"}
    assert closed.post("/tour/delete", headers=foreign).status_code == 403
    assert closed.post("/tour/delete", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert closed.get("/choose?language=en&back=//elsewhere.example").headers["location"] == "/"
