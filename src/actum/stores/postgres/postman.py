"""News from process to process: one thread with a connection of its own tells the head and listens for it.

Told after the commit, never inside it, where it would make the commits of a whole server wait for one another; and told
once for everything that was written meanwhile. Where a connection cannot listen, behind a pooler or on a standby, and
where news get lost, the head is looked at: often while there is news, ever less often while there is none.
"""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from actum.stores.postgres.connecting import SESSION, connect_to_journal
from actum.stores.postgres.schema import queries

if TYPE_CHECKING:
    from actum.journal.bell import Bell
    from actum.journal.event import Position
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection

SHORTEST_LOOK, LONGEST_LOOK = 0.02, 1.0
"""Seconds between two looks at the head, for who is not told of news."""

APART = 0.002
"""Seconds between two announcements at the least: what is written meanwhile is one piece of news."""


UNHURRIED = 0.05
"""Seconds before the first announcement: a program that is over sooner needs no connection for it."""


class Postman:
    """Announces what this process writes, and rings its bell for what others do. Starts with the first need for it."""

    def __init__(self, address: Address, bell: Bell, *, timeout: float) -> None:
        self._address = address
        self._bell = bell
        self._timeout = timeout
        self._sql = queries(address.schema)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._to_tell: Position = 0
        self._told: Position = 0
        self._listens = False
        self._stopping = False
        self._look_after = SHORTEST_LOOK
        self._hears = False
        self._wakes, self._wake = socket.socketpair()
        self._wakes.setblocking(False)
        self._wake.setblocking(False)

    def announce(self, head: Position) -> None:
        """Let other processes know that the journal has grown to there. Never waits, never fails."""
        with self._lock:  # Of two threads that come at once, the one that has seen more may be the first.
            self._to_tell = max(self._to_tell, head)
        self._rouse()

    def listen(self) -> None:
        """From now on, ring the bell."""
        self._listens = True
        self._rouse()

    def _rouse(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._stopping:
                    self._thread = threading.Thread(target=self._run, name="actum-postman", daemon=True)
                    self._thread.start()
        with suppress(OSError):  # Full, it wakes as well as fuller; closed, there is nobody to wake.
            self._wake.send(b"\0")

    def _run(self) -> None:
        begun = time.monotonic()
        while not (self._listens or self._stopping) and (left := begun + UNHURRIED - time.monotonic()) > 0:
            self._wait(None, left)
        while not self._stopping:
            try:
                self._round()
            except Exception:  # noqa: BLE001 - nobody else would ever bring the news
                # Nobody is to be told of it: whoever reads or writes hears of the server's troubles there.
                self._hang_up()
                self._wait(None, self._look_after)
                self._look_after = min(self._look_after * 2, LONGEST_LOOK)
        self._hang_up()

    def _round(self) -> None:
        connection = self._connected()
        self._tell()
        if self._listens and not self._hears:
            self._begin_to_hear(connection)
        heard = self._wait(connection, self._look_after if self._listens else None)
        if self._listens and not heard:
            self._look(connection)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._hears = False
            self._connection = connect_to_journal(self._address, timeout=self._timeout)
            self._connection.add_notify_handler(lambda news: self._hear(news.payload))
        return self._connection

    def _begin_to_hear(self, connection: Connection) -> None:
        """First listen, then look: what comes between the two is heard."""
        standby = connection.execute(SESSION["standby"]).fetchone()
        if not self._address.pooled and standby is not None and not standby[0]:
            connection.execute(self._sql["listen"])
        self._hears = True
        self._look(connection)

    def _tell(self) -> None:
        head = self._to_tell
        if head > self._told:
            self._connected().execute(self._sql["notify"], (str(head),), prepare=True)
            self._told = head
            time.sleep(APART)

    def _hear(self, said: str) -> None:
        self._look_after = LONGEST_LOOK  # Whoever is told need not look.
        if said.isdigit():
            self._bell.ring(int(said))

    def _look(self, connection: Connection) -> None:
        """See for oneself. News that nobody told of mean that nobody will: look more often."""
        row = connection.cursor(binary=True).execute(self._sql["head"], prepare=True).fetchone()
        head = int(row[0]) if row else 0
        if head > self._bell.position:
            self._look_after = SHORTEST_LOOK
            self._bell.ring(head)
        else:
            self._look_after = min(self._look_after * 2, LONGEST_LOOK)

    def _wait(self, connection: Connection | None, seconds: float | None) -> bool:
        """Until something is to be told or is heard; whether anything was."""
        ears = select.poll()  # `select.select` takes no descriptor above 1023.
        ears.register(self._wakes, select.POLLIN)
        if connection is not None:
            ears.register(connection.fileno(), select.POLLIN)
        ready = [descriptor for descriptor, _ in ears.poll(None if seconds is None else math.ceil(seconds * 1000))]
        if self._wakes.fileno() in ready:
            with suppress(BlockingIOError):
                self._wakes.recv(4096)
        if connection is not None and connection.fileno() in ready:
            connection.pgconn.consume_input()
            while news := connection.pgconn.notifies():
                self._hear(news.extra.decode())
        return bool(ready)

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    def untold(self) -> Position:
        """Stop; the head that others are yet to be told of, 0 where they have been."""
        with self._lock:
            self._stopping = True
        with suppress(OSError):
            self._wake.send(b"\0")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._wake.close()
        self._wakes.close()
        return self._to_tell if self._to_tell > self._told else 0
