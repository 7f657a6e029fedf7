"""How the program ends: an exit code that says what to do next, and one clear sentence."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from actum.cli.terminal import complain, readable
from actum.journal.errors import (
    ActumError,
    Busy,
    Conflict,
    Corrupted,
    Invalid,
    Misdeclared,
    OutcomeUnknown,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = 1
"""Refused, or something was found that does not hold."""

WRONG = 2
"""Mend the call, or the program."""

AGAIN = 3
"""Try again."""

UNAVAILABLE = 4
"""Mend the system."""

INTERRUPTED = 130
"""Somebody pressed Ctrl-C."""

_CODES: tuple[tuple[type[ActumError], int], ...] = (
    (Refused, FOUND),
    (Conflict, AGAIN),
    (Busy, AGAIN),
    (OutcomeUnknown, AGAIN),
    (Invalid, WRONG),
    (Misdeclared, WRONG),
    (Corrupted, UNAVAILABLE),
    (Unavailable, UNAVAILABLE),
)


def code_of(error: ActumError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNAVAILABLE)


class Doors(click.Group):
    """The group of all verbs: what goes wrong on purpose inside is said in one sentence, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one needs them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb."""
        return guarded(lambda: super(Doors, self).invoke(ctx))


def guarded(work: Callable[[], Any]) -> object:
    """Do it; what goes wrong on purpose ends the program with its code."""
    try:
        return work()
    except ActumError as wrong:
        complain(readable(str(wrong)))
        sys.exit(code_of(wrong))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
