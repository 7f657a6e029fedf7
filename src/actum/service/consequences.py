"""What follows when pieces of a system are off: which routes still answer, which grow stale, which are refused, what waits.

Pure: worked out from what the applications declare, before anything is switched off. `actum drill` holds it against what
is then seen from outside.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from actum.service.part import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from actum.service.app import App
    from actum.service.system import System

JOURNAL = "journal"
READ_DATABASE = "read-database"
"""Of a context, what is no service and can fail all the same: `accounts/journal` cannot be written any more,
`accounts/read-database` was deleted.
"""

DISK = "disk"
"""Of the whole system, where its journals lie in files: it is full."""

GATEWAY = "gateway"
CONSOLE = "console"


class Happens(Enum):
    """What becomes of a route or of a follower."""

    ANSWERED = "answered"
    """All is as always."""
    STALE = "stale"
    """It answers with what was there, and says up to which position."""
    REFUSED = "refused"
    """It is turned down at once, with a problem that says why; nothing is kept of it."""
    WAITS = "waits"
    """It stands still, and catches up by itself. Nothing is lost."""
    FAILED = "failed"
    """It answers with a fault, or lets nobody in. Never predicted."""


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one thing: a group of routes (`/accounts/commands`) or a follower (`accounts: views`).

    `because` names the pieces that are the reason: none where all is as always. `en` and `fr` say it to people.
    """

    what: str
    context: str | None
    happens: Happens
    because: tuple[str, ...] = ()
    en: str = ""
    fr: str = ""

    @property
    def is_route(self) -> bool:
        """Whether it can be asked from outside."""
        return self.what.startswith("/")


def predicted(system: System, off: Iterable[str]) -> tuple[Consequence, ...]:
    """What follows for every route and follower of the system when these pieces are off, all of them at once.

    Pieces are services (`accounts/commands`), `gateway`, `console`, and what services need: `accounts/journal`,
    `accounts/read-database`, `disk`. `Unknown` for any other name.
    """
    gone = frozenset(checked(system, name) for name in off)
    if DISK in gone:
        gone |= {f"{name}/{what}" for name in system.contexts for what in (JOURNAL, READ_DATABASE)}
    found = [one for name, app in system.contexts.items() for one in _of_context(name, app, gone)]
    found.append(_of_console(gone))
    if GATEWAY in gone:
        return tuple(_shut_off(one) if one.is_route else one for one in found)
    return tuple(found)


def names_of(system: System) -> tuple[str, ...]:
    """Everything that can be off."""
    needs = (f"{name}/{what}" for name in system.contexts for what in (JOURNAL, READ_DATABASE))
    return (*(service.name for service in system.services), GATEWAY, CONSOLE, DISK, *needs)


def checked(system: System, name: str) -> str:
    """The name, if something is called so."""
    if name not in names_of(system):
        system.service(name)
    return name


class _Context:
    """One context with some of its pieces off."""

    def __init__(self, name: str, gone: frozenset[str]) -> None:
        self.name = name
        self._gone = gone

    def off(self, *what: str) -> tuple[str, ...]:
        """Those of its pieces that are off."""
        return self.among(*(f"{self.name}/{one}" for one in what))

    def among(self, *names: str) -> tuple[str, ...]:
        """Those of the pieces that are off."""
        return tuple(name for name in names if name in self._gone)


def _of_context(name: str, app: App, gone: frozenset[str]) -> Iterator[Consequence]:
    context = _Context(name, gone)
    parts = parts_of(app)
    if Part.COMMANDS in parts:
        yield _commands(context)
    yield from _reads(context, app)
    if Part.PROJECTIONS in parts:
        yield _follower(context, "views", Part.PROJECTIONS, READ_DATABASE)
    if app.reacts:
        yield _follower(context, "processes", Part.PROCESSES, JOURNAL)
    for other in app.heard:
        yield _hearing(context, other)


def _commands(context: _Context) -> Consequence:
    what = f"/{context.name}/commands"
    off = context.off(Part.COMMANDS.value, JOURNAL)
    if not off:
        return _as_always(what, context.name)
    return Consequence(
        what=what,
        context=context.name,
        happens=Happens.REFUSED,
        because=off,
        en=f"Nobody can write to {context.name}: commands are turned down with 503, and nothing of them is kept.",
        fr=f"Personne ne peut écrire dans {context.name} : les commandes sont refusées (503), rien n'en est gardé.",
    )


def _reads(context: _Context, app: App) -> Iterator[Consequence]:
    """What the query side answers: from the views, or from the journal itself."""
    shown = ("queries", "views", "live") if app.views else ()
    for route in shown:
        if route == "views" or app.queries:
            yield _read(context, route, fed=(Part.PROJECTIONS.value, READ_DATABASE))
    for route in ("states", "events", "feed") if app.states else ("events", "feed"):
        yield _read(context, route, fed=())


def _read(context: _Context, route: str, *, fed: tuple[str, ...]) -> Consequence:
    what, name = f"/{context.name}/{route}", context.name
    if off := context.off(Part.QUERIES.value):
        return Consequence(
            what=what,
            context=name,
            happens=Happens.REFUSED,
            because=off,
            en=f"Nobody can read {route} of {name}: it is turned down with 503. Commands are still accepted.",
            fr=f"Personne ne peut lire {route} de {name} : c'est refusé (503). Les commandes passent toujours.",
        )
    if off := context.off(*fed):
        return Consequence(
            what=what,
            context=name,
            happens=Happens.STALE,
            because=off,
            en=f"{route} of {name} can still be read, but shows nothing new until {_list(off)} is back.",
            fr=f"{route} de {name} se lit toujours, mais ne montre rien de neuf avant le retour de {_list(off)}.",
        )
    return _as_always(what, name)


def _follower(context: _Context, what: str, part: Part, *needs: str) -> Consequence:
    name = context.name
    off = context.off(part.value, *needs)
    if not off:
        return _as_always(f"{name}: {what}", name)
    return Consequence(
        what=f"{name}: {what}",
        context=name,
        happens=Happens.WAITS,
        because=off,
        en=f"The {what} of {name} stand still, and catch up by themselves; nothing is lost.",
        fr=f"Les {_FRENCH[what]} de {name} s'arrêtent, et le retard se rattrape tout seul ; rien n'est perdu.",
    )


def _hearing(context: _Context, other: str) -> Consequence:
    """What a context hears of another comes through the gateway, from that one's queries."""
    name, what = context.name, f"{context.name}: hears {other}"
    own = context.off(Part.PROCESSES.value, JOURNAL)
    off = (*own, *context.among(f"{other}/{Part.QUERIES.value}", GATEWAY))
    if not off:
        return _as_always(what, name)
    return Consequence(
        what=what,
        context=name,
        happens=Happens.WAITS,
        because=off,
        en=f"{name} hears nothing of {other}: what it shows of it grows old, and is made up for; nothing is lost.",
        fr=f"{name} n'entend plus rien de {other} : ce qu'il en montre vieillit, puis se rattrape ; rien n'est perdu.",
    )


_FRENCH = {"views": "vues", "processes": "processus"}


def _of_console(gone: frozenset[str]) -> Consequence:
    if CONSOLE not in gone:
        return _as_always("/console", None)
    return Consequence(
        what="/console",
        context=None,
        happens=Happens.REFUSED,
        because=(CONSOLE,),
        en="The console cannot be opened; everything else goes on.",
        fr="La console ne s'ouvre plus ; tout le reste continue.",
    )


def _as_always(what: str, context: str | None) -> Consequence:
    return Consequence(
        what=what,
        context=context,
        happens=Happens.ANSWERED,
        en=f"{what} goes on as always.",
        fr=f"{what} continue comme toujours.",
    )


def _shut_off(one: Consequence) -> Consequence:
    return msgspec.structs.replace(
        one,
        happens=Happens.REFUSED,
        because=(*one.because, GATEWAY),
        en=f"{one.what} cannot be reached: nobody comes through the gateway. What works by itself goes on.",
        fr=f"{one.what} est injoignable : la passerelle ne laisse passer personne. Ce qui travaille seul continue.",
    )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
