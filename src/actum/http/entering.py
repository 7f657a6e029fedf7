"""Log in, log out, and be told who one is: with a password, or by a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from actum.http.call import answer
from actum.http.parameters import Parameters
from actum.http.policy import Principal
from actum.http.problem import Problem
from actum.http.sessions import LIFE, LOGIN, LOGIN_LIFE, SESSION, Login, Session
from actum.journal.errors import Denied
from actum.journal.message import from_json

if TYPE_CHECKING:
    from actum.http.call import Call
    from actum.http.security import Guard


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody logs in with."""

    user: str
    password: str


class Me(msgspec.Struct, frozen=True):
    """Who one is here, what one may, and the CSRF token that one's writes need where a cookie says who one is."""

    id: str
    permissions: tuple[str, ...]
    tenant: str | None
    csrf: str | None


async def login(call: Call) -> Response:
    """`POST /login`: with name and password."""
    guard = _guard(call)
    guard.check_origin(call)
    said = from_json(await call.body(), Credentials)
    user = await guard.person(call, said.user, said.password)
    return _enter(call, guard.entered(user))


def _enter(call: Call, session: Session) -> Response:
    """From now on the caller is whoever the session says."""
    guard = _guard(call)
    call.principal = principal = guard.visitor(session)
    if principal.tenant != guard.security.tenant:
        raise Denied("this is another tenant's", needed=f"tenant:{guard.security.tenant}")
    sealed = guard.cookie(call, SESSION, guard.keeper.seal(session), seconds=LIFE, path=call.root)
    return answer(_me(guard, principal), headers={"set-cookie": sealed, "cache-control": "no-store"})


async def logout(call: Call) -> Response:
    """`POST /logout`: the session is over, in every process."""
    guard, principal = _guard(call), call.principal
    if principal is None or principal.session is None:
        raise Denied("nobody is logged in here")
    await guard.identities.end(principal.session, actor=principal.id)
    gone = guard.cookie(call, SESSION, "", seconds=0, path=call.root)
    return Response(status_code=204, headers={"set-cookie": gone, "cache-control": "no-store"})


async def me(call: Call) -> Response:
    """`GET /me`: who one is."""
    if call.principal is None:
        raise Denied("nobody is logged in here")
    return answer(_me(_guard(call), call.principal), headers={"cache-control": "no-store"})


def _me(guard: Guard, principal: Principal) -> Me:
    csrf = None if principal.session is None else guard.keeper.csrf(principal.session)
    return Me(principal.id, tuple(sorted(principal.permissions)), principal.tenant, csrf)


async def to_provider(call: Call) -> Response:
    """`GET /login/oidc`: off to the provider."""
    guard = _guard(call)
    if guard.provider is None:
        raise Problem("not-found", "there is no provider to log in at")
    parameters = call.parameters()
    back = parameters.one("back") or quote(call.root)
    parameters.finish(("back",))
    if not is_own(back):
        raise Denied("one comes back to this site only", needed="same-origin")
    address, begun = await guard.provider.begin(back)
    sealed = guard.cookie(call, LOGIN, guard.keeper.seal(begun), seconds=LOGIN_LIFE, path=call.root)
    return Response(status_code=303, headers={"location": address, "set-cookie": sealed, "cache-control": "no-store"})


async def from_provider(call: Call) -> Response:
    """`GET /login/oidc/callback`: back from the provider, as whoever it vouches for."""
    guard = _guard(call)
    if guard.provider is None:
        raise Problem("not-found", "there is no provider to log in at")
    begun = guard.keeper.open(guard.carried(call, LOGIN) or "", Login)
    person = await guard.provider.finish(begun, _first(call.parameters()))
    entered = _enter(call, guard.keeper.new(person.subject, roles=person.roles, tenant=guard.security.tenant))
    response = Response(status_code=303, headers={"location": begun.back, "cache-control": "no-store"})
    response.headers.append("set-cookie", entered.headers["set-cookie"])
    response.headers.append("set-cookie", guard.cookie(call, LOGIN, "", seconds=0, path=call.root))
    return response


def is_own(back: str) -> bool:
    """Whether that is the address of a page of this site, as it may stand in a header.

    Browsers take a backslash for a slash, and control characters for nothing: `/`, a tab and `/evil.example` is another site.
    """
    safe = back.isascii() and back.isprintable() and not {" ", "\\"} & set(back)
    return safe and back.startswith("/") and not back.startswith("//")


def _first(parameters: Parameters) -> dict[str, str]:
    return {name: parameters.all(name)[0] for name in parameters.names()}


def _guard(call: Call) -> Guard:
    guard = call.served.guard
    if guard is None:
        raise Problem("not-found", "this door knows nobody: it has no security=…")
    return guard
