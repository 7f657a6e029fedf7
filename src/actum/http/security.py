"""The guard at the door: who asks, whether they may, and that it is on record before they are answered.

```python
policy = Policy(roles={"teller": ("commands:Deposit", "queries:*"), "auditor": ("events:read", "views:*")})
door = asgi(bank, "bank.db", security=Security(policy, identities="bank.identities.db", access="bank.access.db"))
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlsplit

import msgspec

from actum.http.access import LONGEST, NOBODY, Accessed, open_access, record
from actum.http.identities import Identities
from actum.http.oidc import Oidc
from actum.http.policy import ON_BEHALF_OF, Policy, Principal
from actum.http.problem import Problem
from actum.http.proxied import THIS_MACHINE, networks, origin_address, origin_of
from actum.http.sessions import CSRF, SESSION, Keeper, Session, carried, cookie, key_in
from actum.http.throttle import Bucket, Tries
from actum.journal.errors import Denied

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from actum.http.provider import Provider
    from actum.http.proxied import Network
    from actum.http.register import User
    from actum.http.said import Said
    from actum.service.declared import Declared
    from actum.service.running import Running
    from actum.service.running_async import AsyncRunning

Authenticate: TypeAlias = Callable[[Mapping[str, str]], Principal | None]
"""Somebody else's way to tell from the headers (lower case) who asks; None where it cannot. It must be quick."""

STRANGERS = 10.0
"""How many requests a second by those whom nobody knows are answered, and recorded: about 250 MB a day, if they keep at it."""

STRANGERS_AT_ONCE = 100
"""How many of them come at once, after a while in which few did."""

CHECKED_AT_ONCE = 2
"""How many passwords are checked at once: each takes a processor and 64 MiB for a moment."""

MOST_TO_CHECK = 32
"""How many wait for that or are checked; whoever comes too many is told to come again."""

LONGEST_NAME = 100
"""How many characters of a name are told apart where failures are counted."""

ANONYMOUS = "anonymous"
"""The actor of whoever does what everybody may."""

SAFE = ("GET", "HEAD")
"""Methods by which nothing changes."""


class Caller(Protocol):
    """As much of a request as a guard looks at."""

    headers: dict[str, str]
    scope: MutableMapping[str, Any]
    said: Said
    principal: Principal | None

    @property
    def method(self) -> str:
        """The method."""
        ...

    def cookies(self) -> dict[str, str]:
        """The cookies that came along."""
        ...

    def address(self) -> str:
        """What was asked for, without secrets."""
        ...


class Security(msgspec.Struct, frozen=True):
    """How a door knows who asks and what they may.

    `identities` is the journal of tokens and users, `access` that of all who came to the door; both are made where there
    are none. `tenant`: whose door this is; those of other tenants are not let in. `oidc` is a provider to log in at,
    `authenticate` another way of knowing who asks, tried first. The key that seals cookies lies beside the identities.
    `public_url` is under which address browsers know it, where a proxy in front speaks TLS: its cookies are then for TLS alone,
    and writes by cookie come from its own pages. `proxies` are the addresses or networks whose `X-Forwarded-For` is believed; where
    there is a public address and nothing is said, this machine's.
    """

    policy: Policy
    identities: str
    access: str
    tenant: str | None = None
    oidc: Oidc | None = None
    authenticate: Authenticate | None = None
    public_url: str | None = None
    proxies: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self.origin  # noqa: B018 - what fits neither is found before anybody asks
        self.trusted  # noqa: B018

    @property
    def origin(self) -> str | None:
        """What browsers say of where its own pages come from."""
        return None if self.public_url is None else origin_of(self.public_url)

    @property
    def trusted(self) -> tuple[Network, ...]:
        """Who is believed that says from where somebody comes."""
        usual = () if self.public_url is None else THIS_MACHINE
        return networks(usual if self.proxies is None else self.proxies)


class Guard:
    """A security at work. Made by `Guard.open`."""

    def __init__(self, security: Security, identities: Identities, access: AsyncRunning, keeper: Keeper) -> None:
        self.security = security
        self.identities = identities
        self.keeper = keeper
        self.provider = None if security.oidc is None else _provider(security.oidc)
        self._tries = Tries()
        self._checking = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._to_check = 0
        self._access = access
        self._everybody = Principal(ANONYMOUS, security.policy.permissions(()), security.tenant)
        self._origin, self._trusted = security.origin, security.trusted
        self._strangers = Bucket(STRANGERS, most=STRANGERS_AT_ONCE)

    @classmethod
    async def open(cls, security: Security, *apps: Declared) -> Guard:
        """Take up the work. `Misdeclared` where the policy names what none of the applications has."""
        security.policy.check(*apps)
        async with AsyncExitStack() as stack:
            identities = await asyncio.to_thread(Identities, security.identities)
            stack.push_async_callback(asyncio.to_thread, identities.close)
            key = await asyncio.to_thread(key_in, Path(f"{security.identities}.key"))
            guard = cls(security, identities, await open_access(security.access), Keeper(key))
            stack.pop_all()
        return guard

    async def close(self) -> None:
        """Give everything back."""
        await self._access.close()
        await asyncio.to_thread(self.identities.close)
        if self.provider is not None:
            await self.provider.close()

    # Who asks.

    def identify(self, call: Caller) -> Principal | None:
        """Who asks; None where they do not say. `Denied` for a token or a session that is not good."""
        authenticate = self.security.authenticate
        found = None if authenticate is None else authenticate(call.headers)
        if found is not None:
            return found
        authorization = call.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Denied("expected `Authorization: Bearer TOKEN`")
            return self.identities.bearer(token.strip(), self.security.policy)
        sealed = self.carried(call, SESSION)
        return None if sealed is None else self.visitor(self.keeper.open(sealed, Session))

    async def person(self, call: Caller, name: str, password: str) -> User:
        """The user, where that is the password. `Denied` where not; problems where one must wait, or where too many do."""
        if self._to_check >= MOST_TO_CHECK:
            raise Problem("busy", f"{self._to_check} passwords are to be checked already", headers={"Retry-After": "1"})
        with self._tries.attempt(name[:LONGEST_NAME], self.client(call) or "?"):
            self._to_check += 1
            try:
                async with self._checking:
                    return await asyncio.to_thread(self.identities.check, name, password)
            finally:
                self._to_check -= 1

    def client(self, call: Caller) -> str | None:
        """From where whoever asks comes."""
        client = call.scope.get("client")
        return origin_address(None if client is None else str(client[0]), call.scope["headers"], self._trusted)

    def secure(self, call: Caller) -> bool:
        """Whether browsers come by TLS."""
        return (self._origin or call.scope.get("scheme", "")).startswith("https")

    def cookie(self, call: Caller, name: str, value: str, *, seconds: int, path: str = "/") -> str:
        """The header that has a browser keep it."""
        return cookie(name, value, secure=self.secure(call), seconds=seconds, path=path)

    def carried(self, call: Caller, name: str) -> str | None:
        """The cookie that a browser has kept, where it has."""
        return carried(call.cookies(), name, secure=self.secure(call))

    def visitor(self, session: Session) -> Principal:
        """Whose session that is, with the roles they have today."""
        if self.identities.ended(session):
            raise Denied("the session is over; log in again")
        roles, tenant = session.roles, session.tenant
        if roles is None:
            user = self.identities.user(session.user)
            if user is None or session.by != self.keeper.mark_of(user.password):
                raise Denied("the session is over; log in again")
            roles, tenant = tuple(user.roles), user.tenant
        return Principal(session.user, self.security.policy.permissions(roles), tenant, "session", session.id)

    def entered(self, user: User) -> Session:
        """A session of somebody who has shown their password."""
        return self.keeper.new(user.user, by=user.password, tenant=user.tenant)

    # Whether they may.

    def admit(self, call: Caller, needed: str | None) -> Principal:
        """Let the call pass and act for whoever gives it, or raise `Denied`."""
        principal = self.permit(call, needed)
        if principal.session is not None and call.method not in SAFE:
            self.check_origin(call)
            if not self.keeper.check_csrf(principal.session, call.headers.get(CSRF)):
                raise Denied(f"expected the header {CSRF} that GET /me tells", needed="csrf")
        _act_for(call, principal)
        return principal

    def permit(self, call: Caller, needed: str | None) -> Principal:
        """Who asks, or `Denied`. Of a change, whoever asks by a cookie has still to show that it was their own page that asked."""
        call.principal = principal = self.identify(call)
        if principal is None:
            principal = self._everybody
            if needed is not None and not principal.may(needed):
                raise Denied("say who you are: with `Authorization: Bearer TOKEN`, or log in")
        if principal.tenant != self.security.tenant:
            raise Denied("this is another tenant's", needed=f"tenant:{self.security.tenant}")
        if needed is not None and not principal.may(needed):
            raise Denied(f"{principal.id} may not: it takes the permission {needed}", needed=needed)
        return principal

    def still(self, call: Caller, needed: str | None) -> Callable[[], object]:
        """What raises `Denied` once whoever was let in may not be here any more."""
        return partial(self.admit, call, needed)

    def check_origin(self, call: Caller) -> None:
        """`Denied` where a page of another site sent it."""
        check_origin(call, self._origin)

    @property
    def accesses(self) -> Running:
        """Who came to the door, to be looked at."""
        return self._access.running

    # On record.

    async def record(self, call: Caller, *, permission: str | None, status: int) -> None:
        """Have it on record that somebody was answered so. `too-many-requests` for too many of whom nobody knows.

        Whatever strangers are answered, so that they cannot fill the journal; but for what everybody may.
        """
        principal = call.principal
        public = permission is not None and self._everybody.may(permission)
        if principal is None and not public and not self._strangers.take():
            raise Problem("too-many-requests", "too many attempts by strangers", headers={"Retry-After": "1"})
        accessed = Accessed(
            who=NOBODY if principal is None else principal.id,
            way="none" if principal is None else principal.way,
            method=call.method,
            address=call.address()[:LONGEST],
            permission=permission,
            granted=status not in (401, 403, 429),
            status=status,
            origin=self.client(call),
        )
        await record(self._access, accessed)


def check_origin(call: Caller, public: str | None = None) -> None:
    """`Denied` where a page of another site sent it: of another origin than the `public` one, or than it was asked under."""
    site = call.headers.get("sec-fetch-site", "same-origin")
    origin = call.headers.get("origin")
    ours = _host_of(origin) == call.headers.get("host") if public is None else origin == public
    foreign = origin is not None and not ours
    if site not in ("same-origin", "none") or foreign:
        raise Denied("a page of another site may not do this", needed="same-origin")


def _host_of(origin: str | None) -> str | None:
    try:
        return None if origin is None else urlsplit(origin).netloc
    except ValueError:
        return None


def _provider(oidc: Oidc) -> Provider:
    from actum.http.provider import Provider  # noqa: PLC0415 - a fifth of the start of a process; few log in elsewhere

    return Provider(oidc)


def _act_for(call: Caller, principal: Principal) -> None:
    """Whoever gives a command is its actor; a request that says another is turned down."""
    acting = call.said.acting
    if acting.actor not in (None, principal.id):
        raise Denied(f"{principal.id} acts as nobody else; say Actum-On-Behalf-Of", needed=f"actor:{acting.actor}")
    if acting.on_behalf_of is not None and not principal.may(ON_BEHALF_OF):
        raise Denied(f"{principal.id} may not say for whom they act", needed=ON_BEHALF_OF)
    acting = msgspec.structs.replace(acting, actor=principal.id, tenant=principal.tenant)
    call.said = msgspec.structs.replace(call.said, acting=acting)
