"""`actum serve`: an application behind an HTTP door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from actum.cli.options import journal_option, json_option, load_app, read_database_option
from actum.cli.piece import security_option
from actum.cli.terminal import err, line, note
from actum.journal.errors import Unavailable

if TYPE_CHECKING:
    from actum.host.secured import Secured


@click.command()
@click.argument("app", envvar="ACTUM_APP")
@journal_option
@read_database_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The port; 0 is a free one.",
)
@click.option(
    "--actor", envvar="ACTUM_ACTOR", metavar="NAME", help="Who acts where a request does not say. [env: ACTUM_ACTOR]"
)
@security_option
@json_option
def serve(
    app: str,
    journal: str,
    read_database: str | None,
    host: str,
    port: int,
    actor: str | None,
    security: Secured | None,
    as_json: bool,
) -> None:
    """Serve an application, named MODULE:ATTRIBUTE, over HTTP: commands in, answers and events out.

    Makes the journal where there is none, and keeps its views up to date. Ends cleanly on Ctrl-C and on SIGTERM: what is
    under way is finished first. /openapi.json says what can be asked.
    """
    try:
        from actum.http.asgi import asgi  # noqa: PLC0415 - comes with the extra `http`
        from actum.http.serving import Serving  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise Unavailable(
            f"serving needs {missing.name}, which is not installed; pip install 'actum[http]'"
        ) from missing
    declared = load_app(app)
    guarded = None if security is None else security.load()
    with declared.open(journal, actor=actor, read_database=read_database) as running:
        serving = Serving(asgi(declared, running, security=guarded), host=host, port=port)

        def tell() -> None:
            if as_json:
                line({"serving": declared.name, "journal": journal, "url": serving.url})
            else:
                err().print(
                    Text.assemble((declared.name, "bold"), f" serves {journal} at {serving.url}. Ctrl-C stops it.")
                )

        serving.run(tell)
    if not as_json:
        note("stopped; what was under way is finished")
