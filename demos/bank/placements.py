"""A share savings plan (in France: PEA): cash that is paid in, shares bought and sold with it, and what it is worth."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from msgspec import Meta, field

from actum import App, Command, Event, Exists, Page, Query, Refused, State, Table, Tag, View

PlanId = Annotated[str, Tag("plan")]
CustomerId = Annotated[str, Tag("customer")]
ShareId = Annotated[str, Tag("share")]

CENT = Decimal("0.01")
FEE = Decimal("1.99")
LARGEST = Decimal("150000.00")
"""What may be paid in altogether, by law."""

placements = App("placements", version="1")


class PlanOpened(Event):
    plan: PlanId
    customer: CustomerId


class PaidIn(Event):
    plan: PlanId
    customer: CustomerId
    amount: Decimal


class SharesBought(Event):
    plan: PlanId
    customer: CustomerId
    share: str
    quantity: int
    price: Decimal
    fee: Decimal


class SharesSold(Event):
    plan: PlanId
    customer: CustomerId
    share: str
    quantity: int
    price: Decimal
    fee: Decimal


class DividendPaid(Event):
    plan: PlanId
    customer: CustomerId
    share: str
    amount: Decimal


class PlanValued(Event):
    """At these prices, the plan is worth so much, of which `change` is new."""

    plan: PlanId
    customer: CustomerId
    prices: dict[str, Decimal]
    value: Decimal
    change: Decimal


class Plan(State):
    id: PlanId
    customer: str = ""
    cash: Decimal = Decimal("0.00")
    paid_in: Decimal = Decimal("0.00")
    shares: dict[str, int] = field(default_factory=dict[str, int])
    prices: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    value: Decimal = Decimal("0.00")
    """What others were told that it is worth."""

    @property
    def is_open(self) -> bool:
        return bool(self.customer)

    def worth(self, prices: dict[str, Decimal]) -> Decimal:
        """Cash and shares, at the newest prices that are known."""
        known = {**self.prices, **prices}
        return (self.cash + sum((known[share] * held for share, held in self.shares.items()), Decimal(0))).quantize(
            CENT, ROUND_HALF_EVEN
        )

    def evolve(self, event: PlanOpened | PaidIn | SharesBought | SharesSold | DividendPaid | PlanValued) -> None:
        match event:
            case PlanOpened(customer=customer):
                self.customer = customer
            case PaidIn(amount=amount):
                self.cash += amount
                self.value += amount
                self.paid_in += amount
            case SharesBought(share=share, quantity=quantity, price=price, fee=fee):
                self.cash -= quantity * price + fee
                self.value -= fee
                self._hold(share, quantity, price)
            case SharesSold(share=share, quantity=quantity, price=price, fee=fee):
                self.cash += quantity * price - fee
                self.value -= fee
                self._hold(share, -quantity, price)
            case DividendPaid(amount=amount):
                self.cash += amount
                self.value += amount
            case PlanValued(prices=prices, value=value):
                self.value = value
                self.prices = {**self.prices, **{one: prices[one] for one in prices if one in self.shares}}

    def _hold(self, share: str, quantity: int, price: Decimal) -> None:
        held = self.shares.get(share, 0) + quantity
        self.shares = {**self.shares, share: held}
        self.prices = {**self.prices, share: price}
        if not held:
            self.shares.pop(share)
            self.prices.pop(share)


class OpenPlan(Command):
    plan: PlanId
    customer: CustomerId


class PayIn(Command):
    plan: PlanId
    amount: Decimal


class Buy(Command):
    plan: PlanId
    share: str
    quantity: int
    price: Decimal


class Sell(Command):
    plan: PlanId
    share: str
    quantity: int
    price: Decimal


class PayDividend(Command):
    plan: PlanId
    share: str
    amount: Decimal


class ValuePlan(Command):
    """What the market says, once it has closed."""

    plan: PlanId
    prices: dict[str, Decimal]


def check_open(plan: Plan) -> None:
    if not plan.is_open:
        raise Refused("there is no such plan", plan=plan.id)


def check_amount(amount: Decimal) -> None:
    if amount <= 0 or amount != round(amount, 2):
        raise Refused("an amount is more than nothing, in whole cents", amount=amount)


def check_order(plan: Plan, quantity: int, price: Decimal) -> None:
    check_open(plan)
    check_amount(price)
    if quantity < 1:
        raise Refused("an order is for one share or more", quantity=quantity)


@placements.decides(unless=Exists(PlanOpened, by="customer", because="a person has one such plan, by law"))
def open_plan(command: OpenPlan, plan: Plan) -> PlanOpened:
    if plan.is_open:
        raise Refused("the plan is open already", plan=plan.id)
    return PlanOpened(plan=command.plan, customer=command.customer)


@placements.decides
def pay_in(command: PayIn, plan: Plan) -> PaidIn:
    check_open(plan)
    check_amount(command.amount)
    if plan.paid_in + command.amount > LARGEST:
        raise Refused("more than may be paid in", paid_in=plan.paid_in, largest=LARGEST)
    return PaidIn(plan=plan.id, customer=plan.customer, amount=command.amount)


@placements.decides
def buy(command: Buy, plan: Plan) -> SharesBought:
    check_order(plan, command.quantity, command.price)
    cost = command.quantity * command.price + FEE
    if plan.cash < cost:
        raise Refused("not enough cash in the plan", cash=plan.cash, cost=cost)
    return SharesBought(
        plan=plan.id,
        customer=plan.customer,
        share=command.share,
        quantity=command.quantity,
        price=command.price,
        fee=FEE,
    )


@placements.decides
def sell(command: Sell, plan: Plan) -> SharesSold:
    check_order(plan, command.quantity, command.price)
    held = plan.shares.get(command.share, 0)
    if held < command.quantity:
        raise Refused("fewer shares in the plan", held=held, wanted=command.quantity)
    return SharesSold(
        plan=plan.id,
        customer=plan.customer,
        share=command.share,
        quantity=command.quantity,
        price=command.price,
        fee=FEE,
    )


@placements.decides
def pay_dividend(command: PayDividend, plan: Plan) -> DividendPaid:
    check_open(plan)
    check_amount(command.amount)
    if command.share not in plan.shares:
        raise Refused("no such share in the plan", share=command.share)
    return DividendPaid(plan=plan.id, customer=plan.customer, share=command.share, amount=command.amount)


@placements.decides
def value_plan(command: ValuePlan, plan: Plan) -> PlanValued | None:
    check_open(plan)
    held = {share: command.prices[share] for share in sorted(plan.shares) if share in command.prices}
    value = plan.worth(held)
    change = value - plan.value
    if not change:
        return None
    return PlanValued(plan=plan.id, customer=plan.customer, prices=held, value=value, change=change)


@placements.view
class Savings(View, table="savings"):
    plan: PlanId
    customer: Annotated[str, Meta(title="customer", extra={"fr": "client"})] = ""
    cash: Annotated[Decimal, Meta(title="cash", extra={"fr": "espèces"})] = Decimal("0.00")
    shares: Annotated[int, Meta(title="shares", extra={"fr": "titres"})] = 0

    def evolve(self, event: PlanOpened | PaidIn | SharesBought | SharesSold | DividendPaid) -> None:
        match event:
            case PlanOpened(customer=customer):
                self.customer = customer
            case PaidIn(amount=amount) | DividendPaid(amount=amount):
                self.cash += amount
            case SharesBought(quantity=quantity, price=price, fee=fee):
                self.cash -= quantity * price + fee
                self.shares += quantity
            case SharesSold(quantity=quantity, price=price, fee=fee):
                self.cash += quantity * price - fee
                self.shares -= quantity


class Plans(Query[Page[Savings]]):
    """The plans with the most cash."""

    count: int = 20


@placements.answers
def richest(query: Plans, savings: Table[Savings]) -> Page[Savings]:
    return savings.order("cash", descending=True).page(limit=query.count)


# What others are told.


class PeaMoved(Event, version=1):
    """The plan is worth so much more, or so much less: paid in, a dividend, a fee, or the market."""

    customer: CustomerId
    amount: Decimal
    label: str


@placements.publishes
def more_cash(event: PaidIn) -> PeaMoved:
    return PeaMoved(customer=event.customer, amount=event.amount, label="paid in · versement")


@placements.publishes
def a_dividend(event: DividendPaid) -> PeaMoved:
    return PeaMoved(
        customer=event.customer, amount=event.amount, label=f"dividend {event.share} · dividende {event.share}"
    )


@placements.publishes
def an_order(event: SharesBought | SharesSold) -> PeaMoved:
    """Cash becomes shares, or shares cash: only the fee is gone. What the price differs by is seen when it is valued."""
    return PeaMoved(customer=event.customer, amount=-event.fee, label=f"fee {event.share} · frais {event.share}")


@placements.publishes
def the_market(event: PlanValued) -> PeaMoved:
    return PeaMoved(customer=event.customer, amount=event.change, label="the market · le marché")
