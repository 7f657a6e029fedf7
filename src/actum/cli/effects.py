"""`actum effects`: calls to the outside, those first of which nobody knows what became of them; and saying what did."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from actum.cli.fields import message_from
from actum.cli.options import app_option, journal_option, json_option, load_app, read_database_option
from actum.cli.processes import actor_option, all_option, at_work, limit_option, reason_option, say, show
from actum.journal.errors import Unknown

if TYPE_CHECKING:
    from actum.journal.event import Event


@click.group()
def effects() -> None:
    """Look at effects and say what became of them: list, retry, resolve, discard."""


@effects.command("list")
@app_option
@journal_option
@read_database_option
@all_option
@limit_option
@json_option
def list_(app: str, journal: str, read_database: str | None, everything: bool, limit: int, as_json: bool) -> None:
    """List the effects that are not over, unknown ones first."""
    with at_work(app, journal, read_database) as work:
        rows = work.unknown_effects()
        known = {row.effect for row in rows}
        under_way = work.effects().where("status", "in", ["requested", "calling", "unknown", "failed"]).order("due")
        rows += [row for row in under_way if row.effect not in known]
        if everything:
            rows += work.effects().where("status", "in", ["done", "discarded"])
    columns = ("effect", "request_type", "position", "status", "attempt", "due", "worker", "error")
    show(rows, limit, columns, as_json=as_json)


@effects.command()
@click.argument("effect", type=click.UUID)
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def retry(
    effect: UUID, app: str, journal: str, read_database: str | None, actor: str, reason: str, as_json: bool
) -> None:
    """Have an EFFECT that failed, or is unknown, called again with the same key by whoever runs the application."""
    with at_work(app, journal, read_database) as work:
        done = work.retry_effect(effect, reason=reason, actor=actor)
    say(f"{effect} will be tried again", done.position, as_json=as_json)


@effects.command()
@click.argument("effect", type=click.UUID)
@click.argument("answer", required=False)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def resolve(
    effect: UUID,
    answer: str | None,
    fields: tuple[str, ...],
    app: str,
    journal: str,
    read_database: str | None,
    actor: str,
    reason: str,
    as_json: bool,
) -> None:
    """Say that an EFFECT was had, and what its ANSWER was: `actum effects resolve ID MailSent member=M-1 receipt=4711`."""
    answers: list[Event] = []
    if answer is not None:
        types = load_app(app).codec.types
        if answer not in types:
            raise Unknown("event", answer, tuple(sorted(types)))
        answers = [message_from(types[answer], fields, json=None)]
    with at_work(app, journal, read_database) as work:
        done = work.resolve_effect(effect, *answers, reason=reason, actor=actor)
    say(f"{effect} is done", done.position, as_json=as_json)


@effects.command()
@click.argument("effect", type=click.UUID)
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def discard(
    effect: UUID, app: str, journal: str, read_database: str | None, actor: str, reason: str, as_json: bool
) -> None:
    """Give an EFFECT up: it was not had, and will not be."""
    with at_work(app, journal, read_database) as work:
        done = work.discard_effect(effect, reason=reason, actor=actor)
    say(f"{effect} is discarded", done.position, as_json=as_json)
