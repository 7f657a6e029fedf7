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
from uuid import UUID

import msgspec

from actum.journal.errors import Invalid
from actum.journal.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Generator


class Acting(msgspec.Struct, frozen=True, gc=False):
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
        if outer is NOBODY or self is NOBODY:
            return self if outer is NOBODY else outer
        return Acting(
            *(
                getattr(outer, name) if getattr(self, name) is None else getattr(self, name)
                for name in self.__struct_fields__
            )
        )

    def envelope(self, *, command_type: str | None, producer: str) -> Envelope:
        """How to write the metadata of what is done. Raises `Invalid` where nobody is acting: traceability has no default."""
        if self.actor is None:
            raise Invalid(
                'nobody is acting: say who, with actor="…" in this call, `with acting("…"):` around it, '
                'or open(…, actor="…") for a program that acts by itself'
            )
        return Envelope(
            Metadata(
                actor=self.actor,
                on_behalf_of=self.on_behalf_of,
                tenant=self.tenant,
                reason=self.reason,
                correlation=self.correlation,
                causation=self.causation,
                traceparent=self.traceparent,
                tracestate=self.tracestate,
                command_id=None if command_type is None else _PLACE,
                command_type=command_type,
                producer=producer,
            )
        )


class Envelope:
    """The metadata of one kind of command by one actor, encoded once: only the command's id differs from one to the next."""

    __slots__ = ("_after", "_before")

    def __init__(self, metadata: Metadata) -> None:
        before, _, after = metadata.encode().decode().partition(str(_PLACE))
        self._before = before
        self._after = after

    def of(self, command: bytes) -> bytes:
        """The metadata of one command by its id."""
        digits = command.hex()
        text = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        return f"{self._before}{text}{self._after}".encode()

    def without_command(self) -> bytes:
        """The metadata where no command asked."""
        return self._before.encode()


NOBODY = Acting()
"""Nothing said."""

_PLACE = UUID("3d1f9a52-7c44-4b0e-9d5e-acf1a2b3c4d5")
"""Stands where the command's id goes. Drawn at random once; a text that holds it would only move the id."""

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
) -> Generator[Acting, None, None]:
    """Say who acts, for whom, why, and as part of which story, for all commands given inside the `with` block."""
    inner = Acting(actor, on_behalf_of, tenant, reason, correlation, causation, traceparent, tracestate)
    said = inner.within(_current.get())
    token = _current.set(said)
    try:
        yield said
    finally:
        _current.reset(token)
