"""Coming in: log in by a form, log out, and what a browser keeps of its user's preferences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from actum.console.answering import Moved, Shown
from actum.console.asked import LANGUAGE, THEME, THEMES, Asked
from actum.console.words import LANGUAGES
from actum.http.entering import is_own
from actum.http.problem import Problem
from actum.http.sessions import LIFE, LOGIN, LOGIN_LIFE, SESSION, Login, Session
from actum.journal.errors import Denied

if TYPE_CHECKING:
    from actum.http.provider import Provider
    from actum.http.security import Guard

Entered: TypeAlias = tuple[Shown | Moved, tuple[str, ...]]
"""What whoever came in is shown, and the cookies that go along."""


def settings(asked: Asked) -> Moved:
    """`POST /settings`: another language, another theme."""
    form = asked.form
    found = {LANGUAGE: form.get("language", ""), THEME: form.get("theme", "")}
    known = {LANGUAGE: LANGUAGES, THEME: THEMES}
    return Moved(back(asked), {name: value for name, value in found.items() if value in known[name]})


def back(asked: Asked) -> str:
    """The page that one came from, if it is one of this site: the console's, or one that the console stands beside."""
    wanted = asked.form.get("back") or asked.query.get("back", "")
    return wanted if is_own(wanted) else asked.link()


def login_page(asked: Asked) -> Shown:
    """`GET /login`: where one says who one is."""
    return Shown("login.html", asked.words("Log in"), {"back": back(asked), "wrong": False, "oidc": asked.oidc})


async def login(asked: Asked, guard: Guard) -> Entered:
    """`POST /login`: with name and password."""
    guard.check_origin(asked)
    user, password = asked.form.get("user", ""), asked.form.get("password", "")
    try:
        found = await guard.person(asked, user, password)
    except Denied:
        again = {"back": back(asked), "wrong": True, "oidc": asked.oidc}
        return Shown("login.html", asked.words("Log in"), again, status=401), ()
    return _entered(asked, guard, guard.entered(found), back(asked))


def _entered(asked: Asked, guard: Guard, session: Session, to: str) -> Entered:
    """From now on the browser is whoever the session says."""
    asked.principal = guard.visitor(session)
    if asked.principal.tenant != guard.security.tenant:
        raise Denied("this is another tenant's", needed=f"tenant:{guard.security.tenant}")
    return Moved(to), (guard.cookie(asked, SESSION, guard.keeper.seal(session), seconds=LIFE),)


async def to_provider(asked: Asked, guard: Guard) -> Entered:
    """`GET /login/oidc`: off to the provider."""
    address, begun = await _provider(guard).begin(back(asked))
    return Moved(address), (guard.cookie(asked, LOGIN, guard.keeper.seal(begun), seconds=LOGIN_LIFE),)


async def from_provider(asked: Asked, guard: Guard) -> Entered:
    """`GET /login/oidc/callback`: back from the provider, as whoever it vouches for."""
    begun = guard.keeper.open(guard.carried(asked, LOGIN) or "", Login)
    person = await _provider(guard).finish(begun, asked.query)
    session = guard.keeper.new(person.subject, roles=person.roles, tenant=guard.security.tenant)
    moved, cookies = _entered(asked, guard, session, begun.back)
    return moved, (*cookies, guard.cookie(asked, LOGIN, "", seconds=0))


def _provider(guard: Guard) -> Provider:
    if guard.provider is None:
        raise Problem("not-found", "there is no provider to log in at")
    return guard.provider


async def logout(asked: Asked, guard: Guard) -> Entered:
    """`POST /logout`: the session is over, in every process."""
    if asked.principal is not None and asked.principal.session is not None:
        await guard.identities.end(asked.principal.session, actor=asked.principal.id)
    return Moved(asked.link("login")), (guard.cookie(asked, SESSION, "", seconds=0),)


DOORS: dict[tuple[str, str], Callable[[Asked, Guard], Awaitable[Entered]]] = {
    ("POST", "login"): login,
    ("POST", "logout"): logout,
    ("GET", "login/oidc"): to_provider,
    ("GET", "login/oidc/callback"): from_provider,
}
"""What needs the guard itself, by method and address."""
