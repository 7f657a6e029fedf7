"""What many verbs are told in the same way: which journal, which application, machine lines or not, as of when."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from actum.cli.terminal import note
from actum.journal.errors import Invalid, Unavailable
from actum.journal.event import LAST_POSITION
from actum.service.app import App
from actum.service.journals import is_there, place_of
from actum.service.named import load
from actum.service.opening import in_postgres, open_store

if TYPE_CHECKING:
    from actum.history.as_of import Moment
    from actum.journal.store import JournalStore


def _warn_of_secrets(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Everybody on a machine can read what a program was called with."""
    said_here = parameter.name and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    if value and said_here and in_postgres(value) and _PASSWORD.search(value):
        note("the list of processes shows the password to everybody here; use PGPASSFILE, PGPASSWORD or ACTUM_JOURNAL")
    return value


_PASSWORD = re.compile(r"//[^/?@]*:[^/?@]+@|[?&]password=")

journal_option = click.option(
    "--journal",
    envvar="ACTUM_JOURNAL",
    required=True,
    callback=_warn_of_secrets,
    metavar="PATH",
    help="The journal: a file, or postgresql://… [env: ACTUM_JOURNAL]",
)
optional_journal_option = click.option(
    "--journal",
    envvar="ACTUM_JOURNAL",
    callback=_warn_of_secrets,
    metavar="PATH",
    help="The journal: a file, or postgresql://… [env: ACTUM_JOURNAL]",
)
app_option = click.option(
    "--app",
    envvar="ACTUM_APP",
    required=True,
    metavar="MODULE:ATTR",
    help="The application, as in bank:bank. [env: ACTUM_APP]",
)
optional_app_option = click.option(
    "--app",
    envvar="ACTUM_APP",
    metavar="MODULE:ATTR",
    help="The application, as in bank:bank. [env: ACTUM_APP]",
)
read_database_option = click.option(
    "--read-database",
    metavar="PATH",
    help="The views: a file, or postgresql://…, where they are not beside the journal.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")

_AGO = re.compile(r"(\d{1,6})\s*(s|m|h|d)\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class MomentType(click.ParamType[Any]):
    """A position, a time with its zone, or how long ago."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        """What the text stands for."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if value.isascii() and value.isdigit() and int(value) <= LAST_POSITION:
            return int(value)
        try:
            return moment_of(value)
        except Invalid as wrong:
            self.fail(str(wrong), param, ctx)


class TimeType(click.ParamType[Any]):
    """A time with its zone, or how long ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """What the text stands for."""
        try:
            return moment_of(value) if isinstance(value, str) else value
        except Invalid as wrong:
            self.fail(str(wrong), param, ctx)


def moment_of(text: str) -> datetime:
    """The time that a text says: ISO 8601 with a zone, or `90s`, `10m`, `2h`, `7d` for how long ago."""
    if ago := _AGO.match(text):
        return _ago(int(ago[1]), ago[2])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid(
            f"expected a time like 2026-01-31T12:00:00Z, or 10m for ten minutes ago, found {text!r}"
        ) from wrong
    if moment.tzinfo is None:
        raise Invalid(
            f"expected a time with its zone, like {moment.isoformat()}Z or {moment.isoformat()}+01:00, found {text!r}"
        )
    return moment


def _ago(count: int, unit: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(**{_UNITS[unit]: count})
    except OverflowError as wrong:
        raise Invalid(f"{count}{unit} ago is before the year 1; say a smaller number") from wrong


class AgoType(click.ParamType[Any]):
    """How long."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """What the text stands for."""
        ago = _AGO.match(value) if isinstance(value, str) else None
        if ago is None:
            self.fail(f"expected how long, like 90s, 10m, 2h or 7d, found {value!r}", param, ctx)
        return timedelta(**{_UNITS[ago[2]]: int(ago[1])})


MOMENT = MomentType()
TIME = TimeType()
AGO = AgoType()


def load_app(name: str) -> App:
    """The application of that name. `Invalid`, saying what is missing, where there is none."""
    return load(name, App)


def load_app_in(folder: str, name: str) -> App:
    """The application of that name as it stands in another folder, such as an older version's: beside the one from here."""
    if not Path(folder).is_dir():
        raise Invalid(f"there is no folder {folder}")
    here = {key: sys.modules.pop(key) for key in list(sys.modules) if _is_from_here(key)}
    sys.path.insert(0, str(Path(folder).resolve()))
    importlib.invalidate_caches()
    try:
        return load_app(name)
    finally:
        sys.path.pop(0)
        for key in [key for key in sys.modules if _is_from(key, Path(folder).resolve())]:
            del sys.modules[key]
        sys.modules.update(here)


def _is_from_here(module: str) -> bool:
    return _is_from(module, Path.cwd())


def _is_from(module: str, folder: Path) -> bool:
    """Whether a module was found in that folder, and is neither installed nor actum's own."""
    file: str | None = getattr(sys.modules[module], "__file__", None)
    if file is None or "site-packages" in Path(file).parts or module.partition(".")[0] == "actum":
        return False
    return Path(file).resolve().is_relative_to(folder)


def existing(journal: str) -> str:
    """The address of a journal that is there: looking makes none. `Unavailable` where there is none."""
    if not is_there(journal):
        what = "address" if in_postgres(journal) else "path"
        raise Unavailable(f"there is no journal at {place_of(journal)}; check the {what}")
    return journal


def open_to_look(journal: str) -> JournalStore:
    """The journal, for reading only."""
    return open_store(existing(journal), read_only=True)
