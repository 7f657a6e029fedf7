"""Commands in: the body is the command, the key is its id, and the answer says what came of it and where it stands."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from actum.decision.acting import acting, current
from actum.decision.command import command_id_of
from actum.history.finding import event_at
from actum.http.answers import outcome_of, record_of
from actum.http.call import answer
from actum.http.problem import Problem, problem_of
from actum.http.said import CORRELATION, IDEMPOTENCY_KEY, uuid_in
from actum.journal.clock import SYSTEM_IDS, uuid_of
from actum.journal.errors import Invalid, Refused, Unknown
from actum.journal.message import from_json

if TYPE_CHECKING:
    from starlette.responses import Response

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.http.call import Call
    from actum.journal.event import Position

AGAIN = ("outcome-unknown", "busy", "conflict", "unavailable", "storage-full")
"""Problems after which the same command may be sent again, with the key that they name."""

_MINIMAL = "return=minimal"


async def command(call: Call) -> Response:
    """`POST /commands/{name}`: have the command decided, once for its key."""
    served = call.served
    cls = served.app.command_type(call.names["name"])
    given = from_json(await call.body(), cls)
    id = _id_of(call)
    with served.commands.enter():
        try:
            decided = await _decided(call, given, uuid_of(id))
            if decided.repeated:
                await _check_whose(call, decided.position)
            handler = served.app.handler(cls).name
            receipt = None if _wants_little(call) else await served.receipts.of(decided, handler=handler)
        except Exception as wrong:
            if isinstance(wrong, Refused) and wrong.repeated:
                await _check_whose(call, wrong.position)
            problem = problem_of(wrong) or Problem("internal", str(wrong))
            served.metrics.decided(command=cls.__kind__.type, outcome=problem.type.name)
            if problem.type.name == "internal":
                raise
            problem.headers[CORRELATION] = str(call.said.acting.correlation or uuid_of(id))
            if problem.type.name in AGAIN:
                problem.members["idempotency_key"] = str(call.said.id or uuid_of(id))
            raise problem from wrong
    served.metrics.decided(command=cls.__kind__.type, outcome="repeated" if decided.repeated else "decided")
    headers = {
        "location": f"{call.root.rstrip('/')}/decisions/{uuid_of(id)}",
        CORRELATION: str(call.said.acting.correlation or uuid_of(id)),
    }
    if decided.repeated:
        headers["idempotency-replayed"] = "true"
    return answer(outcome_of(decided, receipt), position=decided.position, headers=headers)


def _id_of(call: Call) -> bytes:
    """The id of the command. Where it is known who asks, a key that is a text is their own: others may have the same."""
    said, who = call.said.id, call.principal
    if said is None:
        return SYSTEM_IDS.new()
    if isinstance(said, UUID) or who is None:
        return command_id_of(said)
    return command_id_of(sha256(f"{who.tenant or ''}\n{who.id}\n{said}".encode()).hexdigest())


async def _check_whose(call: Call, position: Position) -> None:
    """`reused` where the command that was decided before was somebody else's: nobody is answered for another."""
    who = call.principal
    if who is None:
        return
    first = await asyncio.to_thread(event_at, call.served.running.running.store, position)
    if (first.metadata.actor, first.metadata.tenant) != (who.id, who.tenant):
        raise Problem(
            "reused", "the key stands for a command that somebody else gave; give this one a new Idempotency-Key"
        )


def _wants_little(call: Call) -> bool:
    """RFC 7240: `Prefer: return=minimal` leaves the receipt out."""
    return _MINIMAL in call.headers.get("prefer", "").replace(" ", "").lower().split(",")


async def _decided(call: Call, given: Command, id: UUID) -> Decided:
    said = call.said
    who = said.acting
    running = call.served.running
    if who.actor is None and running.running.actor is None and current().actor is None:
        raise Invalid("nobody is acting: say who with the header Actum-Actor")
    names = {name: getattr(who, name) for name in who.__struct_fields__}
    try:
        with acting(**names):
            async with asyncio.timeout(call.served.limits.wait):
                return await running.execute(given, id=id, effective_at=said.effective_at)
    except TimeoutError:
        raise Problem(
            "outcome-unknown",
            f"no decision within {call.served.limits.wait:g} seconds; it may still come: send the same command again "
            f"with the same {IDEMPOTENCY_KEY}",
            headers={"Retry-After": "1"},
        ) from None


async def decision(call: Call) -> Response:
    """`GET /decisions/{key}`: what was decided on a command, by its id; how to find out an outcome that is not known."""
    key: str = call.names["key"]
    id = uuid_in(key)
    if id is None:
        raise Invalid(f"expected a command's id, a UUID, found {key!r:.80}")
    found = await call.served.read(call.served.running.running.store.decision, id.bytes)
    if found is None:
        raise Unknown("decision", key)
    return answer(record_of(found), position=found.last)
