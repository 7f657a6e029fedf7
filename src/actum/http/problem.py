"""What went wrong, as a document for programs (RFC 9457), and back into the very same error on the client's side.

Each type is told apart by what the caller does next, as in `actum.journal.errors`. Knows nothing of servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from actum.journal.decoders import decoder_for
from actum.journal.errors import (
    ActumError,
    Busy,
    Conflict,
    Corrupted,
    Denied,
    Invalid,
    Misdeclared,
    NewerSchema,
    NotAJournal,
    OutcomeUnknown,
    ReadOnly,
    Refused,
    Reused,
    StorageFull,
    Unavailable,
    Unknown,
)
from actum.projection.paging import PLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

URN = "urn:actum:problem:"
"""How the types of all problems begin."""

MEDIA_TYPE = "application/problem+json"
"""The content type of a problem."""


class Type(msgspec.Struct, frozen=True):
    """One type of problem: its name behind `urn:actum:problem:`, its status, what it says, and what to do."""

    name: str
    status: int
    title: str
    remedy: str

    @property
    def urn(self) -> str:
        """The type as documents carry it."""
        return URN + self.name


TYPES: dict[str, Type] = {
    each.name: each
    for each in (
        Type("refused", 422, "The rules said no", "tell the person who asked; it is on record at `position`"),
        Type("conflict", 409, "Something that matters happened meanwhile", "read again, decide again"),
        Type("not-yet", 409, "The journal has not come so far", "ask again later, or for an earlier position"),
        Type("invalid", 400, "The request does not fit", "mend what `errors` points at; nothing was written"),
        Type("reused", 422, "The key stands for another command", "give a new command a new Idempotency-Key"),
        Type("cursor", 422, "There is no such place to go on from", "begin anew, without the cursor"),
        Type("not-found", 404, "Nothing here is called so", "mend the name; `known` lists those there are"),
        Type("method-not-allowed", 405, "Not with this method", "use one of those in `Allow`"),
        Type("too-slow", 408, "The request took too long to arrive", "send it again, faster"),
        Type("too-large", 413, "The request is too large", "send less; `limit` says how much there may be"),
        Type("unsupported-media-type", 415, "Not in this content type", "send application/json in UTF-8"),
        Type("misdirected", 421, "Not under this name", "ask under the name it is served as, or configure security"),
        Type("elsewhere", 421, "Another service answers that", "ask the gateway, or one of `services`"),
        Type("too-costly", 422, "The answer would take too long", "ask for a state or a row, or for a later moment"),
        Type("headers-too-large", 431, "The headers are too large", "send fewer, or shorter ones"),
        Type("unauthenticated", 401, "It is not known who asks", "show a token, or log in"),
        Type("forbidden", 403, "Whoever asks may not", "ask for the permission in `needed`"),
        Type("too-many-requests", 429, "Too many requests", "wait as long as `Retry-After` says"),
        Type("busy", 503, "Busy", "try again after `Retry-After` seconds; nothing was written"),
        Type("draining", 503, "About to stop", "try again: another instance, or this one soon"),
        Type(
            "service-off",
            503,
            "The service for that is off",
            "come again after `Retry-After` seconds; nothing was done",
        ),
        Type("unavailable", 503, "The journal cannot serve", "mend the system"),
        Type("storage-full", 507, "The disk is full", "make room; nothing of the request was written"),
        Type("read-only", 503, "The journal cannot be written", "mend the permissions"),
        Type("corrupted", 503, "Stored bytes are not what was stored", "restore from a copy"),
        Type("not-a-journal", 503, "The file is something else", "mend the path"),
        Type("newer-schema", 503, "A newer actum wrote it", "upgrade actum"),
        Type("outcome-unknown", 504, "Nobody can say yet whether it was done", "send it again with `idempotency_key`"),
        Type("internal", 500, "A fault of the program", "tell whoever runs it; its log names this `instance`"),
    )
}
"""Every type of problem by its name."""


class Problem(Exception):
    """A problem, to raise inside the door: a type, a sentence, further members of the document, headers."""

    def __init__(
        self, name: str, detail: str, /, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.type = TYPES[name]
        self.detail = detail
        self.members = members
        self.headers = dict(headers or {})

    def document(self) -> bytes:
        """The document, as JSON."""
        standard = {"type": self.type.urn, "title": self.type.title, "status": self.type.status, "detail": self.detail}
        return _ENCODER.encode(standard | self.members)


INSIDE = frozenset({"unavailable", "storage-full", "read-only", "corrupted", "not-a-journal", "newer-schema"})
"""Types whose sentence may name files, addresses and data."""


def kept_in(problem: Problem) -> Problem:
    """The same for whoever is not to know what it looks like inside."""
    if problem.type.name not in INSIDE:
        return problem
    detail = "something inside is not as it should be; whoever runs it finds in its log what"
    return Problem(problem.type.name, detail, headers=problem.headers)


_ENCODER = msgspec.json.Encoder(decimal_format="string", enc_hook=str)


def pointer_of(where: str) -> str:
    """The place inside a message as a JSON pointer in a fragment: `Order.lines[2].amount` is `#/lines/2/amount`."""
    steps = where.replace("[...]", "").replace("[", ".").replace("]", "").replace("'", "").split(".")[1:]
    return "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps if step)


def problem_of(error: BaseException) -> Problem | None:
    """The problem that an error of actum is; None for any other error."""
    if isinstance(error, Problem):
        return error
    return next((make(error) for kind, make in _MAKERS if isinstance(error, kind)), None)


def _refused(error: Refused) -> Problem:
    facts = {name: str(value) for name, value in error.facts.items()}
    headers = {"Idempotency-Replayed": "true"} if error.repeated else None
    return Problem(
        "refused",
        str(error),
        headers=headers,
        reason=error.reason,
        facts=facts,
        position=error.position,
        repeated=error.repeated,
    )


def _conflict(error: Conflict) -> Problem:
    collided = {"position": error.position, "type": error.type, "tags": error.tags, "after": error.after}
    return Problem("conflict", str(error), collided=collided, headers=_again(0))


def _invalid(error: Invalid) -> Problem:
    if error.where == PLACE:
        return Problem("cursor", str(error), where=PLACE)
    where = "#" if error.where is None else pointer_of(error.where)
    return Problem("invalid", str(error), errors=[{"pointer": where, "detail": str(error)}], where=error.where)


def _unknown(error: Unknown) -> Problem:
    return Problem("not-found", str(error), what=error.what, name=error.name, known=error.known)


def _denied(error: Denied) -> Problem:
    if error.needed is None:
        return Problem("unauthenticated", str(error), headers={"WWW-Authenticate": 'Bearer realm="actum"'})
    return Problem("forbidden", str(error), needed=error.needed)


def _again(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


def _simple(name: str, *, retry_after: int | None = None) -> Callable[[Any], Problem]:
    headers = None if retry_after is None else _again(retry_after)
    return lambda error: Problem(name, str(error), headers=headers)


_MAKERS: tuple[tuple[type[ActumError], Callable[[Any], Problem]], ...] = (
    (Refused, _refused),
    (Conflict, _conflict),
    (Unknown, _unknown),
    (Reused, _simple("reused")),
    (Invalid, _invalid),
    (Denied, _denied),
    (Busy, _simple("busy", retry_after=1)),
    (OutcomeUnknown, _simple("outcome-unknown", retry_after=1)),
    (StorageFull, _simple("storage-full")),
    (ReadOnly, _simple("read-only")),
    (Corrupted, _simple("corrupted")),
    (NotAJournal, _simple("not-a-journal")),
    (NewerSchema, _simple("newer-schema")),
    (Unavailable, _simple("unavailable", retry_after=5)),
    (Misdeclared, _simple("internal")),
)


# And back.


class Document(msgspec.Struct, frozen=True):
    """A problem as a client reads it. Members that others may have added are passed over."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    reason: str = ""
    facts: dict[str, str] = {}
    position: int = 0
    repeated: bool = False
    collided: dict[str, Any] = {}
    where: str | None = None
    needed: str | None = None
    what: str | None = None
    name: str = ""
    known: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The name of the type, without the URN around it; empty for a problem of somebody else's."""
        return self.type.removeprefix(URN) if self.type.startswith(URN) else ""


def read(body: bytes, *, status: int) -> Document:
    """The document that came with an answer; one that says only the status, where it is none of ours."""
    try:
        return decoder_for(Document).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Document(status=status, detail=f"the server answered {status}: {body[:200].decode(errors='replace')}")


def error_of(document: Document) -> ActumError:
    """The error to raise for a problem: the one that was raised inside the application."""
    detail = document.detail or document.title or f"the server answered {document.status}"
    match document.short:
        case "refused":
            refused = Refused(document.reason, **document.facts)
            refused.position, refused.repeated = document.position, document.repeated
            return refused
        case "conflict" if document.collided:
            return Conflict(**_conflicted(document.collided))
        case "not-found" if document.what is not None:
            return Unknown(document.what, document.name, document.known)
        case "unauthenticated":
            return Denied(detail)
        case "forbidden":
            return Denied(detail, needed=document.needed or "unnamed")
        case "reused":
            return Reused(detail)
        case short:
            return _plain(short, document.status, detail, document.where)


def _conflicted(collided: dict[str, Any]) -> dict[str, Any]:
    tags = cast("list[str]", collided.get("tags", []))
    return {name: collided.get(name, 0) for name in ("position", "after")} | {
        "type": str(collided.get("type", "")),
        "tags": tuple(tags),
    }


_KINDS: dict[str, type[ActumError]] = {
    "busy": Busy,
    "draining": Busy,
    "service-off": Busy,
    "too-many-requests": Busy,
    "outcome-unknown": OutcomeUnknown,
    "storage-full": StorageFull,
    "read-only": ReadOnly,
    "corrupted": Corrupted,
    "not-a-journal": NotAJournal,
    "newer-schema": NewerSchema,
}


def _plain(short: str, status: int, detail: str, where: str | None) -> ActumError:
    """By the type where it is ours; else by what the status says whose turn it is."""
    kind = _KINDS.get(short)
    if kind is not None:
        return kind(detail)
    match status:
        case 429 | 503 if not short:
            return Busy(detail)
        case 502 | 504:
            return OutcomeUnknown(detail)
        case _ if status >= 500 or status < 400:
            return Unavailable(detail)
        case _:
            return Invalid(detail, where=where)
