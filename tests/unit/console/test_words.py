"""Everything that the console says, it says in French too; numbers and times as one writes them there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actum.console import formats
from actum.console.french import FRENCH
from actum.console.services import LASTS, VERBS
from actum.console.troubles import REMEDIES
from actum.console.views import ROLES
from actum.console.words import ONE, Words, joined
from actum.http.problem import TYPES
from actum.service.consequences import Happens
from actum.service.control import PieceState
from tests.house import PACKAGE

ROOM = PACKAGE / "console"


def said() -> set[str]:
    """Every sentence of templates and pages, and those that they put together."""
    found = {state.value for state in (*PieceState, *Happens)} | set(VERBS) | set(LASTS) | set(ROLES.values())
    for path in (*ROOM.glob("templates/*.html"), *ROOM.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        found |= {one or other for one, other in re.findall(r"""\b(?:_|words)\(\s*(?:"([^"]+)"|'([^']+)')""", text)}
    return found | set(ONE.values()) | {each.title for each in TYPES.values()} | set(REMEDIES.values())


def test_every_sentence_is_there_in_french():
    assert sorted(said() - set(FRENCH)) == []


def test_every_problem_says_what_people_can_do():
    assert set(REMEDIES) == set(TYPES)


def test_no_french_sentence_is_left_over():
    known = said()
    others = {"added", "removed", "changed", "open", "parked", "ended", "requested", "calling", "unknown", "failed"}
    others |= {"done", "discarded", "dark", "light", "as the system"}
    assert sorted(set(FRENCH) - known - others) == []


def test_a_sentence_has_the_same_places_in_both():
    for english, french in FRENCH.items():
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", french)), english


def test_no_line_begins_with_a_mark_that_french_sets_apart():
    assert joined("Pourquoi ? Dit « ainsi » : voilà") == "Pourquoi\xa0? Dit «\xa0ainsi\xa0»\xa0: voilà"
    assert Words("fr")("Why is it what it is?").endswith("\xa0?")


def test_what_is_put_into_a_sentence_is_escaped():
    assert Words("fr")("%(n)s acts", n="<b>") == "&lt;b&gt; actes"
    assert Words("en")("Live") == "Live"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (Decimal("-58477.89"), "-58,477.89", "-58\u202f477,89"),
        (Decimal("1E+3"), "1,000", "1\u202f000"),
        (1234567, "1,234,567", "1\u202f234\u202f567"),
        (True, "yes", "oui"),
        (None, "—", "—"),
        ("text", "text", "text"),
        (["a", 1], '["a",1]', '["a",1]'),
        (datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "3 Feb 2026 04:05:06", "3 févr. 2026 04:05:06"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, english: str, french: str):
    assert (formats.cell(value, "en"), formats.cell(value, "fr")) == (english, french)


@pytest.mark.parametrize(("seconds", "said"), [(0.44, "0.4 s"), (12, "12 s"), (180, "3 min"), (7500, "2 h 05")])
def test_durations_are_short(seconds: float, said: str):
    assert formats.duration(seconds, "en") == said


def test_of_one_nothing_is_said_as_of_several():
    english, french = Words("en"), Words("fr")
    for sentence, of_one in ONE.items():
        given = dict.fromkeys(re.findall(r"%\((\w+)\)s", sentence), "…")
        assert english(sentence, **given | {"n": 1}) == english(of_one, **given)
        assert french(sentence, **given | {"n": "1"}) == french(of_one, **given)
        assert french(sentence, **given | {"n": 2}) != french(of_one, **given)
    assert english("%(n)s attempts", n=formats.number(1, "en")) == "1 attempt"
    assert french("%(n)s events wait", n=1) == "1 événement attend"


def test_whatever_is_told_of_several_events_or_attempts_is_told_of_one_too():
    several = {sentence for sentence in said() if re.search(r"%\(n\)s (?:\w+ )*?\w*s\b", sentence)}
    assert several - {"%(n)s new events"} <= set(ONE)
