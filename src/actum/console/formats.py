"""Numbers, times and values as people read them, in their language. Technical names and stored data stay as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from actum.history.formula import is_number
from actum.journal.clock import to_datetime
from actum.journal.errors import Invalid
from actum.journal.message import to_json

THIN = "\u202f"
"""The narrow space that French puts between thousands."""

_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc."),
}


def number(value: float | Decimal, language: str, *, digits: int | None = None, signed: bool = False) -> str:
    """A number with its thousands apart: `1,234.50`, `1 234,50`. Amounts keep the digits they have, unless told how many."""
    spec = (
        ("+" if signed else "")
        + ","
        + (f".{digits}f" if digits is not None else "f" if isinstance(value, Decimal) else "")
    )
    text = format(value, spec)
    return text.replace(",", THIN).replace(".", ",") if language == "fr" else text


def duration(seconds: float, language: str) -> str:
    """How long: `0.4 s`, `12 s`, `3 min`, `2 h 05`."""
    if seconds < 10:
        return f"{number(seconds, language, digits=1)} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{number(seconds // 3600, language, digits=0)} h {seconds % 3600 // 60:02.0f}"


def moment(value: datetime | int, language: str) -> str:
    """A time to the second, in UTC: `27 Nov 2026 13:04:05`."""
    found = (to_datetime(value) if isinstance(value, int) else value).astimezone(UTC)
    return f"{found.day} {_MONTHS[language][found.month - 1]} {found.year} {found:%H:%M:%S}"


def clock(value: datetime) -> str:
    """The time of a day to the millisecond, in UTC."""
    return f"{value.astimezone(UTC):%H:%M:%S.%f}"[:-3]


def cell(value: Any, language: str) -> str:
    """A value of a state or view."""
    match value:
        case None:
            return "—"
        case bool():
            return {"en": ("no", "yes"), "fr": ("non", "oui")}[language][value]
        case _ if is_number(value):
            return number(value, language)
        case datetime():
            return moment(value, language)
        case date() | UUID():
            return str(value)
        case Enum():
            return str(value.value)
        case str():
            return value
        case _:
            return written(value)


def written(value: Any) -> str:
    """A value as JSON, or as Python shows it."""
    try:
        return to_json(value).decode()
    except Invalid:
        return repr(value)
