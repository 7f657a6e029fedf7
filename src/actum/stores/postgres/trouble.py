"""What PostgreSQL and its driver complain of, in actum's words: what was found, and what to do.

Nothing here quotes an address as it was given: the server's name and the role may be shown, a password never is.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg

from actum.journal.errors import (
    ActumError,
    Busy,
    Corrupted,
    Invalid,
    NotAJournal,
    ReadOnly,
    StorageFull,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def translated(where: object) -> Iterator[None]:
    """Errors of the driver, raised as ours. `where` is the address for people."""
    try:
        yield
    except psycopg.Error as wrong:
        raise translation(wrong, where) from wrong


def is_lost(wrong: psycopg.Error) -> bool:
    """Whether the connection is gone, and with it the answer: the server may have done what it was asked, or not."""
    state = wrong.sqlstate or ""
    return isinstance(wrong, psycopg.OperationalError | psycopg.InterfaceError) and (
        not state or state.startswith("08") or state in _SHUT_DOWN
    )


def will_pass(wrong: psycopg.Error) -> bool:
    """Whether a connection that is refused may be granted a little later: the server is restarted, or somebody leaves."""
    state = wrong.sqlstate or _state_by_words(str(wrong))
    return isinstance(wrong, psycopg.OperationalError) and state not in _STAYS_SO


_SHUT_DOWN = ("57P01", "57P02", "57P03")
_STAYS_SO = ("28P01", "28000", "3D000", "42501")

_BY_STATE: dict[str, tuple[type[ActumError], str]] = {
    "25006": (ReadOnly, "it is a read-only standby or transaction: {}; name the primary server to write"),
    "40001": (Busy, "another transaction came first: {}; try again"),
    "40P01": (Busy, "two transactions waited for each other: {}; try again"),
    "22021": (Invalid, "the server cannot keep this text: {}; leave out what is no character"),
    "25000": (Unavailable, "{}; set default_transaction_isolation to 'read committed' for this role"),
    "3F000": (NotAJournal, "{}; what is there was not made by this actum: name another journal"),
    "42P01": (NotAJournal, "{}; what is there was not made by this actum: name another journal"),
    "42883": (NotAJournal, "{}; what is there was not made by this actum: name another journal"),
    "54000": (Invalid, "the server cannot keep this: {}; make it smaller"),
    "42501": (Unavailable, "the role lacks a right: {}; grant it, or connect as another role"),
    "53100": (StorageFull, "the server's disk is full; nothing of this was written: make room, then try again"),
    "53300": (
        Busy,
        "the server has no connection left: {}; try again, raise max_connections, or put a pooler before it",
    ),
    "53400": (Busy, "a limit of the server is reached: {}; try again or raise it"),
    "55P03": (Busy, "a lock was not to be had in time: {}; try again"),
    "57014": (Busy, "the server cancelled it: {}; try again or raise statement_timeout"),
    "2BP01": (Unavailable, "something of yours depends on a table or view that is to be made anew: {}; drop it first"),
    "XX001": (Corrupted, "the server says that data is damaged: {}; restore from a backup"),
    "XX002": (Corrupted, "the server says that an index is damaged: {}; REINDEX it"),
    "3D000": (Unavailable, "{}; create it first (createdb), or name another"),
    "28P01": (
        Unavailable,
        "the server lets nobody in with this password: {}; PGPASSFILE, PGPASSWORD and the address say it",
    ),
    "28000": (Unavailable, "the server does not let this role in: {}; see its pg_hba.conf"),
}

_BY_WORDS = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("too many clients", "53300"),
    ("remaining connection slots", "53300"),
    ("too many connections", "53300"),
    ("no pg_hba.conf entry", "28000"),
    ("peer authentication failed", "28000"),
    ('role "', "28000"),
    ('database "', "3D000"),
)
"""What was said before there was a connection comes without a number."""


def translation(wrong: psycopg.Error, where: object) -> ActumError:
    """One error of the driver as one of ours."""
    said = _said(wrong)
    state = wrong.sqlstate or _state_by_words(said)
    if state in _BY_STATE:
        kind, text = _BY_STATE[state]
        return kind(f"{where}: {text.format(said)}")
    if (
        isinstance(wrong, psycopg.DataError | psycopg.ProgrammingError | psycopg.NotSupportedError)
        and not wrong.sqlstate
    ):
        return Invalid(f"{where}: the driver cannot send this: {said}")
    if is_lost(wrong):
        return Unavailable(f"{where} cannot be reached: {said}; is the server up, and is this its address?")
    return Unavailable(f"{where}: the server failed: {said}; look at its log")


def _state_by_words(said: str) -> str:
    return next((state for words, state in _BY_WORDS if words in said), "")


def _said(wrong: psycopg.Error) -> str:
    """What the server said, or else what the driver did, on one line."""
    text = wrong.diag.message_primary or " ".join(str(wrong).split())
    return text.removesuffix(".") or type(wrong).__name__
