"""The `actum` program: its verbs, gathered from the rooms' doors. Thin: what a verb does stands in its own module."""

from __future__ import annotations

import sys

try:
    import click
    import rich  # noqa: F401 - its absence shall be told like click's  # pyright: ignore[reportUnusedImport]
except ModuleNotFoundError as missing:
    sys.exit(f"the command line needs {missing.name}, which is not installed; pip install 'actum[cli]'")

from actum.cli.checking import check
from actum.cli.completion import completion
from actum.cli.deploying import files, gateway
from actum.cli.drilling import drill
from actum.cli.effects import effects
from actum.cli.entity import entity, state
from actum.cli.events import events
from actum.cli.examining import export, import_, verify
from actum.cli.exits import Doors
from actum.cli.explaining import explain
from actum.cli.giving import ask, run, send
from actum.cli.identities import tokens, users
from actum.cli.journal import journal
from actum.cli.parked import parked
from actum.cli.piece import describe, piece
from actum.cli.pieces import kill, logs, pause, ps, resume, start, stop
from actum.cli.processes import processes, timers
from actum.cli.rebuilding import cancel, diff, rebuild, rollback, switch, versions
from actum.cli.rebuilding_rows import rebuild_rows
from actum.cli.searching import search, story_
from actum.cli.serving import serve
from actum.cli.tail import tail
from actum.cli.up import up
from actum.cli.views import views
from actum.cli.work import work

_EPILOG = """\b
Exit codes: 0 done; 1 refused, or something found that does not hold; 2 the call is wrong;
3 a conflict or busy, try again; 4 the journal cannot serve; 130 interrupted."""


@click.group(cls=Doors, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="actum", message="%(prog)s %(version)s")
def main() -> None:
    """A journal for systems that must explain themselves.

    Applications are named MODULE:ATTRIBUTE, as in bank:bank, and found from the folder you are in. Say the journal
    once with ACTUM_JOURNAL, the application with ACTUM_APP.
    """


for verb in (
    *(
        run,
        up,
        ps,
        start,
        stop,
        kill,
        pause,
        resume,
        logs,
        drill,
        files,
        gateway,
        piece,
        describe,
        serve,
        work,
        send,
        ask,
        tail,
        events,
        search,
        story_,
        entity,
        state,
        explain,
        views,
        parked,
        processes,
        timers,
        effects,
    ),
    *(check, verify, export, import_, journal, tokens, users, completion),
):
    main.add_command(verb)
for verb in (rebuild, rebuild_rows, diff, switch, rollback, versions, cancel):
    views.add_command(verb)
