"""Who is known here: tokens for programs and users for people, in a journal of their own.

A token is random, so that its SHA-256 is enough to know it again; a password is known by its Argon2id.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import argon2
import argon2.exceptions

from actum.http.files import private
from actum.http.policy import Policy, Principal, checked_permission
from actum.http.register import (
    AddUser,
    EndedSession,
    EndSession,
    EndSessions,
    IssueToken,
    LoggedOut,
    RemoveUser,
    RevokeToken,
    SetPassword,
    Token,
    User,
    identities,
)
from actum.journal.errors import Denied, Invalid, Misdeclared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from actum.http.sessions import Session

PREFIX = "actum"
"""How every token begins, so that one that was leaked is recognised."""

LONGEST_LIFE = 366
"""Days that a token is good for, at the most."""

SHORTEST_PASSWORD = 12
"""Characters of a password, at the least."""

LONGEST_PASSWORD = 1000
"""Characters of a password, at the most."""


class Identities:
    """Those who are known, opened on their journal. Safe to share between threads; a context manager that closes it."""

    def __init__(self, journal: str | Path) -> None:
        self.running = identities.open(private(journal), read_database="memory:")
        self.running.catch_up()
        self._hasher = argon2.PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())

    # Tokens.

    def issue(
        self,
        name: str,
        *,
        roles: Sequence[str] = (),
        permissions: Sequence[str] = (),
        days: int = 90,
        tenant: str | None = None,
        actor: str,
    ) -> str:
        """A new token: the text to hand over, which is nowhere kept and cannot be shown again. Good for so many days."""
        if not 1 <= days <= LONGEST_LIFE:
            raise Invalid(f"days: expected 1 to {LONGEST_LIFE}, found {days}")
        try:
            wanted = [checked_permission(permission, "permissions") for permission in permissions]
        except Misdeclared as wrong:
            raise Invalid(str(wrong)) from wrong
        id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        command = IssueToken(
            token=id,
            name=name,
            digest=_digest(secret),
            roles=list(roles),
            permissions=wanted,
            expires=datetime.now(UTC) + timedelta(days=days),
            tenant=tenant,
        )
        self.running.execute(command, actor=actor)
        return f"{PREFIX}_{id}_{secret}"

    def revoke(self, token: str, *, actor: str) -> None:
        """Let the token of that id in no longer. `Refused` where there is none."""
        self.running.execute(RevokeToken(token=token), actor=actor)

    def tokens(self) -> list[Token]:
        """All tokens, without their secrets."""
        self.running.catch_up()
        return list(self.running.view(Token))

    def bearer(self, text: str, policy: Policy) -> Principal:
        """Whose token that is. `Denied` where it lets nobody in, without saying why."""
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        found = self.running.view(Token).get(id) if prefix == PREFIX and id.isalnum() and id.isascii() else None
        same = hmac.compare_digest(_digest(secret), "" if found is None else found.digest)
        if found is None or not same or not found.good(datetime.now(UTC)):
            raise Denied("the token is not good, or not any more; ask for another one")
        return Principal(found.name, policy.permissions(found.roles, found.permissions), found.tenant, f"token:{id}")

    # Users.

    def add_user(
        self, user: str, password: str, *, roles: Sequence[str] = (), tenant: str | None = None, actor: str
    ) -> None:
        """Let a person log in. `Refused` where there is such a user, `Invalid` for a password that is too short."""
        hashed = self._hashed(password)
        self.running.execute(AddUser(user=user, password=hashed, roles=list(roles), tenant=tenant), actor=actor)

    def set_password(self, user: str, password: str, *, actor: str) -> None:
        """Give a person another password."""
        self.running.execute(SetPassword(user=user, password=self._hashed(password)), actor=actor)

    def remove_user(self, user: str, *, actor: str) -> None:
        """Let a person log in no longer; who is logged in is out at once."""
        self.running.execute(RemoveUser(user=user), actor=actor)

    def users(self) -> list[User]:
        """All who may log in."""
        self.running.catch_up()
        return [user for user in self.running.view(User) if user.password]

    def user(self, name: str) -> User | None:
        """One who may log in."""
        found = self.running.view(User).get(name) if name else None
        return found if found is not None and found.password else None

    def check(self, name: str, password: str) -> User:
        """The user, where that is the password; `Denied` otherwise. Takes as long for a user that there is not."""
        found = self.user(name)
        hashed = self._nobody if found is None else found.password
        try:
            self._hasher.verify(hashed, password[: LONGEST_PASSWORD + 1])
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError) as wrong:
            raise Denied("the name or the password is wrong") from wrong
        if found is None:
            raise Denied("the name or the password is wrong")
        return found

    def _hashed(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Invalid(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, found {len(password)}")
        return self._hasher.hash(password)

    # Sessions.

    def ended(self, session: Session) -> bool:
        """Whether somebody has ended the session."""
        if self.running.view(EndedSession).get(session.id) is not None:
            return True
        out = self.running.view(LoggedOut).get(session.user)
        return out is not None and out.until is not None and session.begun <= out.until.timestamp()

    def log_out(self, user: str, *, actor: str) -> None:
        """End all sessions of somebody, also of whom a provider vouched for."""
        self.running.execute(EndSessions(user=user, until=datetime.now(UTC)), actor=actor)

    async def end(self, session: str, *, actor: str) -> None:
        """Log out. The session is void from then on, in every process."""
        from actum.service.running_async import AsyncRunning  # noqa: PLC0415 - only where somebody awaits

        awaiting = AsyncRunning(self.running)
        done = await awaiting.execute(EndSession(session=session), actor=actor)
        await awaiting.wait_for(done.position)

    def close(self) -> None:
        """Give everything back."""
        self.running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
