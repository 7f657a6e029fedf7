"""Rows are made of events, and share nothing with one another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from actum import App, Event, Running, Tag, View

Name = Annotated[str, Tag("name")]


class Paired(Event):
    one: Name
    two: Name
    words: list[str]


class Said(Event):
    name: Name
    word: str


class Person(View):
    name: Name
    words: list[str] = []

    def evolve(self, event: Paired | Said) -> None:
        match event:
            case Paired(words=words):
                self.words = words
            case Said(word=word):
                self.words.append(word)


app = App("pairs")
app.view(Person)


def rows(running: Running) -> dict[str, list[str]]:
    running.catch_up()
    return {row.name: row.words for row in running.view(Person)}


def test_rows_that_are_made_of_one_event_are_not_changed_by_what_changes_the_other(tmp_path: Path):
    journal = tmp_path / "j.db"
    expected = {"x": ["p", "q"], "y": ["p", "z"]}
    with app.open(journal, actor="t", follow=False) as running:
        running.append(Paired(one="x", two="y", words=["p"]))
        running.append(Said(name="x", word="q"))
        running.append(Said(name="y", word="z"))
        assert rows(running) == expected
        told = running.explain(Person, "x", column="words")
        assert (told.value, told.exact) == (["p", "q"], True)
    for file in tmp_path.glob("j.views*"):
        file.unlink()
    with app.open(journal, actor="t", follow=False) as running:
        assert rows(running) == expected
