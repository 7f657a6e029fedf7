"""`actum piece`: one piece of a system in this process; and what a host asks about a system, hidden."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from actum.host.secured import Secured
from actum.journal.errors import Invalid, Unavailable

Command = TypeVar("Command", bound=Callable[..., Any])

data_option = click.option(
    "--data",
    envvar="ACTUM_DATA",
    metavar="DIR",
    help="The folder of journals, logs and ports; ./SYSTEM.data unless said. [env: ACTUM_DATA]",
)
store_option = click.option(
    "--store",
    envvar="ACTUM_STORE",
    metavar="URL",
    help="postgresql://… where journals lie in PostgreSQL, a schema for each context. [env: ACTUM_STORE]",
)
_WAY = "actum.cli.way"


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Until the `Security` that it belongs to is named."""
    context.meta.setdefault(_WAY, {})[parameter.name] = value


def _secured(context: click.Context, _: click.Parameter, name: str | None) -> Secured | None:
    way: dict[str, Any] = context.meta.get(_WAY, {})
    if name is None:
        if any(way.values()):
            raise Invalid("--public-url and --proxy are about who comes from where: say --security, too")
        return None
    return Secured(name, way["public_url"], tuple(way["proxies"]))


def security_option(command: Command) -> Command:
    """The parameter `security`: a `Secured`, of what is said in three options."""
    named = click.option(
        "--security",
        metavar="MODULE:ATTR",
        callback=_secured,
        help="Who may do what, as in bank:security: a Security. Without it only this machine is answered.",
    )
    public = click.option(
        "--public-url",
        envvar="ACTUM_PUBLIC_URL",
        metavar="URL",
        is_eager=True,
        expose_value=False,
        callback=_keep,
        help="The address that browsers know, where a proxy speaks TLS: https://bank.example.org. [env: ACTUM_PUBLIC_URL]",
    )
    proxies = click.option(
        "--proxy",
        "proxies",
        envvar="ACTUM_PROXIES",
        multiple=True,
        metavar="ADDRESS",
        is_eager=True,
        expose_value=False,
        callback=_keep,
        help="Whose X-Forwarded-For is believed; this machine's with --public-url. Repeatable. [env: ACTUM_PROXIES]",
    )
    return named(public(proxies(command)))


actor_option = click.option(
    "--actor", envvar="ACTUM_ACTOR", metavar="NAME", help="Who acts where a request does not say. [env: ACTUM_ACTOR]"
)
token_option = click.option(
    "--token",
    envvar="ACTUM_TOKEN",
    metavar="TOKEN",
    help="With which contexts hear each other, where the system knows who asks. [env: ACTUM_TOKEN]",
)


def needs_http() -> None:
    """`Unavailable` with what to install, where there is no server here."""
    try:
        import actum.http.serving  # noqa: F401, PLC0415 - comes with the extra `http`  # pyright: ignore[reportUnusedImport]
    except ModuleNotFoundError as missing:
        raise Unavailable(
            f"serving needs {missing.name}, which is not installed; pip install 'actum[http]'"
        ) from missing


@click.command()
@click.argument("system", envvar="ACTUM_SYSTEM")
@click.argument("name", metavar="PIECE")
@data_option
@store_option
@security_option
@actor_option
@token_option
@click.option("--gateway", envvar="ACTUM_GATEWAY", metavar="URL", help="Where the gateway is. [env: ACTUM_GATEWAY]")
@click.option(
    "--gateway-key",
    envvar="ACTUM_GATEWAY_KEY",
    metavar="KEY",
    help="By which a gateway is known that says for whom it asks. [env: ACTUM_GATEWAY_KEY]",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option(
    "--port",
    default=0,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The port; 0 is a free one.",
)
def piece(
    system: str,
    name: str,
    data: str | None,
    store: str | None,
    security: Secured | None,
    actor: str | None,
    token: str | None,
    gateway: str | None,
    gateway_key: str | None,
    host: str,
    port: int,
) -> None:
    """Run one PIECE of a SYSTEM in this process, such as accounts/commands, console or page.

    What `actum up` begins for each piece, and what units and containers begin by themselves: see `actum files`.
    """
    needs_http()
    from actum.host.folder import PRIVATE  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.starting import Asked, start  # noqa: PLC0415

    os.umask(PRIVATE)
    asked = Asked(
        target=system,
        data=data,
        store=store,
        security=security,
        actor=actor,
        gateway=gateway,
        key=gateway_key,
        token=token,
    )
    start(name, asked, host=host, port=port)


@click.command(hidden=True)
@click.argument("system")
@data_option
@store_option
@security_option
@actor_option
@click.option("--gateway", expose_value=False)
def describe(system: str, data: str | None, store: str | None, security: Secured | None, actor: str | None) -> None:
    """What a host needs to know of a system, as JSON; journals that are not there yet are made."""
    from actum.host.describing import describe as told  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.folder import PRIVATE  # noqa: PLC0415
    from actum.host.starting import Asked  # noqa: PLC0415

    os.umask(PRIVATE)
    asked = Asked(target=system, data=data, store=store, security=security, actor=actor)
    sys.stdout.write(told(asked) + "\n")
