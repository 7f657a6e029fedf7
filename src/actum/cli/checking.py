"""`actum check`: whether an application's rules, states and reactions are functions of what they are given."""

from __future__ import annotations

import sys

import click
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.options import app_option, json_option, load_app
from actum.cli.terminal import line, out, readable
from actum.testing.purity import found_in


@click.command()
@app_option
@json_option
def check(app: str, as_json: bool) -> None:
    """Read the code of rules, states, processes and schedules for clocks, chance, and whatever else is not given to them.

    Projections write to their database, but of clocks and chance they would write something else when they begin anew.
    Effects may do what they like, but draw no keys of their own: a second attempt would have another one.
    """
    found = found_in(load_app(app))
    for one in found:
        if as_json:
            line({"where": one.where, "reaches": one.reaches, "advice": one.advice})
        else:
            out().print(Text.assemble(("✗ ", "red"), readable(str(one))), soft_wrap=True)
    if found:
        sys.exit(FOUND)
    if not as_json:
        out().print(Text.assemble(("✓ ", "green"), "nothing depends on anything but what it is given"))
