"""Sessions in signed cookies: whoever holds one is who it says, for as long as it says.

A cookie holds no secret and nothing that could be forged without the key (HMAC-SHA256). Its bearer cannot be made to write by
another page: a write needs the CSRF token, which only a page of the same origin can read.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from actum.journal.decoders import decoder_for
from actum.journal.errors import Denied, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFE = 8 * 3600
"""Seconds that a session lasts."""

LOGIN_LIFE = 600
"""Seconds that a login at a provider may take."""

SESSION = "actum_session"
LOGIN = "actum_login"
CSRF = "actum-csrf"
"""The header that carries the CSRF token."""

SealedT = TypeVar("SealedT", bound="Sealed")


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a cookie says. Until when it is good is part of it."""

    expires: int


class Session(Sealed, frozen=True, kw_only=True, tag="session"):
    """Somebody is logged in. `roles` are those that a provider said; None where the user is known here.

    `by` is the mark of the secret by which they came in: with another one from then on, the session is over.
    """

    id: str
    user: str
    roles: tuple[str, ...] | None = None
    tenant: str | None = None
    by: str | None = None

    @property
    def begun(self) -> int:
        """Since when, in seconds."""
        return self.expires - LIFE


class Login(Sealed, frozen=True, kw_only=True, tag="login"):
    """Somebody is on the way to a provider and back."""

    state: str
    nonce: str
    verifier: str
    back: str


class Keeper:
    """Seals and opens cookies with a key of 32 bytes or more."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise Unavailable(f"the key for cookies needs 32 bytes or more, found {len(key)}")
        self._key = key

    def new(
        self, user: str, *, by: str | None = None, roles: tuple[str, ...] | None = None, tenant: str | None = None
    ) -> Session:
        """A session that begins now. `by`: what is kept of the password that opened it."""
        expires, mark = int(time.time()) + LIFE, None if by is None else self.mark_of(by)
        return Session(expires=expires, id=secrets.token_hex(16), user=user, roles=roles, tenant=tenant, by=mark)

    def mark_of(self, kept: str) -> str:
        """By what a session tells whether the password is still the same, and nothing of the password."""
        return self._mark(f"by:{kept}")

    def seal(self, sealed: Sealed) -> str:
        """The text of the cookie."""
        text = _text(msgspec.json.encode(sealed))
        return f"{text}.{self._mark(text)}"

    def open(self, cookie: str, kind: type[SealedT]) -> SealedT:
        """What it says. `Denied` for anything that was not sealed here, or is over."""
        text, _, mark = cookie.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark(text).encode()):
            raise Denied("the session is not good; log in again")
        try:
            sealed = decoder_for(kind).decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError) as wrong:
            raise Denied("the session is not good; log in again") from wrong
        if time.time() >= sealed.expires:
            raise Denied("the session is over; log in again")
        return sealed

    def csrf(self, session: str) -> str:
        """The CSRF token of a session."""
        return self._mark(f"csrf:{session}")

    def check_csrf(self, session: str, said: str | None) -> bool:
        """Whether that is the CSRF token of the session."""
        return said is not None and hmac.compare_digest(said.encode(errors="replace"), self.csrf(session).encode())

    def _mark(self, text: str) -> str:
        return _text(hmac.new(self._key, text.encode(errors="replace"), sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def named(name: str, *, secure: bool, path: str = "/") -> str:
    """What the cookie is called. Under a name with a prefix browsers take it over TLS alone, and with `__Host-` from nobody but
    this very host, whatever its neighbours set (RFC 6265bis, §4.1.3).
    """
    if not secure:
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


def carried(cookies: Mapping[str, str], name: str, *, secure: bool) -> str | None:
    """The cookie among those that came along; over TLS only one that can have been set over TLS."""
    names = (f"__Host-{name}", f"__Secure-{name}") if secure else (name,)
    return next((cookies[each] for each in names if each in cookies), None)


def cookie(name: str, value: str, *, secure: bool, seconds: int, path: str = "/") -> str:
    """The header that sets it: for this host alone, out of reach of scripts, not sent along from other sites."""
    name, protected = named(name, secure=secure, path=path), "; Secure" if secure else ""
    return f"{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Lax{protected}"


def key_in(path: Path) -> bytes:
    """The key in that file; a new one, for the owner's eyes only, where there is none."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    with suppress(FileExistsError):  # another process was quicker: its key counts
        os.link(fresh, path)
    fresh.unlink()
    return path.read_bytes()
