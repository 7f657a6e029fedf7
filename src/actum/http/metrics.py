"""Counters, durations and gauges as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/).

Counts in memory, from the start of the process on; safe to use from the event loop only.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds, of the classes into which durations are counted."""

Labels = tuple[tuple[str, str], ...]


class Counter:
    """Something that only grows, by its labels."""

    def __init__(self, name: str, help: str) -> None:
        self._name = name
        self._help = help
        self._counts: dict[Labels, int] = {}

    def add(self, labels: Labels) -> None:
        """Once more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def lines(self) -> Iterator[str]:
        """As OpenMetrics has it."""
        yield from _heading(self._name, "counter", self._help)
        for labels, count in sorted(self._counts.items()):
            yield f"{self._name}_total{_labels(labels)} {count}"


class Durations:
    """How long something took, by its labels, counted in classes."""

    def __init__(self, name: str, help: str) -> None:
        self._name = name
        self._help = help
        self._classes: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        """It took so long once more."""
        classes = self._classes.get(labels)
        if classes is None:
            classes = self._classes[labels] = [0] * (len(BOUNDS) + 1)
            self._sums[labels] = 0.0
        classes[bisect_left(BOUNDS, seconds)] += 1
        self._sums[labels] += seconds

    def lines(self) -> Iterator[str]:
        """As OpenMetrics has it."""
        yield from _heading(self._name, "histogram", self._help, unit="seconds")
        for labels, classes in sorted(self._classes.items()):
            count = 0
            for bound, here in zip((*map(str, BOUNDS), "+Inf"), classes, strict=True):
                count += here
                yield f"{self._name}_bucket{_labels((*labels, ('le', bound)))} {count}"
            yield f"{self._name}_count{_labels(labels)} {count}"
            yield f"{self._name}_sum{_labels(labels)} {self._sums[labels]:.6f}"


class Metrics:
    """All that a door counts."""

    def __init__(self) -> None:
        self.requests = Counter("actum_http_requests", "Requests by route, method and status.")
        self.commands = Counter("actum_commands", "Commands by type and outcome.")
        self.durations = Durations(
            "actum_http_request_duration_seconds", "From the last byte of the headers to the answer."
        )

    def answered(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests.add((("route", route), ("method", method), ("status", str(status))))
        self.durations.add((("route", route),), seconds)

    def decided(self, *, command: str, outcome: str) -> None:
        """A command has its answer."""
        self.commands.add((("command", command), ("outcome", outcome)))

    def text(self, gauges: Iterable[tuple[str, str, float]]) -> str:
        """Everything, with the gauges (name, help, value) of this moment."""
        lines = [*self.requests.lines(), *self.durations.lines(), *self.commands.lines()]
        for name, help, value in gauges:
            lines += [*_heading(name, "gauge", help), f"{name} {value:g}" if value % 1 else f"{name} {value:.0f}"]
        return "\n".join([*lines, "# EOF", ""])


def _heading(name: str, kind: str, help: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {help}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
