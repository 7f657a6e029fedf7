"""A retail bank: accounts, money in and out, interest, fees, and overdrafts up to a limit."""

from decimal import Decimal

from msgspec.structs import asdict

from actum import App, Exists, Refused, State
from examples.ledger.messages import (
    AccountId,
    Book,
    ChargeFee,
    ChargeInterest,
    Deposit,
    Deposited,
    FeeCharged,
    InterestCharged,
    InterestPaid,
    Open,
    Opened,
    PayInterest,
    Receive,
    Received,
    Send,
    Sent,
    Withdraw,
    Withdrawn,
)

# The records show overdrafts of up to 5,446.60 and no rule for them. We take the next round sum as the limit of what
# customers may do; what the bank does itself, charging fees and interest, may go beyond.
OVERDRAFT = Decimal("6000.00")

Credit = Deposited | Received | InterestPaid
Debit = Withdrawn | Sent | InterestCharged | FeeCharged

bank = App("ledger", version="1")


class Account(State):
    id: AccountId
    open: bool = False
    balance: Decimal = Decimal("0.00")

    def evolve(self, event: Opened | Credit | Debit) -> None:
        match event:
            case Opened():
                self.open = True
            case Deposited() | Received() | InterestPaid():
                self.balance += event.amount
            case Withdrawn() | Sent() | InterestCharged() | FeeCharged():
                self.balance -= event.amount

    def check(self, command: Book) -> None:
        if not self.open:
            raise Refused("there is no such account", account=self.id)
        if command.amount <= 0:
            raise Refused("an amount is more than nothing", amount=command.amount)

    def check_funds(self, command: Book) -> None:
        self.check(command)
        if self.balance - command.amount < -OVERDRAFT:
            raise Refused("beyond the overdraft limit", balance=self.balance, limit=OVERDRAFT)


@bank.decides(unless=Exists(Opened, by="account", because="the account is open already"))
def open_account(command: Open) -> Opened:
    return Opened(**asdict(command))


@bank.decides
def deposit(command: Deposit, account: Account) -> Deposited:
    account.check(command)
    return Deposited(**asdict(command))


@bank.decides
def receive(command: Receive, account: Account) -> Received:
    account.check(command)
    return Received(**asdict(command))


@bank.decides
def pay_interest(command: PayInterest, account: Account) -> InterestPaid:
    account.check(command)
    return InterestPaid(**asdict(command))


@bank.decides
def withdraw(command: Withdraw, account: Account) -> Withdrawn:
    account.check_funds(command)
    return Withdrawn(**asdict(command))


@bank.decides
def send(command: Send, account: Account) -> Sent:
    account.check_funds(command)
    return Sent(**asdict(command))


@bank.decides
def charge_interest(command: ChargeInterest, account: Account) -> InterestCharged:
    account.check(command)
    return InterestCharged(**asdict(command))


@bank.decides
def charge_fee(command: ChargeFee, account: Account) -> FeeCharged:
    account.check(command)
    return FeeCharged(**asdict(command))
