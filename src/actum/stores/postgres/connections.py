"""Connections to lend: opened in the thread that needs one, so that whoever asks hears what is wrong, and kept for the next.

Every connection commits by itself unless a transaction says otherwise, and nothing is left on one between two of them:
a pooler in transaction mode may stand in between.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from actum.journal.errors import Busy, Unavailable
from actum.stores.postgres.trouble import is_lost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from actum.stores.postgres.address import Address

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

MOST = 8
"""How many connections are open at a time."""

PREPARED_AFTER = 2
"""After how many uses a statement is prepared on its connection."""

_UNLESS_SAID = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


def connect(address: Address, *, name: str) -> Connection:
    """A new connection, in UTF-8, known to the server by `name`. What the address says of timeouts goes first."""
    said = conninfo_to_dict(address.conninfo)
    own = {key: value for key, value in _UNLESS_SAID.items() if key not in said}
    own |= {"client_encoding": "UTF8"} | ({} if "application_name" in said else {"application_name": name})
    return psycopg.connect(
        make_conninfo(address.conninfo, **own),
        autocommit=True,
        prepare_threshold=None if address.pooled else PREPARED_AFTER,
    )


class Connections:
    """A stock of at most `most` connections, shared between threads. `timeout` seconds without one are `Busy`."""

    def __init__(self, address: Address, *, name: str, timeout: float, most: int = MOST) -> None:
        self._address = address
        self._name = name
        self._timeout = timeout
        self._turns = threading.Semaphore(most)
        self._idle: list[Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def lent(self) -> Iterator[Connection]:
        """One connection, to be used by one thread. Raises the driver's own errors."""
        if not self._turns.acquire(timeout=self._timeout):
            raise Busy(f"{self._address}: every connection was in use for {self._timeout:g} s; try again")
        try:
            connection = self._one()
            try:
                yield connection
            except psycopg.Error as wrong:
                if is_lost(wrong):
                    self.forget()  # the others went the same way
                raise
            finally:
                self._take_back(connection)
        finally:
            self._turns.release()

    def _one(self) -> Connection:
        if self._closed:
            raise Unavailable(f"the read database {self._address} is closed; open it again")
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        return connect(self._address, name=self._name)

    def _take_back(self, connection: Connection) -> None:
        idle = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if idle and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()

    def forget(self) -> None:
        """Close the connections that nobody uses."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()

    def close(self) -> None:
        """Lend no more; connections in use are closed when they come back."""
        self._closed = True
        self.forget()
