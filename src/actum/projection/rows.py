"""The rows of one view while a page of events is folded into them: kept from page to page, fetched many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeAlias

from actum.journal.readmodel import ALL_SLICES, Slices, slice_of
from actum.projection.view import Plan, ViewT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from actum.decision.state import Identity
    from actum.journal.readmodel import ReadDatabase, Row

ROWS_KEPT = 20_000
"""How many rows are kept in memory, twice at the most."""

KEYS_KNOWN = 100_000
"""Of how many keys or tags it is remembered whether they belong to some slices."""


class Rows(Generic[ViewT]):
    """Finds the rows of some slices that an event's tags name. What is found may be changed."""

    def __init__(
        self, plan: Plan[ViewT], database: ReadDatabase, *, slices: Slices = ALL_SLICES, kept: int = ROWS_KEPT
    ) -> None:
        self._plan = plan
        self._database = database
        self._most = kept
        self._young: dict[tuple[Identity, ...], ViewT] = {}
        self._old: dict[tuple[Identity, ...], ViewT] = {}
        self._whole = False
        self._every_key = _reader(plan, slices)
        self.keys: Keys = self._every_key
        """The keys of these slices that a tag text names, but for those that are left out."""

    def forget(self, *, empty: bool = False) -> None:
        """Forget every row. `empty`: and know that the table has none."""
        self._young, self._old, self._whole = {}, {}, empty

    def leave_out(self, keys: frozenset[str]) -> None:
        """Find no rows of these keys, by their texts, any more; of all others, again."""
        self.keys = _without(keys, self._every_key) if keys else self._every_key

    def having(self, keys: Iterable[tuple[Identity, ...]]) -> dict[tuple[Identity, ...], ViewT]:
        """Rows by their keys, all these among them, made where there are none yet."""
        unknown = set(keys).difference(self._young)
        if unknown:
            self._fetch(unknown)
        return self._young

    def _fetch(self, keys: set[tuple[Identity, ...]]) -> None:
        """Have all these rows among the young ones."""
        old = self._old
        found = {key: old[key] for key in keys if key in old}
        self._young.update(found)
        if len(found) < len(keys):
            self._load([key for key in keys if key not in found])

    def _load(self, keys: list[tuple[Identity, ...]]) -> None:
        plan, young, new = self._plan, self._young, self._plan.fold.new
        if not self._whole:
            wanted: list[Row] = [plan.key(key) for key in keys]
            for row in self._database.load(plan.shape, wanted):
                view = plan.view(row)
                young[plan.ids(view)] = view
        for key in keys:
            if key not in young:
                young[key] = new(key)

    @property
    def full(self) -> bool:
        """Whether there is too much of what was asked for lately."""
        return len(self._young) > self._most

    def age(self) -> None:
        """Let go of what was not asked for since long, where there is too much. Only when every row is written as it is."""
        if self.full:
            if self._old:
                self._whole = False
            self._old, self._young = self._young, {}


def key_text(key: tuple[Identity, ...]) -> str:
    """The text of a key, of which its slice is made."""
    return "\n".join(map(str, key))


Keys: TypeAlias = "Callable[[str], list[tuple[Identity, ...]]]"
"""From an event's tags, as one text, to the keys of its rows."""


def _reader(plan: Plan[ViewT], slices: Slices) -> Keys:
    """The keys of these slices that a tag text names."""
    fold, whole = plan.fold, slices == ALL_SLICES
    if [plan.cells[name].kind for name in fold.identity] == [str]:
        tag = f"{next(iter(fold.identity.values())).name}:"
        return _plain(tag) if whole else _plain_within(tag, slices)

    def keys_of(text: str) -> list[tuple[Identity, ...]]:
        return [*dict.fromkeys(fold.keys(text.split("\n") if text else ()))]

    within = _Within(slices)
    return keys_of if whole else lambda text: [key for key in keys_of(text) if within[key_text(key)]]


def _plain(tag: str) -> Keys:
    """Where a key is what follows the name of its one tag, as it stands there."""
    again, cut = f"\n{tag}", len(tag)

    def keys_of(text: str) -> list[tuple[Identity, ...]]:
        if text.startswith(tag) and again not in text:
            return [(text[cut:].partition("\n")[0],)]  # Most events are about one thing, which is named first.
        return [(part[cut:],) for part in text.split("\n") if part.startswith(tag)]

    return keys_of


def _plain_within(tag: str, slices: Slices) -> Keys:
    """The same in some slices: a look for each tag, since most tags come again."""
    cut, within = len(tag), _TagWithin(tag, slices)
    return lambda text: [(part[cut:],) for part in text.split("\n") if within[part]]


class _Within(dict[str, bool]):
    """Of the text of a key, whether it is in these slices. Most keys come again: what was found is remembered."""

    def __init__(self, slices: Slices) -> None:
        super().__init__()
        self._slices = slices

    def __missing__(self, text: str) -> bool:
        if len(self) >= KEYS_KNOWN:
            self.clear()
        found = self[text] = self.find(text)
        return found

    def find(self, text: str) -> bool:
        """The same, looked up."""
        return slice_of(text) in self._slices


class _TagWithin(_Within):
    """The same of a whole tag; of the tags of others, that they are not."""

    def __init__(self, beginning: str, slices: Slices) -> None:
        super().__init__(slices)
        self._beginning = beginning

    def find(self, text: str) -> bool:
        return text.startswith(self._beginning) and super().find(text.removeprefix(self._beginning))


def _without(keys: frozenset[str], keys_of: Keys) -> Keys:
    """The same function, for all but these keys."""
    return lambda text: [key for key in keys_of(text) if key_text(key) not in keys]
