"""Connections to the server: made alike, lent to one piece of work at a time, made anew where the server went away."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from actum.journal.errors import Busy, Unavailable
from actum.stores.postgres import arrays
from actum.stores.postgres.trouble import is_lost, translation, will_pass
from actum.stores.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from actum.stores.postgres.address import Address

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
Result = TypeVar("Result")

MOST = 8
"""How many connections of one process read at the same time, at the most. One that writes and one for news come on top."""

SESSION = {name: text.encode() for name, text in statements("postgres/session.sql").items()}
"""The named statements about the server, the session and the schema."""

_DEFAULTS = {
    "client_encoding": "UTF8",
    "fallback_application_name": "actum",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""Where the URL does not say otherwise: a server that is gone is noticed within a minute, not within hours."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5


def closed(address: Address) -> Unavailable:
    """What is said of a journal that was closed."""
    return Unavailable(f"{address} is closed; open it again")


def connect(address: Address, *, timeout: float) -> Connection:
    """A connection as all of them are: in autocommit, each statement in the isolation `read committed`."""
    given = conninfo_to_dict(address.conninfo)
    options = {"connect_timeout": str(max(2, int(timeout))), **_DEFAULTS}
    connection = psycopg.connect(
        make_conninfo(address.conninfo, **{name: value for name, value in options.items() if name not in given}),
        autocommit=True,
        prepare_threshold=None if address.pooled else 5,
        cursor_factory=psycopg.RawCursor,
    )
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    arrays.register(connection.adapters)
    if not address.pooled:
        connection.execute(SESSION["begin_session"])
    return connection


class Patience:
    """How long to go on trying to reach a server that went away, in ever longer pauses."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE

    def wait(self) -> bool:
        """Pause; False, at once, where the time is over."""
        if time.monotonic() >= self._deadline:
            return False
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True


class Connections:
    """What reads, in any thread. A connection that the server has dropped is replaced, for up to `timeout` seconds."""

    def __init__(self, address: Address, *, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self._changed = threading.Condition()
        self._idle: list[Connection] = []
        self._lent = 0
        self._closed = False

    def reopen(self, patience: Patience) -> Connection:
        """One to keep, in the place of another that broke: tries again while the server may be coming back."""
        while True:
            try:
                return connect(self.address, timeout=self.timeout)
            except psycopg.Error as wrong:
                if not will_pass(wrong) or not patience.wait():
                    raise translation(wrong, self.address) from wrong

    def ask(self, work: Callable[[Connection], Result], *, patient: bool = True) -> Result:
        """What `work` finds out; it can be done twice, and is, from the beginning, where its connection breaks."""
        patience = Patience(self.timeout if patient else 0)
        while True:
            try:
                with self.lend(patience) as connection:
                    return work(connection)
            except psycopg.Error as wrong:
                if not is_lost(wrong) or not patience.wait():
                    raise translation(wrong, self.address) from wrong

    @contextmanager
    def lend(self, patience: Patience) -> Generator[Connection, None, None]:
        """One to work with until the `with` block ends. Raises the driver's own errors."""
        connection = self._take()
        try:
            connection = connection or self.reopen(patience)
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> Connection | None:
        """One that is idle; None where one more may be made, which then counts as lent."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._idle or self._lent < MOST, self.timeout)
            if self._closed:
                raise closed(self.address)
            if not free:
                raise Busy(f"{self.address}: {MOST} other threads of this process are reading; try again")
            self._lent += 1
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection | None) -> None:
        with self._changed:
            self._lent -= 1
            if connection is not None and not connection.closed:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)
            self._changed.notify()

    def close(self) -> None:
        """Give all back: those at work when their work is done."""
        with self._changed:
            self._closed = True
            for connection in self._idle:
                with suppress(psycopg.Error):
                    connection.close()
            self._idle.clear()
            self._changed.notify_all()
