"""`actum views rebuild-rows`: some rows of a view built anew, compared with those that readers see, and put in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.naming import view_names
from actum.cli.options import MOMENT, app_option, journal_option, json_option, load_app, read_database_option
from actum.cli.rebuilding import reason_option, show, summary
from actum.cli.terminal import bar, line, note, out
from actum.cli.views import open_
from actum.journal.message import to_json
from actum.projection.view import plan_of

if TYPE_CHECKING:
    from actum.history.as_of import Moment


@click.command("rebuild-rows")
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@click.option("--key", "keys", multiple=True, metavar="KEY", help="The row of this key; may be repeated.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="The rows of events with this tag; repeated, with all of them."
)
@click.option("--since", type=MOMENT, metavar="MOMENT", help="The rows of events from a position, or a time, on.")
@click.option("--until", type=MOMENT, metavar="MOMENT", help="The rows of events up to a position, or a time.")
@click.option("--switch", "switches", is_flag=True, help="And put them in place, all at once.")
@click.option(
    "--actor",
    envvar="ACTUM_ACTOR",
    metavar="NAME",
    help="Who does it: a pseudonym; needed with --switch. [env: ACTUM_ACTOR]",
)
@reason_option
@click.option(
    "-n", "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="At most so many rows one by one."
)
@json_option
def rebuild_rows(
    view: str,
    app: str,
    journal: str,
    read_database: str | None,
    keys: tuple[str, ...],
    tags: tuple[str, ...],
    since: Moment | None,
    until: Moment | None,
    switches: bool,
    actor: str | None,
    reason: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Build some rows of a VIEW anew from the journal, and compare them with those that readers see.

    The exit code is 1 where they differ and are not put in place. A key of several identities has them in lines.
    """
    cls = load_app(app).view_type(view)
    wanted = [plan_of(cls).ids_of(key) for key in keys]
    with open_(app, journal, read_database, actor=actor) as running, bar(f"rebuild {view}") as shown:
        begun = running.rebuild_rows(cls, keys=wanted, tags=tags, since=since, until=until, progress=shown.move)
        found = begun.diff(limit=limit)
        position = begun.switch(found, reason=reason) if switches else None
    if as_json:
        line(summary(found) | {"built": begun.count, "on_record": position})
        for row in found.rows:
            line(msgspec.Raw(to_json(row)))
    else:
        show(found)
        if position is not None:
            said = f": {begun.count:,} rows are in place; on record at position {position:,}"
            out().print(Text.assemble(("✓ ", "green"), (cls.__name__, "bold"), said))
    if position is None and not found.equal:
        if not as_json:
            note("--switch puts them in place")
        raise SystemExit(FOUND)
