"""The yardstick: the program one would write by hand on the same driver, writing the same bytes with the same durability.

It has a table of events with the columns that actum has, a plain tag index, and commits once a command. It has no
decision records, answers no retry, folds nothing ahead of time, and trusts whoever changes it to get each query right.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import apsw

SCHEMA = """
CREATE TABLE events (
    position INTEGER PRIMARY KEY, type TEXT, id BLOB, recorded INTEGER, effective INTEGER,
    tags TEXT, data BLOB, metadata BLOB, salt BLOB, leaf BLOB
);
CREATE TABLE tags (tag TEXT, position INTEGER, PRIMARY KEY (tag, position)) WITHOUT ROWID;
"""
INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INDEX = "INSERT INTO tags VALUES (?, ?)"
BY_TAG = "SELECT position, type, data FROM tags JOIN events USING (position) WHERE tag = ? ORDER BY position"
BY_TAGS = """SELECT DISTINCT position, type, data FROM tags JOIN events USING (position)
WHERE tag IN (?, ?) ORDER BY position"""
NEWER = "SELECT 1 FROM tags WHERE tag = ? AND position > ? LIMIT 1"
METADATA = b'{"actor":"bench","command":"01a2098d-29e9-73e3-8069-33a42ec4def9","did":"Deposit","by":"bank@0"}'
SALT, LEAF = os.urandom(16), os.urandom(32)


def connect(path: Path) -> apsw.Connection:
    """A connection with the settings of actum's own writer."""
    connection = apsw.Connection(str(path))
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class RawJournal:
    """The file, and how an event gets into it."""

    def __init__(self, path: Path) -> None:
        self.connection = connect(path)
        if not self.connection.execute("SELECT count(*) FROM sqlite_schema").get:
            self.connection.execute(SCHEMA)
        self.execute = self.connection.execute

    def write(self, type: str, tags: tuple[str, ...], data: bytes) -> None:
        """One event and its entries in the index, inside the caller's transaction."""
        now = time.time_ns() // 1000
        self.execute(INSERT, (None, type, os.urandom(16), now, None, "\n".join(tags), data, METADATA, SALT, LEAF))
        position = self.connection.last_insert_rowid()
        for tag in tags:
            self.execute(INDEX, (tag, position))

    def newer(self, tag: str, after: int) -> bool:
        """Whether an event with that tag came after a position."""
        return self.execute(NEWER, (tag, after)).fetchone() is not None

    def close(self) -> None:
        self.connection.close()


class RawBank(RawJournal):
    """A deposit, as a program by hand does it."""

    def deposit(self, account: str, teller: str, amount: int, note: str) -> None:
        tag = f"account:{account}"
        self.execute("BEGIN IMMEDIATE")
        balance = last = 0
        opened = False
        for position, type, data in self.execute(BY_TAG, (tag,)):
            event = json.loads(data)
            if type == "Opened":
                opened = True
            else:
                balance += event["amount"]
            last = position
        if not opened or balance + amount < 0:
            raise ValueError("refused")
        if self.newer(tag, last):
            raise ValueError("conflict")
        data = json.dumps({"account": account, "teller": teller, "amount": amount, "note": note}).encode()
        self.write("Deposited", (tag, f"teller:{teller}"), data)
        self.execute("COMMIT")


class RawCourses(RawJournal):
    """The enrolment of students in courses, as a program by hand does it: the 40 lines of the comparison."""

    def register_course(self, course: str, places: int) -> None:
        self._register("CourseRegistered", f"course:{course}", {"course": course, "places": places})

    def register_student(self, student: str, most: int) -> None:
        self._register("StudentRegistered", f"student:{student}", {"student": student, "most": most})

    def _register(self, type: str, tag: str, content: dict[str, str | int]) -> None:
        self.execute("BEGIN IMMEDIATE")
        if self.newer(tag, 0):
            raise ValueError("refused")
        self.write(type, (tag,), json.dumps(content).encode())
        self.execute("COMMIT")

    def enrol(self, student: str, course: str) -> None:
        student_tag, course_tag = f"student:{student}", f"course:{course}"
        self.execute("BEGIN IMMEDIATE")
        places = most = taken = joined = last = 0
        already = False
        for position, type, data in self.execute(BY_TAGS, (student_tag, course_tag)):
            event = json.loads(data)
            if type == "CourseRegistered":
                places = event["places"]
            elif type == "StudentRegistered":
                most = event["most"]
            else:
                taken += event["course"] == course
                joined += event["student"] == student
                already |= event["course"] == course and event["student"] == student
            last = position
        if already or taken >= places or joined >= most:
            raise ValueError("refused")
        if self.newer(student_tag, last) or self.newer(course_tag, last):
            raise ValueError("conflict")
        data = json.dumps({"student": student, "course": course}).encode()
        self.write("Enrolled", (student_tag, course_tag), data)
        self.execute("COMMIT")
