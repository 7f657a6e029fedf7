"""What the console says, in the reader's language: English as it stands in the templates, French from a table."""

from __future__ import annotations

import re

from markupsafe import Markup

from actum.console.french import FRENCH

LANGUAGES = ("en", "fr")


def joined(french: str) -> str:
    """The sentence with spaces at which no line ends before what French sets apart: `vaut ?`, `« ainsi »`."""
    return re.sub(r"(?<=«) | (?=[?!:;»])", "\xa0", french)


_SENTENCES = {english: joined(french) for english, french in FRENCH.items()}

ONE = {
    "%(n)s acts": "1 act",
    "%(n)s attempts": "1 attempt",
    "%(n)s events behind": "1 event behind",
    "%(n)s events of %(name)s cannot be searched yet: the index is being made.": "1 event of %(name)s cannot be searched yet: the index is being made.",
    "%(n)s events wait": "1 event waits",
    "%(n)s events, %(rate)s/s": "1 event, %(rate)s/s",
    "%(n)s more came at once and are not shown here; search finds them": "1 more came at once and is not shown here; search finds it",
    "%(n)s movements of %(title)s": "1 movement of %(title)s",
    "%(n)s refused": "1 refused",
    "(the last %(n)s)": "(the last one)",
    "It is about what the table shows, which is %(n)s events behind the journal.": "It is about what the table shows, which is 1 event behind the journal.",
}
"""What is said where `n` is one."""


class Words:
    """Says a sentence in one language, with what it speaks of put in: `words("%(n)s acts", n=3)`. Of one, it says `1 act`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = _SENTENCES if language == "fr" else {}

    def __call__(self, sentence: str, **given: object) -> str:
        """The sentence; in English where there is none in that language."""
        sentence = ONE.get(sentence, sentence) if str(given.get("n")) == "1" else sentence
        said = self._table.get(sentence, sentence)
        return Markup(said) % given if given else said  # noqa: S704 - sentences are ours; what is given is escaped
