"""Coming in: log in by a form, log out, and what a browser keeps of its user's preferences."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from actum.console.answering import Moved, Shown
from actum.console.asked import LANGUAGE, THEME, THEMES, Asked
from actum.console.words import LANGUAGES
from actum.http.sessions import LIFE, SESSION, cookie
from actum.journal.errors import Denied

if TYPE_CHECKING:
    from actum.http.security import Guard


def settings(asked: Asked) -> Moved:
    """`POST /settings`: another language, another theme."""
    form = asked.form
    found = {LANGUAGE: form.get("language", ""), THEME: form.get("theme", "")}
    known = {LANGUAGE: LANGUAGES, THEME: THEMES}
    return Moved(back(asked), {name: value for name, value in found.items() if value in known[name]})


def back(asked: Asked) -> str:
    """The page that one came from, if it is one of the console's."""
    wanted = asked.form.get("back") or asked.query.get("back", "")
    parts = urlsplit(wanted)
    local = not parts.scheme and not parts.netloc and wanted.startswith(f"{asked.root}/") and "\\" not in wanted
    return wanted if local and not wanted.startswith("//") else asked.link()


def login_page(asked: Asked) -> Shown:
    """`GET /login`: where one says who one is."""
    return Shown("login.html", asked.words("Log in"), {"back": back(asked), "wrong": False, "oidc": asked.oidc})


async def login(asked: Asked, guard: Guard) -> tuple[Shown | Moved, str | None]:
    """`POST /login`: with name and password; where to go, and the cookie that says who one is from now on."""
    guard.check_origin(asked)
    user, password = asked.form.get("user", ""), asked.form.get("password", "")
    places = [f"name:{user[:100]}", f"from:{(asked.scope.get('client') or ('?',))[0]}"]
    for place in places:
        guard.throttle.check(place)
    try:
        async with guard.checking:
            found = await asyncio.to_thread(guard.identities.check, user, password)
    except Denied:
        for place in places:
            guard.throttle.failed(place)
        again = {"back": back(asked), "wrong": True, "oidc": asked.oidc}
        return Shown("login.html", asked.words("Log in"), again, status=401), None
    guard.throttle.succeeded(places[0])
    session = guard.keeper.new(found.user, tenant=found.tenant)
    asked.principal = guard.visitor(session)
    if asked.principal.tenant != guard.security.tenant:
        raise Denied("this is another tenant's", needed=f"tenant:{guard.security.tenant}")
    return Moved(back(asked)), _session(asked, guard.keeper.seal(session), LIFE)


async def logout(asked: Asked, guard: Guard) -> tuple[Moved, str]:
    """`POST /logout`: the session is over, in every process."""
    if asked.principal is not None and asked.principal.session is not None:
        await guard.identities.end(asked.principal.session, actor=asked.principal.id)
    return Moved(asked.link("login")), _session(asked, "", 0)


def _session(asked: Asked, value: str, seconds: int) -> str:
    return cookie(SESSION, value, secure=asked.scope.get("scheme") == "https", seconds=seconds)
