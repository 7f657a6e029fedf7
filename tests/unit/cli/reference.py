"""The reference page of the command line, written from the program itself: `python -m tests.unit.cli.reference`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from actum.cli.main import main
from tests.house import DOCS

INTRODUCTION = """# Command line

The `actum` program comes with the extra `cli`: `pip install 'actum[cli]'`. This page is written from the program itself;
`--help` (or `-h`) after any verb says the same, `actum --version` which actum it is, and `actum completion` makes your
shell complete all of it.

Applications are named `MODULE:ATTRIBUTE` and found from the folder you are in. What one says again and again can be said
once, in the environment:

| Variable | Instead of |
| --- | --- |
| `ACTUM_JOURNAL` | `--journal`: the journal, a file or `postgresql://…` |
| `ACTUM_APP` | `--app`: the application |
| `ACTUM_ACTOR` | `--actor`: who asks, or who switches a view |

A moment is a position, a time with its zone (`2026-01-31T12:00:00Z`), or how long ago (`90s`, `10m`, `2h`, `7d`).

Answers go to standard output; progress bars, notes and complaints to standard error, and bars only to a terminal and
only where something takes longer than a second. With `--json` an answer is one JSON object a line. `NO_COLOR` is
respected. What is stored can never move the cursor: control characters are shown, not obeyed.

## Exit codes

| Code | Means | What to do |
| --- | --- | --- |
| 0 | done | |
| 1 | refused by a rule, or something was found that does not hold | read the answer |
| 2 | the call is wrong, or the application's declarations are | mend the call |
| 3 | a conflict, or somebody else holds what is needed | try again |
| 4 | the journal cannot serve: not there, damaged, full, read-only | mend the system |
| 130 | interrupted | |
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_verbs(main, "actum")])


def _verbs(group: click.Group, path: str) -> Iterator[str]:
    for name, verb in group.commands.items():
        yield from _verb(verb, f"{path} {name}")
        if isinstance(verb, click.Group):
            yield from _verbs(verb, f"{path} {name}")


def _verb(verb: click.Command, path: str) -> Iterator[str]:
    yield f"{'###' if path.count(' ') > 1 else '##'} `{path}`\n"
    yield f"{inspect.cleandoc(verb.help or '')}\n"
    arguments = [_word(one) for one in verb.params if isinstance(one, click.Argument)]
    if arguments:
        yield f"Arguments: `{' '.join(arguments)}`\n"
    options = [one for one in verb.params if isinstance(one, click.Option)]
    if options:
        yield "| Option | |\n| --- | --- |"
        yield from (f"| {_names(one)} | {(one.help or '').replace('|', chr(92) + '|')} |" for one in options)
        yield ""


def _word(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    name = (argument.name or "").upper().rstrip("_")
    return f"[{name}]..." if argument.nargs == -1 else name


def _names(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    return ", ".join(f"`{name}{value if name.startswith('--') else ''}`" for name in option.opts)


if __name__ == "__main__":
    (DOCS / "reference" / "cli.md").write_text(reference(), encoding="utf-8")
