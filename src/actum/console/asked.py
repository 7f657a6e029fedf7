"""One request to the console, understood as far as every page needs it: who, in which language, for what, with what form."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from actum.console.words import LANGUAGES, Words
from actum.http.call import mounted_at
from actum.http.problem import Problem
from actum.http.said import headers_of, said_in
from actum.journal.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope

    from actum.console.house import House
    from actum.http.policy import Principal
    from actum.http.said import Said
    from actum.service.running import Running

LARGEST = 64 * 1024
"""Bytes of a form at the most."""

PARAMETERS = 50
"""How many parameters an address has."""

FIELDS = 200
"""How many fields a form has."""

PATIENCE = 10.0
"""Seconds in which it must have arrived."""

LANGUAGE = "actum_language"
THEME = "actum_theme"
"""The cookies in which a browser keeps what its user prefers."""

THEMES = ("auto", "light", "dark")


class Asked:
    """A request. `names` are the parts of its address, `form` what was sent with it.

    `needed` is the permission that it takes, `still` raises `Denied` once whoever was let in may not be here any more.
    """

    def __init__(self, scope: Scope, house: House, *, language: str | None) -> None:
        self.scope = scope
        self.house = house
        self.headers = {name.decode("latin-1"): value.decode(errors="replace") for name, value in scope["headers"]}
        self.said: Said = said_in({})
        self.principal: Principal | None = None
        self.needed: str | None = None
        self.still: Callable[[], object] = lambda: None
        self.secured = False
        self.oidc = False
        self.accesses: Running | None = None
        self.csrf = house.token
        self.names: Mapping[str, str] = {}
        self.rest: tuple[str, ...] = ()
        self.form: dict[str, str] = {}
        self.query: dict[str, str] = {}
        self._preferred = language

    def understand(self) -> None:
        """Take in its headers and parameters. `Invalid` for what can be none."""
        self.headers = headers_of(self.scope["headers"])
        self.query = _fields(self.scope.get("query_string", b"").decode("ascii", "replace"), most=PARAMETERS)

    @property
    def method(self) -> str:
        """The method."""
        method: str = self.scope["method"]
        return method

    @property
    def root(self) -> str:
        """Where the console is mounted, without a slash at its end."""
        return mounted_at(self.scope).rstrip("/")

    def segments(self) -> list[str]:
        """The address inside the console, in its segments, each decoded by itself: a key may hold a slash."""
        sent: bytes | None = self.scope.get("raw_path")
        path = sent.decode("ascii", "replace") if sent else quote(self.scope["path"])
        inside = path.partition("?")[0].removeprefix(quote(self.root))
        return [unquote(each) for each in inside.strip("/").split("/")] if inside.strip("/") else []

    def address(self) -> str:
        """What was asked for, as it was sent; of a login only where to, since the rest is a secret."""
        path = quote(self.scope["path"])
        query = self.scope.get("query_string", b"").decode("ascii", "replace")
        return f"{path}?{query}" if query and "/login" not in path else path

    def cookies(self) -> dict[str, str]:
        """The cookies that came along."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}

    @property
    def fragment(self) -> bool:
        """Whether only the middle of the page is wanted: by a script that has the rest."""
        return "hx-request" in self.headers or self.query.get("part") == "1"

    @property
    def theme(self) -> str:
        """Light, dark, or as the system has it."""
        theme = self.cookies().get(THEME, "auto")
        return theme if theme in THEMES else "auto"

    @property
    def language(self) -> str:
        """The language of the page: as its address says, as was chosen, as the console is told, or as the browser would like."""
        chosen = self.query.get("lang") or self.cookies().get(LANGUAGE) or self._preferred
        if chosen in LANGUAGES:
            return chosen
        liked = [
            each.partition(";")[0].strip()[:2].lower() for each in self.headers.get("accept-language", "").split(",")
        ]
        return next((each for each in liked if each in LANGUAGES), "en")

    @property
    def words(self) -> Words:
        """What the page says, in that language."""
        return Words(self.language)

    @property
    def actor(self) -> str | None:
        """Who is logged in, where anybody is."""
        return None if self.principal is None else self.principal.id

    def may(self, permission: str) -> bool:
        """Whether whoever asks may do that: everybody on this machine, where nobody is known."""
        return not self.secured or (self.principal is not None and self.principal.may(permission))

    def link(self, *segments: object, **parameters: object) -> str:
        """The address of a page of the console."""
        path = "/".join(quote(str(each), safe="") for each in segments)
        asked = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
        return f"{self.root}/{path}" + (f"?{urlencode(asked)}" if asked else "")

    def number(self, name: str) -> int | None:
        """A whole number that the address asks for."""
        text = self.query.get(name) or self.form.get(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Invalid(f"{name}: expected a whole number, found {text!r:.80}")
        return int(text)

    async def read(self, receive: Receive) -> None:
        """Take in the form that was sent."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Problem("unsupported-media-type", "expected a form", accepts=["application/x-www-form-urlencoded"])
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _read(receive)
        except TimeoutError:
            raise Problem("too-slow", f"the form did not arrive within {PATIENCE:g} seconds") from None
        self.form = _fields(body.decode("utf-8", "replace"), most=FIELDS)


def _fields(text: str, *, most: int) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=most))
    except ValueError as wrong:
        raise Invalid(f"expected {most} parameters or fields at the most") from wrong


async def _read(receive: Receive) -> bytes:
    """All of the form: half of one is none."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Invalid("the sender went away before the form was complete")
        body += message.get("body", b"")
        if len(body) > LARGEST:
            raise Problem("too-large", f"the form has more than {LARGEST} bytes", limit=LARGEST)
        if not message.get("more_body", False):
            return bytes(body)
