"""Every error of actum: one root, split by what the caller does next.

```
ActumError
├── Refused            the rules said no: tell the person who asked (a business answer, not a failure)
├── Conflict           something that matters happened since the decision looked: decide again
├── Busy               another process holds the journal, or a wait ran out: try again later
├── OutcomeUnknown     nobody can say yet whether it was written: ask again with the same command id
├── Invalid            mend the call: a value is not what the door expects
│   ├── Unknown        … a name that nothing here carries
│   └── Reused         … an id that already stands for something else
├── Denied             who asks may not, or has not said who they are: come with other credentials
├── Misdeclared        mend the program: the declarations do not fit together (found at start-up)
└── Unavailable        mend the system: the journal cannot serve
    ├── StorageFull    … the disk is full; nothing of the call was written
    ├── ReadOnly       … the file or its folder cannot be written
    ├── Corrupted      … stored bytes are not what was stored
    ├── NotAJournal    … the file is something else
    └── NewerSchema    … the file was written by a newer actum
```

A text says what was expected, what was found, and what to do; the facts are attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ActumError(Exception):
    """The root of everything actum raises on purpose."""


class Refused(ActumError):
    """The rules said no. `reason` is for the person who asked; `facts` are the values the rules looked at.

    Raise it from a `decide` function: `raise Refused("insufficient funds", balance=account.balance)`. The refusal is
    recorded in the journal with who asked, what and why; `position` says where, once it is recorded. `repeated` says that
    the command had been refused before, and that this is the first answer again.
    """

    def __init__(self, reason: str, /, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts: Mapping[str, object] = facts
        self.position = 0
        self.repeated = False

    def __str__(self) -> str:
        if not self.facts:
            return self.reason
        return f"{self.reason} ({', '.join(f'{name}={value}' for name, value in self.facts.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _refused, (self.reason, dict(self.facts), self.position, self.repeated)


def _refused(reason: str, facts: dict[str, object], position: int, repeated: bool) -> Refused:  # noqa: FBT001 - to pickle
    refused = Refused(reason, **facts)
    refused.position = position
    refused.repeated = repeated
    return refused


class Conflict(ActumError):
    """An event that the decision did not see matches its condition; nothing was written.

    `position`, `type` and `tags` name the colliding event, `after` the last position the decision had seen.
    """

    def __init__(self, *, position: int, type: str, tags: tuple[str, ...], after: int) -> None:
        super().__init__(
            f"expected no matching event after position {after}, found {type} at position {position} "
            f"tagged {', '.join(tags) or 'with nothing'}; read again and decide again"
        )
        self.position = position
        self.type = type
        self.tags = tags
        self.after = after


class Busy(ActumError):
    """Somebody else holds what is needed, or a wait ran out; nothing was written and nothing is wrong."""


class OutcomeUnknown(ActumError):
    """The connection to the journal broke in the middle of a commit and the outcome could not be found out.

    Repeat the call with the same command id: it is decided once, whichever way it went.
    """


class Invalid(ActumError):
    """A value that came through a door is not what the door expects; nothing was written.

    `where` is the place inside a message, as in `Order.lines[2].amount`, where there is one to name.
    """

    def __init__(self, text: str, /, *, where: str | None = None) -> None:
        super().__init__(text)
        self.where = where


class Unknown(Invalid):
    """A name that nothing here carries. `what` is what was looked for, `name` how it was called, `known` what there is."""

    def __init__(self, what: str, name: str, known: tuple[str, ...] = ()) -> None:
        there = f"known: {', '.join(known)}" if known else "none is declared"
        super().__init__(f"no {what} is called {name!r}; {there}")
        self.what = what
        self.name = name
        self.known = known


class Reused(Invalid):
    """A command id that already stands for another command; nothing was written."""


class Denied(ActumError):
    """Whoever asks may not, or has not shown who they are; nothing was done and nothing shown.

    `needed` is the permission that was missing; None where it is not known who asks.
    """

    def __init__(self, text: str, /, *, needed: str | None = None) -> None:
        super().__init__(text)
        self.needed = needed


class Misdeclared(ActumError):
    """The declarations of an application do not fit together. Found before anything runs."""


class Unavailable(ActumError):
    """The journal cannot serve: closed, unreachable, or its storage fails."""


class StorageFull(Unavailable):
    """The disk is full. Nothing of this call was written, everything acknowledged is safe."""


class ReadOnly(Unavailable):
    """The journal, or the folder it lies in, cannot be written."""


class Corrupted(Unavailable):
    """Stored bytes are not what was stored."""


class NotAJournal(Unavailable):
    """The file exists and is something else."""


class NewerSchema(Unavailable):
    """The file was written by a newer actum than this one."""
