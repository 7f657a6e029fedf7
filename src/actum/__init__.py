"""A journal for systems that must explain themselves."""

from actum.decision.acting import acting
from actum.decision.command import Command
from actum.decision.handler import Exists
from actum.decision.outcome import Decided
from actum.decision.state import State
from actum.journal.errors import (
    ActumError,
    Busy,
    Conflict,
    Invalid,
    Misdeclared,
    OutcomeUnknown,
    Refused,
    Unavailable,
    Unknown,
)
from actum.journal.event import Event, Tag
from actum.journal.recorded import Recorded
from actum.journal.store import Durability
from actum.process.process import Process
from actum.process.reaction import Effect, Timer
from actum.projection.paging import Page
from actum.projection.query import Query
from actum.projection.table import Table
from actum.projection.view import View
from actum.service.app import App
from actum.service.running import Running
from actum.service.system import System

__all__ = [
    "ActumError",
    "App",
    "Busy",
    "Command",
    "Conflict",
    "Decided",
    "Durability",
    "Effect",
    "Event",
    "Exists",
    "Invalid",
    "Misdeclared",
    "OutcomeUnknown",
    "Page",
    "Process",
    "Query",
    "Recorded",
    "Refused",
    "Running",
    "State",
    "System",
    "Table",
    "Tag",
    "Timer",
    "Unavailable",
    "Unknown",
    "View",
    "acting",
]
