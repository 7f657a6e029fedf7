"""Who acts, for whom and why: said once around a piece of work, carried by every command given inside.

```python
with acting("teller-7", reason="phone order 4711"):
    bank.execute(Deposit(account="A-1", amount=Decimal("10.00")))
```
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Invalid
from actum.journal.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


class Acting(msgspec.Struct, frozen=True):
    """What a piece of work says of itself. Inside another one, what is not said is taken from the outer."""

    actor: str | None = None
    on_behalf_of: str | None = None
    tenant: str | None = None
    reason: str | None = None
    correlation: UUID | None = None
    causation: UUID | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    def within(self, outer: Acting) -> Acting:
        """The same, completed by what the outer one says."""
        return Acting(
            *(
                getattr(outer, name) if getattr(self, name) is None else getattr(self, name)
                for name in self.__struct_fields__
            )
        )

    def metadata(self, *, command_id: UUID | None, command_type: str | None, producer: str) -> Metadata:
        """The envelope of what is done. Raises `Invalid` where nobody is acting: traceability has no default."""
        if self.actor is None:
            raise Invalid(
                'nobody is acting: say who, with actor="…" in this call, `with acting("…"):` around it, '
                'or open(…, actor="…") for a program that acts by itself'
            )
        return Metadata(
            actor=self.actor,
            on_behalf_of=self.on_behalf_of,
            tenant=self.tenant,
            reason=self.reason,
            correlation=self.correlation,
            causation=self.causation,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            command_id=command_id,
            command_type=command_type,
            producer=producer,
        )


NOBODY = Acting()

_current: ContextVar[Acting] = ContextVar("actum.acting", default=NOBODY)


def current() -> Acting:
    """Who acts here."""
    return _current.get()


@contextmanager
def acting(
    actor: str | None = None,
    *,
    on_behalf_of: str | None = None,
    tenant: str | None = None,
    reason: str | None = None,
    correlation: UUID | None = None,
    causation: UUID | None = None,
    traceparent: str | None = None,
    tracestate: str | None = None,
) -> Iterator[Acting]:
    """Say who acts, for whom, why, and as part of which story, for all commands given inside the `with` block."""
    inner = Acting(actor, on_behalf_of, tenant, reason, correlation, causation, traceparent, tracestate)
    said = inner.within(_current.get())
    token = _current.set(said)
    try:
        yield said
    finally:
        _current.reset(token)
