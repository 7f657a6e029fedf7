"""Connections to the server: made alike, lent to one piece of work at a time, made anew where the server went away.

Every connection commits by itself unless a transaction says otherwise, and nothing is left on one between two of them:
a pooler in transaction mode may stand in between.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

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

PREPARED_AFTER = 2
"""After how many uses a statement is prepared on its connection."""

_DEFAULTS = {
    "client_encoding": "UTF8",
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


def connect(address: Address, *, name: str = "actum", timeout: float = 10.0) -> Connection:
    """A new connection, in UTF-8, known to the server by `name`. What the address says of all this goes first."""
    given = conninfo_to_dict(address.conninfo)
    options = _DEFAULTS | {"connect_timeout": str(max(2, int(timeout))), "fallback_application_name": name}
    return psycopg.connect(
        make_conninfo(address.conninfo, **{each: value for each, value in options.items() if each not in given}),
        autocommit=True,
        prepare_threshold=None if address.pooled else PREPARED_AFTER,
    )


def connect_to_journal(address: Address, *, timeout: float = 10.0) -> Connection:
    """A connection for the journal's own statements: numbered parameters, and the isolation `read committed`."""
    connection = connect(address, timeout=timeout)
    connection.cursor_factory = psycopg.RawCursor
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


AT_ONCE = Patience(0)
"""No patience at all."""


class Connections:
    """A stock of at most `MOST` connections, each lent to one thread at a time; opened by `opening` when it is needed, so
    that whoever asks hears what is wrong.

    Who works with one and needs another for that, as a projection that looks into a view, gets it beyond that number: else it
    would wait for those who wait for it. One that the server has dropped is replaced, for up to `timeout` seconds; so long is
    waited for one that is free, too.
    """

    def __init__(self, address: Address, *, timeout: float, opening: Callable[[], Connection] | None = None) -> None:
        self.address = address
        self.timeout = timeout
        self._opening = opening or partial(connect_to_journal, address, timeout=timeout)
        self._changed = threading.Condition()
        self._idle: list[Connection] = []
        self._lent = 0
        self._here = threading.local()
        self._closed = False

    def reopen(self, patience: Patience) -> Connection:
        """One to keep, in the place of another that broke: tries again while the server may be coming back."""
        while True:
            try:
                return self._opening()
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
    def lend(self, patience: Patience = AT_ONCE) -> Generator[Connection, None, None]:
        """One to work with until the `with` block ends. Raises the driver's own errors."""
        connection = self._take()
        self._here.lent = self._lent_here + 1
        try:
            connection = connection or self.reopen(patience)
            yield connection
        except psycopg.Error as wrong:
            if is_lost(wrong):
                self._forget()  # the others went the same way
            raise
        finally:
            self._here.lent -= 1
            self._give_back(connection)

    @property
    def _lent_here(self) -> int:
        """How many this thread has."""
        found: int = getattr(self._here, "lent", 0)
        return found

    def _take(self) -> Connection | None:
        """One that is idle; None where one more may be made, which then counts as lent."""
        with self._changed:
            most = MOST if self._lent_here == 0 else math.inf
            free = self._changed.wait_for(lambda: self._closed or self._lent < most, self.timeout)
            if self._closed:
                raise closed(self.address)
            if not free:
                raise Busy(f"{self.address}: {MOST} other threads of this process are at work there; try again")
            self._lent += 1
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection | None) -> None:
        with self._changed:
            self._lent -= 1
            if connection is not None and not connection.closed:
                if self._closed or connection.info.transaction_status is not TransactionStatus.IDLE:
                    connection.close()
                else:
                    self._idle.append(connection)
            self._changed.notify()

    def _forget(self) -> None:
        """Close the connections that nobody uses."""
        with self._changed:
            for connection in self._idle:
                with suppress(psycopg.Error):
                    connection.close()
            self._idle.clear()

    def close(self) -> None:
        """Give all back: those at work when their work is done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._forget()
