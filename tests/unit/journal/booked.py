"""An event with identities wherever there can be some, for tests of what messages are."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from actum.journal.event import Event, Tag

AccountId = Annotated[str, Tag("account")]
MaybeId = Annotated[str | None, Tag("account")]


class Line(msgspec.Struct, frozen=True):
    account: AccountId
    amount: Decimal


class Booked(Event):
    account: AccountId
    amount: Decimal
    lines: list[Line] = []
    maybe: MaybeId = None
    again: AccountId | None = None
    count: int = 0
