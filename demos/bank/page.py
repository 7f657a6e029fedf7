"""The customer's page: what they have, read through the gateway like anybody else's, and the guided tour at its side.

Rendered here, and complete without a script; a small one has the figures follow the journal, and events scroll by.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from actum import ActumError, Refused
from actum.http.client import Client
from actum.http.problem import Problem
from actum.http.reach import check_reach
from actum.journal.errors import Denied
from actum.journal.query import Query
from actum.service.site import VISITOR, Entrance, Site, Visitor
from demos.bank.accounts import Deposit, Withdraw
from demos.bank.assets import assets_of, code_of
from demos.bank.people import CAMILLE, Customer
from demos.bank.tour import VISITOR as ANYONE
from demos.bank.tour import Tour
from demos.bank.words import label, money, words_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

HERE = Path(__file__).parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

AWAY = 5.0
"""Seconds after which a service that does not answer counts as off."""

ACTIONS = ("build", "compare", "switch", "go_back", "delete")


SEE = "views:Assets"
"""What it takes to send a form at all, where it is known who asks: the permission that the figures themselves take."""

TAKES = {"stop": "console:control", "start": "console:control"}
"""What the buttons of the tour take; the others what the console asks for the same."""

MOST_CLIENTS = 50
"""How many visitors' connections are kept."""

ANYBODY = Visitor(id=ANYONE, permissions=frozenset(("*",)))


class Guarded:
    """Answers this machine only, under its own names, or whoever is known; takes forms of its own only; and says what a browser
    may do with it.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance | None) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._let_in(scope, headers)
        except Problem as problem:
            await Response(problem.detail, problem.type.status, media_type="text/plain")(scope, receive, send)
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)

    def _let_in(self, scope: Scope, headers: dict[bytes, str]) -> None:
        """Everybody on this machine, or whom the host has let in. Those who send a form are asked once more, with that."""
        if self._entrance is None:
            _check_form(scope, headers)
            check_reach(scope, headers.get(b"host"))
            scope["visitor"] = ANYBODY
        else:
            scope["visitor"] = scope.get(VISITOR)


def _turned_away(scope: Scope, denied: Denied) -> Response:
    """To the login, where nobody is known; else the reason."""
    if denied.needed is None:
        query = scope["query_string"].decode("latin-1")
        back = scope["path"] + (f"?{query}" if query else "") if scope["method"] == "GET" else "/"
        return RedirectResponse(f"/console/login?{urlencode({'back': back})}", 303)
    return Response(str(denied), 403, media_type="text/plain")


_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def _check_form(scope: Scope, headers: dict[bytes, str]) -> None:
    """`forbidden` for a form that a page of another site sends with this browser."""
    if scope["method"] != "POST":
        return
    origin, host = headers.get(b"origin"), headers.get(b"host")
    ours = urlsplit(origin).netloc == host if origin else headers.get(b"sec-fetch-site", "same-origin") == "same-origin"
    if not ours:
        raise Problem("forbidden", "this form was sent by a page of another site")


class Page:
    """The routes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.tour = Tour(site)
        self._clients: dict[tuple[str, ...], Client] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def _client(self, request: Request, context: str) -> Client:
        """Asks a context through the gateway, for whoever asks here."""
        visitor: Visitor = request.scope["visitor"]
        release = self.tour.release
        key = (context, str(release), *visitor.along.values())
        found = self._clients.get(key)
        if found is None:
            if len(self._clients) >= MOST_CLIENTS:
                self._clients.clear()
            app = assets_of(release) if context == "assets" else self.site.system.app(context)
            found = self._clients[key] = Client(
                f"{self.site.gateway}/{context}", app, actor=visitor.id, headers=visitor.along, timeout=AWAY, tries=1
            )
        return found

    # Looking.

    def home(self, request: Request) -> Response:
        """The page of the opening slide."""
        return self._customer(request, CAMILLE.customer)

    def customer(self, request: Request) -> Response:
        """Any customer's page."""
        return self._customer(request, request.path_params["customer"])

    def _customer(self, request: Request, customer: str) -> Response:
        found = self._figures(request, customer)
        return self._page(request, "customer.html", **found, **self._tour(request))

    def figures(self, request: Request) -> Response:
        """The part of it that changes."""
        found = self._figures(request, request.path_params["customer"])
        return self._page(request, "figures.html", **found)

    def _figures(self, request: Request, customer: str) -> dict[str, Any]:
        row, operations, away = None, list[Any](), None
        assets = self._client(request, "assets")
        view = code_of(self.tour.release).Assets
        try:
            row = assets.row(view, customer)
            operations = assets.newest(Query.of(tags=[f"customer:{customer}"]), limit=8)
        except ActumError as wrong:
            away = str(wrong)
        shown = [one for one in operations if hasattr(one.event, "amount")]
        return {"customer": customer, "row": row, "operations": shown, "away": away}

    def customers(self, request: Request) -> Response:
        """Everybody."""
        rows, away = list[Any](), None
        code = code_of(self.tour.release)
        try:
            rows = list(self._client(request, "assets").ask(code.Customers(count=50)))
        except ActumError as wrong:
            away = str(wrong)
        return self._page(request, "customers.html", rows=rows, away=away)

    # Doing.

    async def pay(self, request: Request) -> Response:
        """Something is paid in, or out: a command, through the gateway."""
        form = await _form(request)
        await self._let_in(request, SEE, form)
        customer = str(request.path_params["customer"])
        account = Customer(customer, "", "").account
        try:
            amount = Decimal(form.get("amount", "").replace(",", "."))
        except InvalidOperation:
            amount = Decimal(0)
        command = (
            Deposit(account=account, amount=amount, label="by the page · par la page")
            if form.get("way") == "in"
            else Withdraw(account=account, amount=amount, label="by the page · par la page")
        )
        return await _in_thread(self._paid, request, customer, command)

    def _paid(self, request: Request, customer: str, command: Any) -> Response:
        words = words_of(_language(request))
        try:
            said = words.done.format(position=self._client(request, "accounts").execute(command).position)
        except Denied:
            raise
        except Refused as refused:
            said = words.refused.format(why=refused)
        except ActumError:
            said = words.away
        where = "/" if customer == CAMILLE.customer else f"/customers/{customer}"
        return _back(request, where, said=said)

    async def _let_in(self, request: Request, permission: str, form: dict[str, str]) -> None:
        """Whoever sends a form, which was given to them. What a command takes, its context knows."""
        if self.site.entrance is not None:
            request.scope["visitor"] = await self.site.entrance.admit(
                request.scope, permission, csrf=form.get("csrf", "")
            )

    async def act(self, request: Request) -> Response:
        """A button of the tour."""
        action = request.path_params["action"]
        form = await _form(request)
        await self._let_in(request, TAKES.get(action, "console:operate"), form)
        return await _in_thread(self._act, request, action, form.get("name", ""))

    def _act(self, request: Request, action: str, name: str) -> Response:
        try:
            if action in ACTIONS:
                getattr(self.tour, action)(request.scope["visitor"].id)
            elif action == "stop":
                self.tour.stop(name)
            elif action == "start":
                self.tour.start(name)
        except ActumError as wrong:
            return _back(request, "/", said=str(wrong))
        return _back(request, "/")

    # The tour.

    def _tour(self, request: Request) -> dict[str, Any]:
        words = words_of(_language(request))
        step = request.query_params.get("step", "1")
        number = min(max(int(step), 1), len(words.steps)) if step.isascii() and step.isdigit() else 1
        found: dict[str, Any] = {
            "step": number,
            "now": words.steps[number - 1],
            "done": self.tour.done,
            "release": self.tour.release,
            "alone": self.site.control is None,
            "pieces": (),
            "consequences": (),
            "standings": (),
        }
        if number == len(words.steps):
            found |= self._services()
        return found

    def _services(self) -> dict[str, Any]:
        return {
            "pieces": self.tour.pieces(),
            "consequences": self.tour.consequences(),
            "standings": self.tour.standings(),
            "alone": self.site.control is None,
        }

    def services(self, request: Request) -> Response:
        """The services as they are now."""
        return self._page(request, "services.html", **self._services())

    # Rendering.

    def choose(self, request: Request) -> Response:
        """Another language, or another theme, for a year."""
        answer = RedirectResponse(_local(request.query_params.get("back", "/")), 303)
        for name, allowed in (("language", ("fr", "en")), ("theme", ("light", "dark"))):
            value = request.query_params.get(name)
            if value in allowed:
                answer.set_cookie(name, value, max_age=31_536_000, samesite="lax", httponly=True)
        return answer

    def _page(self, request: Request, template: str, **values: Any) -> Response:
        language = _language(request)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        text = self._templates.get_template(template).render(
            words=words_of(language),
            language=language,
            theme=request.cookies.get("theme", ""),
            here=here,
            said=request.query_params.get("said", ""),
            money=partial(money, language=language),
            label=partial(label, language=language),
            camille=CAMILLE.customer,
            visitor=request.scope["visitor"],
            **values,
        )
        return HTMLResponse(text, headers={"cache-control": "no-store"})

    @asynccontextmanager
    async def _open(self, _: Starlette) -> AsyncIterator[None]:
        yield
        for client in self._clients.values():
            client.close()

    def app(self) -> ASGIApp:
        """All of it."""
        routes = [
            Route("/", self.home),
            Route("/choose", self.choose),
            Route("/customers", self.customers),
            Route("/customers/{customer}", self.customer),
            Route("/customers/{customer}/figures", self.figures),
            Route("/customers/{customer}/pay", self.pay, methods=["POST"]),
            Route("/tour/services", self.services),
            Route("/tour/{action}", self.act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
        guarded = Middleware(Guarded, entrance=self.site.entrance)
        return Starlette(routes=routes, middleware=[guarded], exception_handlers={Denied: _denied}, lifespan=self._open)


def page(site: Site) -> ASGIApp:
    """The bank's page, for `System(page="demos.bank.page:page")`."""
    return Page(site).app()


def _denied(request: Request, denied: Exception) -> Response:
    """Somebody may not do that, or has to say first who they are."""
    assert isinstance(denied, Denied)
    if denied.needed is None or request.method == "GET":
        return _turned_away(request.scope, denied)
    return _back(request, "/", said=words_of(_language(request)).denied.format(needed=denied.needed))


def _language(request: Request) -> str:
    asked = request.query_params.get("language") or request.cookies.get("language", "fr")
    return asked if asked in ("fr", "en") else "fr"


async def _in_thread(function: Any, *arguments: Any) -> Response:
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415

    answer: Response = await run_in_threadpool(function, *arguments)
    return answer


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; of several values of one name the last."""
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _local(back: str) -> str:
    """A path of this site, and of no other."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"


def _back(request: Request, where: str, *, said: str = "") -> Response:
    query = {"step": request.query_params.get("step", "1")} | ({"said": said} if said else {})
    return RedirectResponse(f"{where}?{urlencode(query)}", 303)
