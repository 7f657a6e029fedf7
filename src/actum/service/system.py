"""A system: some bounded contexts that belong together, and the services they are made of.

```python
bank = System("bank", accounts, placements, assets)
bank.services                 # accounts/commands, accounts/projections, accounts/queries, accounts/processes, …
bank.places("bank.data")      # where each context's journal and read database lie
```
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.journal.errors import Invalid, Misdeclared, Unknown
from actum.service.app import App
from actum.service.opening import in_postgres
from actum.service.part import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TAKEN = frozenset({"console", "gateway", "services", "page", "control"})
"""Names that stand for pieces and paths of every system."""


class Service(msgspec.Struct, frozen=True):
    """One part of one context, as it can run in a process of its own: `accounts/commands`."""

    context: str
    part: Part

    @property
    def name(self) -> str:
        """The name by which it is started, stopped and found."""
        return f"{self.context}/{self.part.value}"

    def __str__(self) -> str:
        return self.name


class Place(msgspec.Struct, frozen=True):
    """Where one context keeps what it knows: its journal, and the read database derived from it. May hold a password."""

    journal: str
    read_database: str


class System:
    """Some contexts by their names. `page` names what makes the system's own page, as `module:attribute`: a function from
    a `Site` to an ASGI application, which answers at `/`. `older` has, by context, applications of before, so that the
    console can say since which events two definitions of a view differ.

    Raises `Misdeclared` where two contexts have one name, or a name stands for something else in every system.
    """

    def __init__(
        self, name: str, *contexts: App, page: str | None = None, older: Mapping[str, App] | None = None
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise Misdeclared(f"System({name!r}): expected letters, digits, '-' or '_'")
        if not contexts:
            raise Misdeclared(f"System({name!r}): expected at least one application")
        self.name = name
        self.page = page
        self.older = dict(older or {})
        self.contexts: dict[str, App] = {}
        for app in contexts:
            if not isinstance(app, App):
                raise Misdeclared(f"System({name!r}): expected applications, found {app!r:.80}")
            if app.name in self.contexts:
                raise Misdeclared(f"System({name!r}): two contexts are called {app.name}; rename one")
            if app.name in TAKEN:
                raise Misdeclared(f"System({name!r}): {app.name!r} stands for something else; rename the context")
            if schema_of(app.name) in map(schema_of, self.contexts):
                raise Misdeclared(
                    f"System({name!r}): {app.name!r} and another context would have one schema; rename one"
                )
            self.contexts[app.name] = app
        if unknown := self.older.keys() - self.contexts.keys():
            raise Misdeclared(f"System({name!r}): older names {min(unknown)!r}, which is none of its contexts")

    def app(self, context: str) -> App:
        """The application of that context; `Unknown` where there is none."""
        if context not in self.contexts:
            raise Unknown("context", context, tuple(sorted(self.contexts)))
        return self.contexts[context]

    @property
    def services(self) -> tuple[Service, ...]:
        """Every service there is, context by context."""
        return tuple(Service(name, part) for name, app in self.contexts.items() for part in parts_of(app))

    def service(self, name: str) -> Service:
        """The service of that name; `Unknown` where there is none."""
        for service in self.services:
            if service.name == name:
                return service
        raise Unknown("service", name, tuple(service.name for service in self.services))

    def places(self, data: str | Path, *, store: str | None = None) -> dict[str, Place]:
        """Where each context keeps what it knows: files in the folder `data`, or schemas of the database `store`."""
        return dict(self._places(Path(data), store))

    def _places(self, data: Path, store: str | None) -> Iterator[tuple[str, Place]]:
        if store is not None and not in_postgres(store):
            raise Invalid("store: expected postgresql://…; files lie in the data folder")
        for name in self.contexts:
            if store is None:
                yield name, Place(str(data / f"{name}.actum"), str(data / f"{name}.views.db"))
            else:
                journal = f"{store}{'&' if '?' in store else '?'}journal={schema_of(name)}"
                yield name, Place(journal, journal)


def schema_of(context: str) -> str:
    """The schema that keeps a context's journal in PostgreSQL."""
    plain = context.lower().replace("-", "_")
    return plain if plain[0].isalpha() else f"c_{plain}"


def system_of(declared: App | System) -> System:
    """The same as a system: an application alone is one of a single context."""
    return System(declared.name, declared) if isinstance(declared, App) else declared
