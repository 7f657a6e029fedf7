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


class Words:
    """Says a sentence in one language, with what it speaks of put in: `words("%(n)s acts", n=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = _SENTENCES if language == "fr" else {}

    def __call__(self, sentence: str, **given: object) -> str:
        """The sentence; in English where there is none in that language."""
        said = self._table.get(sentence, sentence)
        return Markup(said) % given if given else said  # noqa: S704 - sentences are ours; what is given is escaped
