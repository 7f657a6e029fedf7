"""The rows of one view while a page of events is folded into them: kept from page to page, fetched many at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Generic

from actum.journal.readmodel import ALL_SLICES, Slices, slice_of
from actum.projection.view import Plan, ViewT

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.decision.state import Identity
    from actum.journal.readmodel import ReadDatabase, Row

ROWS_KEPT = 20_000
"""How many rows are kept in memory, twice at the most."""


KEYS_KNOWN = 100_000
"""Of how many keys it is remembered whether they belong to some slices."""


class Rows(Generic[ViewT]):
    """Finds the rows of some slices that an event's tags name. What is found may be changed."""

    def __init__(self, plan: Plan[ViewT], *, slices: Slices = ALL_SLICES, kept: int = ROWS_KEPT) -> None:
        self._plan = plan
        self._most = kept
        self._young: dict[tuple[Identity, ...], ViewT] = {}
        self._old: dict[tuple[Identity, ...], ViewT] = {}
        self._whole = False
        self._all_keys = _keys_reader(plan) if slices == ALL_SLICES else _within(slices, _keys_reader(plan))
        self._keys = self._all_keys

    def forget(self, *, empty: bool = False) -> None:
        """Forget every row. `empty`: and know that the table has none."""
        self._young, self._old, self._whole = {}, {}, empty

    def leave_out(self, keys: frozenset[str]) -> None:
        """Find no rows of these keys, by their texts, any more; of all others, again."""
        self._keys = _without(keys, self._all_keys) if keys else self._all_keys

    def find(self, texts: set[str], database: ReadDatabase) -> dict[str, list[ViewT]]:
        """The rows that each of these tag texts names, made where there are none yet.

        Texts are not remembered from page to page: most come once, and to forget them costs more than to read them.
        """
        keys_of, young = self._keys, self._young
        named = {text: keys_of(text) for text in texts}
        with suppress(KeyError):  # Where a row is not there yet, that is found out soon.
            return {text: [young[key] for key in keys] for text, keys in named.items()}
        self._fetch({key for keys in named.values() for key in keys if key not in young}, database)
        return {text: [young[key] for key in keys] for text, keys in named.items()}

    def _fetch(self, keys: set[tuple[Identity, ...]], database: ReadDatabase) -> None:
        """Have all these rows among the young ones."""
        old = self._old
        found = {key: old[key] for key in keys if key in old}
        self._young.update(found)
        if len(found) < len(keys):
            self._load([key for key in keys if key not in found], database)

    def _load(self, keys: list[tuple[Identity, ...]], database: ReadDatabase) -> None:
        plan, young, new = self._plan, self._young, self._plan.fold.new
        if not self._whole:
            wanted: list[Row] = [plan.key(key) for key in keys]
            for row in database.load(plan.shape, wanted):
                view = plan.view(row)
                young[plan.ids(view)] = view
        for key in keys:
            if key not in young:
                young[key] = new(key)

    def concerned(self, texts: set[str]) -> set[str]:
        """Those of the tag texts that name a row of these slices."""
        keys_of = self._keys
        return {text for text in texts if keys_of(text)}

    def age(self) -> None:
        """Let go of what was not asked for since long, where there is too much. Only between pages."""
        if len(self._young) > self._most:
            if self._old:
                self._whole = False
            self._old, self._young = self._young, {}


def key_text(key: tuple[Identity, ...]) -> str:
    """The text of a key, of which its slice is made."""
    return "\n".join(map(str, key))


def _within(
    slices: Slices, keys_of: Callable[[str], list[tuple[Identity, ...]]]
) -> Callable[[str], list[tuple[Identity, ...]]]:
    """The same function, for the keys of these slices only. Most keys come again: whether one is among them is remembered."""
    known: dict[tuple[Identity, ...], bool] = {}

    def within(key: tuple[Identity, ...]) -> bool:
        if len(known) >= KEYS_KNOWN:
            known.clear()
        found = known[key] = slice_of(key_text(key)) in slices
        return found

    def mine(text: str) -> list[tuple[Identity, ...]]:
        return [key for key in keys_of(text) if (known[key] if key in known else within(key))]

    return mine


def _without(
    keys: frozenset[str], keys_of: Callable[[str], list[tuple[Identity, ...]]]
) -> Callable[[str], list[tuple[Identity, ...]]]:
    """The same function, for all but these keys."""
    return lambda text: [key for key in keys_of(text) if key_text(key) not in keys]


def _keys_reader(plan: Plan[ViewT]) -> Callable[[str], list[tuple[Identity, ...]]]:
    """The function from an event's tags, as one text, to the keys of its rows."""
    fold = plan.fold
    kinds = [plan.cells[name].kind for name in fold.identity]
    if kinds != [str]:
        return lambda text: [*dict.fromkeys(fold.keys(text.split("\n") if text else ()))]
    beginning = f"{next(iter(fold.identity.values())).name}:"
    again, cut = f"\n{beginning}", len(beginning)

    def keys_of(text: str) -> list[tuple[Identity, ...]]:
        if text.startswith(beginning) and again not in text:
            return [(text[cut:].partition("\n")[0],)]  # Most events are about one thing, which is named first.
        return [(part[cut:],) for part in text.split("\n") if part.startswith(beginning)]

    return keys_of
