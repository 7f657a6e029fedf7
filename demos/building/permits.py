"""Real permits: what a municipality did about each application, imported as facts, and found again by any word of them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from actum import App, Command, Event, Page, Query, Refused, State, Table, Tag, View

if TYPE_CHECKING:
    from actum import Running

CaseId = Annotated[str, Tag("case")]

permits = App("permits", version="1")


class ActivityDone(Event):
    """Somebody did something about an application."""

    case: CaseId
    number: int
    activity: str
    resource: str
    group: str
    channel: str
    department: str
    deadline: datetime | None


class TakeDown(Command):
    """What a line of the log says."""

    case: CaseId
    activity: str
    resource: str
    group: str
    channel: str
    department: str
    deadline: datetime | None
    at: datetime


class Case(State):
    id: CaseId
    activities: int = 0
    last: datetime | None = None

    def evolve(self, event: ActivityDone) -> None:
        self.activities += 1


@permits.decides
def take_down(command: TakeDown, case: Case) -> ActivityDone:
    if not case.activities and command.activity != "Confirmation of receipt":
        raise Refused("an application is received before anything is done about it", activity=command.activity)
    return ActivityDone(
        case=case.id,
        number=case.activities + 1,
        activity=command.activity,
        resource=command.resource,
        group=command.group,
        channel=command.channel,
        department=command.department,
        deadline=command.deadline,
    )


@permits.view
class Application(View, table="applications", indexed=("activities",)):
    case: CaseId
    channel: str = ""
    activities: int = 0
    last_activity: str = ""
    last_resource: str = ""
    deadline: datetime | None = None

    def evolve(self, event: ActivityDone) -> None:
        self.activities += 1
        self.channel = event.channel
        self.last_activity, self.last_resource = event.activity, event.resource
        self.deadline = event.deadline


class Longest(Query[Page[Application]]):
    """The applications about which most was done."""

    count: int = 10


@permits.answers
def longest(query: Longest, applications: Table[Application]) -> Page[Application]:
    return applications.order("activities", descending=True).page(limit=query.count)


def lines(file: Path) -> Iterator[dict[str, str]]:
    """The lines of the log, in their order."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def imported(running: Running, log: Iterable[dict[str, str]]) -> tuple[int, int]:
    """Take the log down, each line once by its number; how many lines, and how many were refused. Again, nothing is new."""
    read = refused = 0
    for number, line in enumerate(log):
        read += 1
        at = datetime.fromisoformat(line["time"])
        command = TakeDown(
            case=line["case"],
            activity=line["activity"],
            resource=line["resource"],
            group=line["group"],
            channel=line["channel"],
            department=line["department"],
            deadline=datetime.fromisoformat(line["deadline"]) if line["deadline"] else None,
            at=at,
        )
        try:
            running.execute(command, id=f"permits log, line {number}", actor=line["resource"], effective_at=at)
        except Refused:
            refused += 1
    return read, refused
