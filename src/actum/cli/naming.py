"""Names for the shell to complete, from the application that the line or the environment names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from actum.cli.options import load_app
from actum.journal.errors import ActumError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from actum.service.app import App


def names(there: Callable[[App], Iterable[str]]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What completes one of the names that are there; nothing where no application is at hand: a shell hears no complaints."""

    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
        named = context.params.get("app") or os.environ.get("ACTUM_APP")
        try:
            return sorted(name for name in there(load_app(named)) if name.startswith(begun)) if named else []
        except ActumError:
            return []

    return complete


command_names = names(lambda app: app.commands)
query_names = names(lambda app: app.queries)
state_names = names(lambda app: (*app.states, *app.views))
view_names = names(lambda app: app.views)
