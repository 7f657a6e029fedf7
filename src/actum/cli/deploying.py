"""`actum files` and `actum gateway`: what others need to run a system's pieces, and the gateway in front of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actum.cli.options import json_option
from actum.cli.piece import data_option, needs_http, security_option, store_option
from actum.cli.terminal import line, note
from actum.journal.errors import Invalid
from actum.service.named import load_system

if TYPE_CHECKING:
    from actum.host.secured import Secured

port_option = click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The gateway's port.",
)
host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The gateway's address."
)


@click.command()
@click.argument("kind", type=click.Choice(["systemd", "docker", "compose"]))
@click.argument("system", envvar="ACTUM_SYSTEM")
@click.option("--out", required=True, metavar="DIR", help="The folder to write them to.")
@click.option("--data", metavar="DIR", help="Where journals lie there; /var/lib/SYSTEM unless said.")
@host_option
@port_option
@click.option("--scale", multiple=True, metavar="NAME=N", help="How many do a service, as of `actum up`. Repeatable.")
@security_option
@click.option("--folder", metavar="DIR", help="Where the code lies there; this folder unless said.")
@click.option("--python", default=sys.executable, metavar="PATH", help="The Python there; this one unless said.")
@json_option
def files(
    kind: str,
    system: str,
    out: str,
    data: str | None,
    host: str,
    port: int,
    scale: tuple[str, ...],
    security: Secured | None,
    folder: str | None,
    python: str,
    *,
    as_json: bool,
) -> None:
    """Write the files by which systemd or containers run each piece of a SYSTEM, with the gateway in front.

    Secrets stand in none of them: ACTUM_STORE, ACTUM_GATEWAY_KEY and ACTUM_TOKEN come from the environment.
    """
    needs_http()
    from actum.host.describing import described  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.files import MAKERS, Files, write  # noqa: PLC0415
    from actum.host.plan import pieces_of, scaled  # noqa: PLC0415

    if kind != "systemd" and security is None:
        raise Invalid("a container is reached from elsewhere: say --security, so that it knows who asks")
    about = described(load_system(system))
    wanted = Files(
        target=system,
        described=about,
        pieces=pieces_of(about, scale=scaled(about, scale)),
        data=data or f"/var/lib/{about.name.lower()}",
        port=port,
        host=host if kind == "systemd" else "0.0.0.0",  # noqa: S104 - it knows who asks
        security=security,
        folder=folder or str(Path.cwd()),
        python=python,
    )
    written = write(MAKERS[kind](wanted), Path(out))
    for path in written:
        if as_json:
            line({"written": str(path)})
        else:
            note(f"written: {path}")


@click.command()
@click.argument("system", envvar="ACTUM_SYSTEM")
@click.option(
    "--at",
    multiple=True,
    required=True,
    metavar="NAME=URL",
    help="Where a piece is: accounts/queries=http://127.0.0.1:9000.",
)
@click.option(
    "--gateway-key",
    envvar="ACTUM_GATEWAY_KEY",
    metavar="KEY",
    help="By which the pieces know it. [env: ACTUM_GATEWAY_KEY]",
)
@data_option
@store_option
@host_option
@port_option
@security_option
def gateway(
    system: str,
    at: tuple[str, ...],
    gateway_key: str | None,
    data: str | None,
    store: str | None,
    host: str,
    port: int,
    security: Secured | None,
) -> None:
    """Run the gateway of a SYSTEM alone, in front of pieces that units or containers run: see `actum files`."""
    needs_http()
    from actum.host.child import Teller  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.standalone import gateway_to  # noqa: PLC0415
    from actum.host.starting import Asked, around_of  # noqa: PLC0415
    from actum.http.serving import Serving  # noqa: PLC0415

    teller = Teller()
    around = around_of(Asked(target=system, data=data, store=store, security=security))
    made = gateway_to(
        around.system,
        at,
        key=gateway_key,
        secured=security is not None,
        admits=around.admission,
    )
    serving = Serving(made, host=host, port=port)

    def tell() -> None:
        teller.ready(serving.url)
        note(f"the gateway of {around.system.name} is at {serving.url}")

    serving.run(tell)
