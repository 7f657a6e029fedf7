"""`actum effects`: calls to the outside, those first of which nobody knows what became of them; and saying what did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from actum.cli.fields import message_from
from actum.cli.helping import helps_on, lists
from actum.journal.errors import Unknown

if TYPE_CHECKING:
    from uuid import UUID

    from actum.decision.outcome import Decided
    from actum.service.agenda import EffectRow
    from actum.service.running import Running


@click.group()
def effects() -> None:
    """Look at effects and say what became of them: list, retry, resolve, discard."""


effect_argument = click.argument("effect", type=click.UUID)


@effects.command("list")
@lists("effect", "request_type", "position", "status", "attempt", "due", "worker", "error")
def list_(running: Running, *, everything: bool) -> list[EffectRow]:
    """List the effects that are not over, unknown ones first."""
    work = running.processes
    rows = work.unknown_effects()
    known = {row.effect for row in rows}
    under_way = work.effects().where("status", "in", ["requested", "calling", "unknown", "failed"]).order("due")
    rows += [row for row in under_way if row.effect not in known]
    if everything:
        rows += work.effects().where("status", "in", ["done", "discarded"])
    return rows


@effects.command()
@effect_argument
@helps_on("{effect} will be tried again")
def retry(running: Running, *, effect: UUID, reason: str, actor: str) -> Decided:
    """Have an EFFECT that failed, or is unknown, called again with the same key by whoever runs the application."""
    return running.processes.retry_effect(effect, reason=reason, actor=actor)


@effects.command()
@effect_argument
@click.argument("answer", required=False)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@helps_on("{effect} is done")
def resolve(
    running: Running, *, effect: UUID, answer: str | None, fields: tuple[str, ...], reason: str, actor: str
) -> Decided:
    """Say that an EFFECT was had, and what its ANSWER was: `actum effects resolve ID MailSent member=M-1 receipt=4711`."""
    types = running.app.codec.types
    if answer is not None and answer not in types:
        raise Unknown("event", answer, tuple(sorted(types)))
    answers = [] if answer is None else [message_from(types[answer], fields, json=None)]
    return running.processes.resolve_effect(effect, *answers, reason=reason, actor=actor)


@effects.command()
@effect_argument
@helps_on("{effect} is discarded")
def discard(running: Running, *, effect: UUID, reason: str, actor: str) -> Decided:
    """Give an EFFECT up: it was not had, and will not be."""
    return running.processes.discard_effect(effect, reason=reason, actor=actor)
