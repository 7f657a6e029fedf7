"""The register of who is known at the door: an application of actum itself, with its events, commands, views and rules.

So who was let in, by whom and when is on record like everything else. Secrets are not: of a token only its SHA-256 is
kept, of a password only its Argon2id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from actum.decision.command import Command
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.projection.view import View
from actum.service.app import App

TokenId = Annotated[str, Tag("token")]
ProgramName = Annotated[str, Tag("program")]
UserId = Annotated[str, Tag("user")]
SessionId = Annotated[str, Tag("session")]


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
