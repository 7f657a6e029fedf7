"""The auditor: compares what actum says with what the bank stated after each transaction.

The bank keeps interest unrounded and prints amounts and balances rounded to 0.10. So a sum of printed amounts may be off by
0.05 for each interest line, and the printed balance by 0.05 itself: a difference is in order up to 0.05 for each interest
line since sum and statement last agreed, and 0.10 for the two roundings of the statements, then and now. It is never
mended: what was booked stays booked. Between two statements of one account the bank's own step may differ from the printed
amount by 0.10.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from examples.ledger.messages import ChargeInterest, PayInterest
from examples.ledger.records import Line

PRINTED = Decimal("0.10")


@dataclass
class _Book:
    """What the auditor remembers of one account."""

    stated: Decimal = Decimal(0)
    found: Decimal = Decimal(0)
    interest_lines: int = 0


@dataclass
class Auditor:
    """Given every line in the order of its account, once; `found` is the balance that actum has after it."""

    checked: int = 0
    mismatches: list[str] = field(default_factory=list[str])
    largest: Decimal = Decimal(0)
    _books: dict[str, _Book] = field(default_factory=lambda: defaultdict(_Book))

    def check(self, line: Line, found: Decimal) -> None:
        """Compare the balance after one line with the bank's statement."""
        if line.stated is None:
            return
        book = self._books[line.account]
        book.interest_lines += isinstance(line.command, PayInterest | ChargeInterest)
        drift = abs(found - line.stated)
        step = abs((line.stated - book.stated) - (found - book.found))
        allowed = PRINTED + PRINTED / 2 * book.interest_lines
        self.checked += 1
        self.largest = max(self.largest, drift)
        if drift > allowed or step > PRINTED:
            self.mismatches.append(f"{line.id}: account {line.account} has {found}, the bank stated {line.stated}")
        if drift == 0:
            book.interest_lines = 0
        book.stated, book.found = line.stated, found
