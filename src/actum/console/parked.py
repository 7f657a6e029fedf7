"""What was put aside: keys that views could not take in, and instances of processes; retried, or passed over with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actum.console.answering import Moved, Shown
from actum.console.troubles import trouble_of
from actum.journal.errors import ActumError, Invalid, Unknown

if TYPE_CHECKING:
    from actum.console.asked import Asked
    from actum.projection.parking import ParkedKey
    from actum.service.running import Running

SHOWN = 200
"""How many are shown of each context."""


def parked(asked: Asked) -> Shown:
    """`/parked`: everything that is put aside."""
    found = [_of_context(asked, name, running) for name, running in asked.house.contexts.items()]
    total = sum(len(each["keys"]) + len(each["instances"]) for each in found)
    return Shown("parked.html", asked.words("Parked"), {"contexts": found, "total": total}, here="parked")


def _of_context(asked: Asked, name: str, running: Running) -> dict[str, Any]:
    try:
        keys = [_key(asked, name, each) for each in running.parked()[:SHOWN]]
        trouble = None
    except ActumError as wrong:
        keys, trouble = [], trouble_of(wrong, asked.words)
    return {
        "context": name,
        "colour": asked.house.colour(name),
        "keys": keys,
        "instances": _instances(asked, name, running),
        "trouble": trouble,
    }


def _key(asked: Asked, context: str, each: ParkedKey) -> dict[str, Any]:
    return {"parked": each, "event": asked.link(context, "events", each.position), "key": each.key.replace("\n", " · ")}


def _instances(asked: Asked, context: str, running: Running) -> list[dict[str, Any]]:
    try:
        page = running.processes.instances().where("status", "=", "parked").page(limit=SHOWN)
    except ActumError:
        return []
    return [
        {"row": row, "event": asked.link(context, "events", row.parked_at) if row.parked_at else ""}
        for row in page.rows
    ]


def act(asked: Asked) -> Moved:
    """`POST /{context}/parked/{verb}`: take up again, or pass over. On record, in the name of whoever asks."""
    running, form = asked.house.running(asked.names["context"]), asked.form
    actor, reason = asked.actor or "console", form.get("reason", "").strip()
    what = form.get("instance") or form.get("key", "")
    if not reason and (asked.names["verb"] == "discard" or form.get("instance")):
        raise Invalid("say why: that goes on record")
    match asked.names["verb"], bool(form.get("instance")):
        case "retry", True:
            running.processes.retry_instance(what, reason=reason, actor=actor)
        case "discard", True:
            running.processes.discard_instance(what, reason=reason, actor=actor)
        case "retry", False:
            running.retry(form.get("view", ""), what, actor=actor)
        case "discard", False:
            running.discard(form.get("view", ""), what, reason=reason, actor=actor)
        case verb, _:
            raise Unknown("verb", verb, ("retry", "discard"))
    return Moved(asked.link("parked"))
