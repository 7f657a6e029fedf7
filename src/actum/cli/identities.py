"""`actum tokens` and `actum users`: who is let in at the door of an application."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from actum.cli.options import json_option
from actum.cli.terminal import line, note, out
from actum.journal.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.http.identities import Identities

identities_option = click.option(
    "--identities",
    envvar="ACTUM_IDENTITIES",
    required=True,
    metavar="PATH",
    help="The journal of tokens and users, as the Security names it. [env: ACTUM_IDENTITIES]",
)
actor_option = click.option(
    "--actor", envvar="ACTUM_ACTOR", required=True, metavar="NAME", help="Who asks: a pseudonym. [env: ACTUM_ACTOR]"
)
role_option = click.option(
    "--role", "roles", multiple=True, metavar="ROLE", help="A role of the policy; may be repeated."
)
tenant_option = click.option("--tenant", metavar="NAME", help="Whose it is, where several are served.")


@contextmanager
def _opened(path: str) -> Iterator[Identities]:
    try:
        from actum.http.identities import Identities  # noqa: PLC0415 - comes with the extra `http`
    except ModuleNotFoundError as missing:
        raise Unavailable(f"this needs {missing.name}, which is not installed; pip install 'actum[http]'") from missing
    with Identities(path) as identities:
        yield identities


@click.group()
def tokens() -> None:
    """Let programs in: create tokens, list them, revoke one."""


@tokens.command()
@click.argument("name")
@identities_option
@role_option
@click.option(
    "--permission", "permissions", multiple=True, metavar="PERMISSION", help="As in commands:Transfer; may be repeated."
)
@click.option("--days", default=90, show_default=True, metavar="N", help="For how long it is good; 366 at the most.")
@tenant_option
@actor_option
@json_option
def create(
    name: str,
    identities: str,
    roles: tuple[str, ...],
    permissions: tuple[str, ...],
    days: int,
    tenant: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Create a token for the program called NAME, which is the actor of its commands. It is shown once, and nowhere kept."""
    with _opened(identities) as known:
        token = known.issue(name, roles=roles, permissions=permissions, days=days, tenant=tenant, actor=actor)
    if as_json:
        line({"token": token, "id": token.split("_")[1], "name": name})
        return
    note("this is shown once; keep it where secrets are kept")
    click.echo(token)


@tokens.command("list")
@identities_option
@json_option
def list_(identities: str, as_json: bool) -> None:
    """List tokens, without their secrets."""
    with _opened(identities) as known:
        found = known.tokens()
    for token in found:
        if as_json:
            line({name: getattr(token, name) for name in token.__struct_fields__ if name != "digest"})
        else:
            state = "revoked" if token.revoked else f"until {token.expires:%Y-%m-%d}"
            out().print(f"{token.token}  {token.name}  {state}  {' '.join((*token.roles, *token.permissions))}")


@tokens.command()
@click.argument("token")
@identities_option
@actor_option
def revoke(token: str, identities: str, actor: str) -> None:
    """Let the TOKEN of that id in no longer."""
    with _opened(identities) as known:
        known.revoke(token, actor=actor)


@click.group()
def users() -> None:
    """Let people log in: add users, list them, give one another password, log one out, remove one."""


def _password() -> str:
    """From a person, twice; or the first line of a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


@users.command()
@click.argument("user")
@identities_option
@role_option
@tenant_option
@actor_option
def add(user: str, identities: str, roles: tuple[str, ...], tenant: str | None, actor: str) -> None:
    """Let the person called USER log in; the password is asked for, or read from a pipe."""
    with _opened(identities) as known:
        known.add_user(user, _password(), roles=roles, tenant=tenant, actor=actor)


@users.command("list")
@identities_option
@json_option
def list_users(identities: str, as_json: bool) -> None:
    """List who may log in."""
    with _opened(identities) as known:
        found = known.users()
    for user in found:
        if as_json:
            line({"user": user.user, "roles": user.roles, "tenant": user.tenant})
        else:
            out().print(f"{user.user}  {' '.join(user.roles)}")


@users.command()
@click.argument("user")
@identities_option
@actor_option
def password(user: str, identities: str, actor: str) -> None:
    """Give the USER another password, asked for or read from a pipe."""
    with _opened(identities) as known:
        known.set_password(user, _password(), actor=actor)


@users.command()
@click.argument("user")
@identities_option
@actor_option
def logout(user: str, identities: str, actor: str) -> None:
    """End all sessions of the USER, also of one for whom a provider vouches: named as the actor of what they do."""
    with _opened(identities) as known:
        known.log_out(user, actor=actor)


@users.command()
@click.argument("user")
@identities_option
@actor_option
def remove(user: str, identities: str, actor: str) -> None:
    """Let the USER log in no longer; who is logged in is out at once."""
    with _opened(identities) as known:
        known.remove_user(user, actor=actor)
