"""What went wrong, for people: what it is called and what they can do, in the language of the page.

The error's own sentence stands below, word for word, since whoever helps will ask for it; those are in English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.http.problem import Problem, problem_of

if TYPE_CHECKING:
    from actum.console.words import Words

AGAIN = "Wait a moment, and try again."

REMEDIES: dict[str, str] = {
    "refused": "Change what was asked for; the refusal is on record.",
    "conflict": "Look at how it is now, and try again.",
    "not-yet": AGAIN,
    "invalid": "Mend what was asked for; nothing was written.",
    "reused": "Load the page again, and try once more.",
    "cursor": "Begin at the first page.",
    "not-found": "Go back and follow a link, or search for it.",
    "method-not-allowed": "Use the buttons of the page.",
    "too-slow": AGAIN,
    "too-large": "Send less at once.",
    "unsupported-media-type": "Use the forms of the page.",
    "misdirected": "Use the address at which it is meant to be reached.",
    "elsewhere": "Ask at the gateway's address.",
    "too-costly": "Ask for less: between two moments that are closer, or on the command line, where there is time.",
    "headers-too-large": "Delete the cookies of this site, and try again.",
    "unauthenticated": "Log in.",
    "forbidden": "Ask whoever runs it for the permission.",
    "too-many-requests": AGAIN,
    "busy": AGAIN,
    "draining": AGAIN,
    "service-off": "Start the service under Services, or wait until somebody does.",
    "unavailable": "Tell whoever runs it that it cannot be reached just now.",
    "storage-full": "Tell whoever runs it that the disk needs room; nothing was written.",
    "read-only": "Tell whoever runs it that the file, or its folder, cannot be written.",
    "corrupted": "Tell whoever runs it that a copy has to be put back.",
    "not-a-journal": "Tell whoever runs it that the path leads to another file.",
    "newer-schema": "Tell whoever runs it that actum has to be brought up to date.",
    "outcome-unknown": "See whether it was done, before you try again.",
    "internal": "Tell whoever runs it; the log has it under the number below.",
}
"""What to do about each type of problem, for whoever sits before a page; `Type.remedy` is for programs."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that went wrong, as a page shows it."""

    title: str
    remedy: str
    detail: str


def told(problem: Problem, words: Words) -> Trouble:
    """A problem in the words of a page."""
    return Trouble(words(problem.type.title), words(REMEDIES[problem.type.name]), problem.detail)


def trouble_of(error: BaseException, words: Words) -> Trouble:
    """An error, where a part of a page is left out because of it."""
    return told(problem_of(error) or Problem("internal", str(error)), words)
