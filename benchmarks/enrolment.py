"""Decisions over several entities: students enrol in courses, on a journal that is empty and on one of a million events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.courses import Enrol, RegisterCourse, RegisterStudent, school
from benchmarks.ground import Ground
from benchmarks.measure import race
from benchmarks.raw import RawCourses
from benchmarks.table import Section, at_least, rate

TEN = range(10)
OPERATIONS = 120
FLAT = 0.85


class Raw:
    """By hand."""

    def __init__(self, path: Path) -> None:
        self.program = RawCourses(path)
        self.register_course = self.program.register_course
        self.register_student = self.program.register_student
        self.enrol = self.program.enrol
        self.close = self.program.close


class Actum:
    """In actum."""

    def __init__(self, path: Path) -> None:
        self.running = school.open(path, actor="bench")
        self.close = self.running.close

    def register_course(self, course: str, places: int) -> None:
        self.running.execute(RegisterCourse(course=course, places=places))

    def register_student(self, student: str, most: int) -> None:
        self.running.execute(RegisterStudent(student=student, most=most))

    def enrol(self, student: str, course: str) -> None:
        self.running.execute(Enrol(student=student, course=course))


def iterations(program: Raw | Actum, times: int, numbers: Callable[[], int]) -> int:
    """Ten courses, ten students, and each student enrols in each course."""
    for _ in range(times):
        number = numbers()
        courses, students = [f"C{number}-{one}" for one in TEN], [f"S{number}-{one}" for one in TEN]
        for course in courses:
            program.register_course(course, 30)
        for student in students:
            program.register_student(student, 10)
        for course in courses:
            for student in students:
                program.enrol(student, course)
    return OPERATIONS * times


def measure(ground: Ground) -> Section:
    """The section."""
    stored = ground.size(1_000_000, 2_000)
    programs: dict[str, Raw | Actum] = {
        "raw": Raw(ground.new("enrolment-raw.db")),
        "actum": Actum(ground.new("enrolment.actum")),
        "raw_big": Raw(ground.copy(ground.raw_journal(stored), "enrolment-raw-big.db")),
        "actum_big": Actum(ground.copy(ground.journal(stored), "enrolment-big.actum")),
    }
    numbers = {name: count() for name in programs}
    times = ground.size(8, 1)
    try:
        results = race(
            ground.rounds,
            **{name: lambda name=name: iterations(programs[name], times, numbers[name].__next__) for name in programs},
        )
    finally:
        for program in programs.values():
            program.close()
    raw, actum, raw_big, actum_big = (results[name] for name in ("raw", "actum", "raw_big", "actum_big"))
    many = f"{stored:,} events"
    lines = [
        at_least("on an empty journal", actum.beside(raw), 0.7, figure=rate(actum.rate), yardstick=f"raw {rate(raw.rate)}"),
        at_least(f"behind {many}", actum_big.beside(raw_big), 0.7, figure=rate(actum_big.rate),
                 yardstick=f"raw {rate(raw_big.rate)}"),
        at_least(f"flat: behind {many} beside empty", actum_big.beside(actum), FLAT, figure=rate(actum_big.rate),
                 yardstick=f"actum {rate(actum.rate)}"),
    ]  # fmt: skip
    notes = [
        f"each round: {times} times 10 courses, 10 students, 100 enrolments; `eventsourcing` has no such decisions on SQLite",
        "processor time an operation: " + ", ".join(f"{name} {one.processor:,.0f} µs" for name, one in results.items()),
    ]
    return Section("Decisions over several entities", lines, notes)
