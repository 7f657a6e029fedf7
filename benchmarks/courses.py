"""The enrolment that is measured: students, courses, and a decision over both; after the speed-run of `eventsourcing`."""

from __future__ import annotations

from typing import Annotated

from actum.decision.command import Command
from actum.decision.handler import Exists
from actum.decision.state import State
from actum.journal.errors import Refused
from actum.journal.event import Event, Tag
from actum.service.app import App

CourseId = Annotated[str, Tag("course")]
StudentId = Annotated[str, Tag("student")]


class CourseRegistered(Event):
    course: CourseId
    places: int


class StudentRegistered(Event):
    student: StudentId
    most: int


class Enrolled(Event):
    student: StudentId
    course: CourseId


class Course(State):
    id: CourseId
    places: int = 0
    students: frozenset[str] = frozenset()

    def evolve(self, event: CourseRegistered | Enrolled) -> None:
        match event:
            case CourseRegistered(places=places):
                self.places = places
            case Enrolled(student=student):
                self.students |= {student}


class Student(State):
    id: StudentId
    most: int = 0
    courses: int = 0

    def evolve(self, event: StudentRegistered | Enrolled) -> None:
        match event:
            case StudentRegistered(most=most):
                self.most = most
            case Enrolled():
                self.courses += 1


class RegisterCourse(Command):
    course: CourseId
    places: int


class RegisterStudent(Command):
    student: StudentId
    most: int


class Enrol(Command):
    student: StudentId
    course: CourseId


school = App("school")


@school.decides(unless=Exists(CourseRegistered, by="course", because="there is such a course already"))
def register_course(command: RegisterCourse) -> CourseRegistered:
    return CourseRegistered(course=command.course, places=command.places)


@school.decides(unless=Exists(StudentRegistered, by="student", because="there is such a student already"))
def register_student(command: RegisterStudent) -> StudentRegistered:
    return StudentRegistered(student=command.student, most=command.most)


@school.decides
def enrol(command: Enrol, student: Student, course: Course) -> Enrolled:
    if command.student in course.students or len(course.students) >= course.places or student.courses >= student.most:
        raise Refused("no place", taken=len(course.students))
    return Enrolled(student=command.student, course=command.course)
