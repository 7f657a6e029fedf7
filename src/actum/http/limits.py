"""How much one request may be, and how many at once: what comes in from outside is bounded before it is looked at."""

from __future__ import annotations

import msgspec

from actum.journal.errors import Invalid


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a door. Whatever is above one of them gets a problem that says so, and costs next to nothing."""

    body: int = 1024 * 1024
    """Bytes of a request's body."""
    headers: int = 16 * 1024
    """Bytes of a request's address and headers together."""
    parameters: int = 200
    """How many parameters an address has."""
    receive: float = 10.0
    """Seconds in which a body must have arrived."""
    wait: float = 30.0
    """The longest time, in seconds, that a request waits for views, or a command for its decision."""
    commands: int = 512
    """How many commands are decided at once; one more is told to come again."""
    reads: int = 64
    """How many queries, views, states and pages of events are read at once."""
    feeds: int = 1000
    """How many event feeds and live queries are open at once."""
    rows: int = 1000
    """How many rows or events a page has at the most."""
    replay: int = 1_000_000
    """How many events are folded at the most to show a view as of a moment."""
    heartbeat: float = 15.0
    """Seconds after which a silent feed says that it is alive."""
    live: float = 0.25
    """The shortest time, in seconds, between two answers to one live query."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
                raise Invalid(f"Limits.{name}: expected a number above 0, found {value!r}")
