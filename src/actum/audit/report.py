"""What an examination of a journal has seen and found."""

from __future__ import annotations

import msgspec

from actum.journal.event import Position

MOST_FINDINGS = 1000
"""How many findings a report holds; further ones are counted only."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be. `what` names the part of the event or decision at `position`."""

    position: Position
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"position {self.position}: {self.what}: expected {self.expected}, found {self.found}"


class Report(msgspec.Struct):
    """What a verification has seen and found. `count` counts all findings, `findings` holds the first of them.

    `unknown_handlers` are rules that decided and that the given application does not have (any more): worth knowing, no
    evidence of anything wrong.
    """

    origin: str
    head: Position
    events: int = 0
    decisions: int = 0
    count: int = 0
    findings: list[Finding] = []
    unknown_handlers: list[str] = []

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.count == 0

    def add(self, finding: Finding) -> None:
        """One more finding."""
        self.count += 1
        if self.count <= MOST_FINDINGS:
            self.findings.append(finding)
