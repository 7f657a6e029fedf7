"""What the bank looks at: every account's balance, and who is in the red."""

from decimal import Decimal

from actum import Page, Query, Table, View
from examples.ledger.domain import Credit, Debit, bank
from examples.ledger.messages import AccountId, Deposited, InterestPaid, Opened, Received


@bank.view
class Balance(View, table="balances"):
    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal("0.00")
    entries: int = 0

    def evolve(self, event: Opened | Credit | Debit) -> None:
        if isinstance(event, Opened):
            self.owner = event.owner
            return
        self.entries += 1
        self.balance += event.amount if isinstance(event, Deposited | Received | InterestPaid) else -event.amount


class Overdrawn(Query):
    by_more_than: Decimal = Decimal(0)


@bank.answers
def overdrawn(query: Overdrawn, balances: Table[Balance]) -> Page[Balance]:
    return balances.where("balance", "<", -query.by_more_than).order("balance").page()
