"""What the headers of a request say of it: its id, who acts, for whom, why, as part of which story and trace.

Texts in headers are UTF-8, percent-encoded where they hold anything but printable ASCII. Knows nothing of servers.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from uuid import UUID

import msgspec

from actum.decision.acting import Acting
from actum.journal.errors import Invalid
from actum.journal.metadata import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

IDEMPOTENCY_KEY = "idempotency-key"
ACTOR = "actum-actor"
ON_BEHALF_OF = "actum-on-behalf-of"
REASON = "actum-reason"
EFFECTIVE_AT = "actum-effective-at"
CORRELATION = "actum-correlation"
CAUSATION = "actum-causation"
POSITION = "actum-position"
LAST_EVENT_ID = "last-event-id"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

LONGEST_TRACESTATE = 512
"""How many characters of a trace's state are carried on (W3C Trace Context, §3.3.1.5)."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?\Z")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"\Z')


class Said(msgspec.Struct, frozen=True):
    """The headers of one request, understood. `id` is None where the caller gave no key."""

    id: UUID | str | None
    acting: Acting
    effective_at: datetime | None


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by their names in lower case, the last of several; `Invalid` for what is no UTF-8."""
    try:
        return {name.decode("latin-1").lower(): value.decode() for name, value in raw}
    except UnicodeDecodeError as wrong:
        raise Invalid("a header is no UTF-8; percent-encode what is not ASCII") from wrong


def said_in(headers: dict[str, str]) -> Said:
    """What they say. `Invalid`, naming the header, for what they cannot say."""
    return Said(
        id=key_of(headers.get(IDEMPOTENCY_KEY)),
        acting=Acting(
            actor=_text(headers, ACTOR),
            on_behalf_of=_text(headers, ON_BEHALF_OF),
            reason=_text(headers, REASON),
            correlation=_uuid(headers, CORRELATION),
            causation=_uuid(headers, CAUSATION),
            traceparent=traceparent_of(headers),
            tracestate=tracestate_of(headers),
        ),
        effective_at=_time(headers, EFFECTIVE_AT),
    )


def key_of(value: str | None) -> UUID | str | None:
    """A command's id from its `Idempotency-Key`: a UUID as such, any other text as text, in quotes or without."""
    if value is None:
        return None
    quoted = _QUOTED.match(value.strip())
    text = unquote(re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value.strip())
    if not 0 < len(text) <= 1000:
        raise Invalid(f"Idempotency-Key: expected a UUID or a text of 1 to 1000 characters, found {len(text)}")
    return uuid_in(text) or text


def uuid_in(text: str) -> UUID | None:
    """The UUID that the text is, in its canonical form; None where it is something else."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def traceparent_of(headers: dict[str, str]) -> str | None:
    """The trace that the request is part of. One that is not well-formed is passed over, as the standard demands."""
    value = headers.get(TRACEPARENT, "")
    if not _TRACEPARENT.match(value) or (value.startswith("00") and len(value) != 55):
        return None
    return value[:LONGEST_TEXT]


def tracestate_of(headers: dict[str, str]) -> str | None:
    """What the tracing systems along the way have noted; without a trace, nothing."""
    value = headers.get(TRACESTATE, "")
    if (
        traceparent_of(headers) is None
        or not 0 < len(value) <= LONGEST_TRACESTATE
        or not (value.isascii() and value.isprintable())
    ):
        return None
    return value


def moment_in(text: str, what: str) -> datetime:
    """A time with its zone, ISO 8601."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid(f"{what}: expected a time like 2026-01-31T12:00:00Z, found {text!r:.80}") from wrong
    if moment.tzinfo is None:
        raise Invalid(
            f"{what}: expected a time with its zone, like {moment.isoformat()}Z or {moment.isoformat()}+01:00, found {text!r:.80}"
        )
    return moment


def encoded(text: str) -> str:
    """The text as a header carries it."""
    return quote(text, safe=" !#$&'()*+,-./:;<=>?@[]^_`{|}~")


def headers_for(said: Said) -> dict[str, str]:
    """The same, to send: the opposite of `said_in`."""
    acting = said.acting
    named = {
        IDEMPOTENCY_KEY: None if said.id is None else f'"{encoded(str(said.id))}"',
        ACTOR: acting.actor and encoded(acting.actor),
        ON_BEHALF_OF: acting.on_behalf_of and encoded(acting.on_behalf_of),
        REASON: acting.reason and encoded(acting.reason),
        EFFECTIVE_AT: None if said.effective_at is None else said.effective_at.isoformat(),
        CORRELATION: None if acting.correlation is None else str(acting.correlation),
        CAUSATION: None if acting.causation is None else str(acting.causation),
        TRACEPARENT: acting.traceparent,
        TRACESTATE: acting.tracestate,
    }
    return {name: value for name, value in named.items() if value is not None}


def _text(headers: dict[str, str], name: str) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    text = unquote(value)
    if not 0 < len(text) <= LONGEST_TEXT or "\ufffd" in text:
        raise Invalid(f"{name}: expected a text of 1 to {LONGEST_TEXT} characters, percent-encoded UTF-8")
    return text


def _uuid(headers: dict[str, str], name: str) -> UUID | None:
    value = headers.get(name)
    if value is None:
        return None
    found = uuid_in(value.strip())
    if found is None:
        raise Invalid(f"{name}: expected a UUID, found {value!r:.80}")
    return found


def _time(headers: dict[str, str], name: str) -> datetime | None:
    value = headers.get(name)
    return None if value is None else moment_in(value.strip(), name)
