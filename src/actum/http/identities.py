"""Who is known here: tokens for programs and users for people, in a journal of their own.

An application of actum itself, so that who was let in, by whom and when is on record like everything else. Secrets are not:
of a token only its SHA-256 is kept (it is random, so that is enough), of a password only its Argon2id.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Self

import argon2
import argon2.exceptions

from actum.decision.command import Command
from actum.http.files import private
from actum.http.policy import Policy, Principal, checked_permission
from actum.journal.errors import Denied, Invalid, Misdeclared, Refused
from actum.journal.event import Event, Tag
from actum.projection.view import View
from actum.service.app import App

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from actum.http.sessions import Session

TokenId = Annotated[str, Tag("token")]
ProgramName = Annotated[str, Tag("program")]
UserId = Annotated[str, Tag("user")]
SessionId = Annotated[str, Tag("session")]

PREFIX = "actum"
"""How every token begins, so that one that was leaked is recognised."""

LONGEST_LIFE = 366
"""Days that a token is good for, at the most."""

SHORTEST_PASSWORD = 12
"""Characters of a password, at the least."""

LONGEST_PASSWORD = 1000
"""Characters of a password, at the most."""


class TokenIssued(Event):
    """A program may come in until `expires`."""

    token: TokenId
    name: ProgramName
    digest: str
    roles: list[str]
    permissions: list[str]
    expires: datetime
    tenant: str | None = None


class TokenRevoked(Event):
    """It may not any more."""

    token: TokenId


class UserAdded(Event):
    """A person may log in."""

    user: UserId
    password: str
    roles: list[str]
    tenant: str | None = None


class PasswordSet(Event):
    """With another password from now on. `password` is its Argon2id."""

    user: UserId
    password: str


class UserRemoved(Event):
    """The person may not any more."""

    user: UserId


class SessionEnded(Event):
    """Somebody logged out."""

    session: SessionId


class SessionsEnded(Event):
    """Somebody is logged out everywhere: all sessions that began until then are over."""

    user: UserId
    until: datetime


class IssueToken(Command):
    """Let a program in."""

    token: TokenId
    name: ProgramName
    digest: str
    roles: list[str]
    permissions: list[str]
    expires: datetime
    tenant: str | None = None


class RevokeToken(Command):
    """Let it in no longer."""

    token: TokenId


class AddUser(Command):
    """Let a person log in."""

    user: UserId
    password: str
    roles: list[str]
    tenant: str | None = None


class SetPassword(Command):
    """Give a person another password."""

    user: UserId
    password: str


class RemoveUser(Command):
    """Let a person log in no longer."""

    user: UserId


class EndSession(Command):
    """Log out."""

    session: SessionId


class EndSessions(Command):
    """Log somebody out everywhere."""

    user: UserId
    until: datetime


class Token(View, table="tokens"):
    """A token, without its secret."""

    token: TokenId
    name: str = ""
    digest: str = ""
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    expires: datetime | None = None
    tenant: str | None = None
    revoked: bool = False

    def evolve(self, event: TokenIssued | TokenRevoked) -> None:
        """See `State.evolve`."""
        match event:
            case TokenIssued():
                self.name, self.digest, self.expires, self.tenant = (
                    event.name,
                    event.digest,
                    event.expires,
                    event.tenant,
                )
                self.roles, self.permissions = tuple(event.roles), tuple(event.permissions)
            case TokenRevoked():
                self.revoked = True

    def good(self, now: datetime) -> bool:
        """Whether it lets anybody in."""
        return not self.revoked and self.expires is not None and now < self.expires


class User(View, table="users"):
    """A person who may log in."""

    user: UserId
    password: str = ""
    roles: tuple[str, ...] = ()
    tenant: str | None = None

    def evolve(self, event: UserAdded | PasswordSet | UserRemoved) -> None:
        """See `State.evolve`."""
        match event:
            case UserAdded():
                self.password, self.roles, self.tenant = event.password, tuple(event.roles), event.tenant
            case PasswordSet():
                self.password = event.password
            case UserRemoved():
                self.password, self.roles = "", ()


class EndedSession(View, table="ended_sessions"):
    """A session that is over."""

    session: SessionId
    ended: bool = False

    def evolve(self, event: SessionEnded) -> None:
        """See `State.evolve`."""
        self.ended = True


class LoggedOut(View, table="logged_out"):
    """Somebody of whom all sessions that began until then are over."""

    user: UserId
    until: datetime | None = None

    def evolve(self, event: SessionsEnded) -> None:
        """See `State.evolve`."""
        self.until = event.until


identities = App("identities")
identities.view(Token)
identities.view(User)
identities.view(EndedSession)
identities.view(LoggedOut)


@identities.decides
def issue_token(command: IssueToken, token: Token) -> TokenIssued:
    """See `IssueToken`."""
    if token.digest:
        raise Refused("there is such a token already", token=token.token)
    return TokenIssued(**{name: getattr(command, name) for name in command.__struct_fields__})


@identities.decides
def revoke_token(command: RevokeToken, token: Token) -> TokenRevoked | None:
    """See `RevokeToken`."""
    if not token.digest:
        raise Refused("there is no such token", token=token.token)
    return None if token.revoked else TokenRevoked(token=command.token)


@identities.decides
def add_user(command: AddUser, user: User) -> UserAdded:
    """See `AddUser`."""
    if user.password:
        raise Refused("there is such a user already", user=user.user)
    return UserAdded(user=command.user, password=command.password, roles=command.roles, tenant=command.tenant)


@identities.decides
def set_password(command: SetPassword, user: User) -> PasswordSet:
    """See `SetPassword`."""
    if not user.password:
        raise Refused("there is no such user", user=user.user)
    return PasswordSet(user=command.user, password=command.password)


@identities.decides
def remove_user(command: RemoveUser, user: User) -> UserRemoved | None:
    """See `RemoveUser`."""
    return UserRemoved(user=command.user) if user.password else None


@identities.decides
def end_session(command: EndSession, session: EndedSession) -> SessionEnded | None:
    """See `EndSession`."""
    return None if session.ended else SessionEnded(session=command.session)


@identities.decides
def end_sessions(command: EndSessions) -> SessionsEnded:
    """See `EndSessions`."""
    return SessionsEnded(user=command.user, until=command.until)


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
