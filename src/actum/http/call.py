"""One request on its way to its answer: bounded, read, and understood as far as every route needs it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.responses import Response

from actum.http.parameters import Parameters
from actum.http.problem import MEDIA_TYPE, Problem
from actum.http.said import POSITION, headers_of, said_in
from actum.journal.errors import Invalid
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope

    from actum.http.policy import Principal
    from actum.http.said import Said
    from actum.http.served import Served
    from actum.journal.event import Position

JSON = "application/json"
NOTHING = said_in({})


class Call:
    """A request: its headers as said, its parameters, its body when asked for; and the application it is for.

    `still` raises `Denied` once whoever was let in may not be here any more.
    """

    def __init__(self, scope: Scope, receive: Receive, served: Served) -> None:
        self.scope = scope
        self.served = served
        self._receive = receive
        self.headers = {name.decode("latin-1"): value.decode(errors="replace") for name, value in scope["headers"]}
        self.said: Said = NOTHING
        self.names: Mapping[str, Any] = {}
        self.principal: Principal | None = None
        self.still: Callable[[], object] = lambda: None

    def understand(self) -> None:
        """Take in what the headers say. Problems, or `Invalid`, for what cannot be said so; then nothing was said."""
        self._check_size()
        self.headers = headers_of(self.scope["headers"])
        self.said = said_in(self.headers)

    @property
    def method(self) -> str:
        """The method."""
        method: str = self.scope["method"]
        return method

    @property
    def root(self) -> str:
        """Where this application is mounted."""
        return mounted_at(self.scope) or "/"

    def address(self) -> str:
        """What was asked for, as it was sent; of a login only where to, since the rest is a secret."""
        path = quote(self.scope["path"])
        query = self.scope.get("query_string", b"").decode("ascii", "replace")
        return f"{path}?{query}" if query and "/login" not in path else path

    def cookies(self) -> dict[str, str]:
        """The cookies that came along."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}

    def segments(self, behind: int) -> list[str]:
        """The address as it was sent, in its segments, percent-encoded, without the first `behind` of this application."""
        sent: bytes | None = self.scope.get("raw_path")
        path = sent.decode("ascii", "replace") if sent else quote(self.scope["path"])
        return path.removeprefix(quote(mounted_at(self.scope))).split("/")[behind + 1 :]

    def parameters(self) -> Parameters:
        """What stands behind the question mark."""
        return Parameters(self.scope.get("query_string", b""), most=self.served.limits.parameters)

    def _check_size(self) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in self.scope["headers"])
        size += len(self.scope.get("query_string", b"")) + len(self.scope.get("raw_path") or b"")
        most = self.served.limits.headers
        if size > most:
            raise Problem("headers-too-large", f"the headers have {size} bytes, {most} at the most", limit=most)

    async def body(self) -> bytes:
        """The JSON that was sent. Problems for another content type, too much of it, or too slow a sender."""
        self._check_content_type()
        most = self.served.limits.body
        if _number(self.headers.get("content-length")) > most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.served.limits.receive):
                return await self._read(most)
        except TimeoutError:
            raise Problem(
                "too-slow", f"the body did not arrive within {self.served.limits.receive:g} seconds"
            ) from None

    def _check_content_type(self) -> None:
        kind, _, parameters = self.headers.get("content-type", "").partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if kind.strip().lower() != JSON or charset not in ("", "charset=utf-8"):
            found = self.headers.get("content-type", "none")
            raise Problem("unsupported-media-type", f"expected content-type: {JSON}, found {found:.80}", accepts=[JSON])
        if self.headers.get("content-encoding", "identity") != "identity":
            raise Problem("unsupported-media-type", "expected a body without content-encoding", accepts=["identity"])

    async def _read(self, most: int) -> bytes:
        body = bytearray()
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Invalid("the sender went away before the body was complete")
            body += message.get("body", b"")
            if len(body) > most:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> Problem:
        most = self.served.limits.body
        return Problem("too-large", f"the body has more than {most} bytes", limit=most)

    def matches(self, etag: str) -> bool:
        """Whether the caller has that version already."""
        known = self.headers.get("if-none-match", "")
        return known.strip() == "*" or etag in (each.strip() for each in known.split(","))


def mounted_at(scope: Scope) -> str:
    """Where this application stands inside another one; empty where it stands by itself.

    The specification has it in `root_path`; some frameworks take it off the path and say it nowhere, but leave what was sent.
    """
    root: str = scope.get("root_path", "")
    path: str = scope["path"].rstrip("/")
    sent = unquote((scope.get("raw_path") or b"").decode("ascii", "replace")).rstrip("/")
    if (root and path.startswith(root)) or not path or not sent.endswith(path):
        return root
    return sent[: len(sent) - len(path)]


def path_in(scope: Scope) -> str:
    """The address within this application, without a slash at its end."""
    root, path = scope.get("root_path", ""), str(scope["path"])
    inside = path[len(root) :] if root and path.startswith(root) else path
    return inside.rstrip("/") or "/"


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else 0


def answer(
    content: object, *, position: Position | None = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer as JSON. `content` is bytes that are JSON already, or what becomes JSON."""
    body = content if isinstance(content, bytes) else to_json(content)
    named = dict(headers or {})
    if position is not None:
        named[POSITION] = str(position)
    return Response(body, status, named, JSON)


def etag_of(*parts: object) -> str:
    """The version of an answer: its position, which is said last, and a mark of the code and the folds it came from."""
    *code, position = parts
    return f'W/"{position}-{sha256(repr(code).encode()).hexdigest()[:12]}"'


def unchanged(etag: str, position: Position) -> Response:
    """The caller has it already."""
    return Response(status_code=304, headers={"etag": etag, POSITION: str(position)})


def trouble(problem: Problem, instance: str | None = None) -> Response:
    """A problem as an answer."""
    if instance is not None:
        problem.members["instance"] = instance
    return Response(problem.document(), problem.type.status, problem.headers, MEDIA_TYPE)
