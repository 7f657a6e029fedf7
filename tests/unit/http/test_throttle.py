"""Whoever guesses must wait, longer each time; whoever knows need not."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

from actum.http.problem import Problem
from actum.http.throttle import FREE, FREE_TOGETHER, NAMES, Bucket, Throttle, Tries
from actum.journal.errors import Denied


def test_after_some_failures_the_next_try_must_wait_until_one_succeeds():
    throttle = Throttle()
    for _ in range(FREE):
        throttle.check("ada")
        throttle.failed("ada")
    with pytest.raises(Problem) as waits:
        throttle.check("ada")
    assert waits.value.headers["Retry-After"] == "1"
    for _ in range(20):
        throttle.failed("ada")
    with pytest.raises(Problem) as waits:
        throttle.check("ada")
    assert waits.value.headers["Retry-After"] == "900"
    throttle.check("bob")
    throttle.succeeded("ada")
    throttle.check("ada")


def test_an_attempt_counts_from_its_beginning_so_that_many_at_once_are_no_more_than_one_after_another():
    tries = Tries()
    with ExitStack() as under_way:
        for _ in range(FREE):
            under_way.enter_context(tries.attempt("ada", "10.0.0.1"))
        with pytest.raises(Problem, match="too many failures"), tries.attempt("ada", "10.0.0.1"):
            pass
    with tries.attempt("ada", "10.0.0.1"):
        pass  # all of those have succeeded


def test_whoever_guesses_keeps_neither_others_nor_the_named_out():
    tries = Tries()

    def fail(name: str, address: str) -> None:
        with suppress(Denied), tries.attempt(name, address):
            raise Denied("the name or the password is wrong")

    for _ in range(FREE):
        fail("ada", "10.0.0.6")
    with pytest.raises(Problem), tries.attempt("ada", "10.0.0.6"):
        pass
    with tries.attempt("ada", "10.0.0.1"), tries.attempt("bob", "10.0.0.6"):
        pass  # the same person from elsewhere, and somebody else from there
    for number in range(FREE_TOGETHER):
        fail(f"name-{number}", "10.0.0.7")
        fail("zoe", f"10.0.1.{number}")
    for name, address in (("bob", "10.0.0.7"), ("zoe", "10.0.0.1")):
        with pytest.raises(Problem) as waits, tries.attempt(name, address):
            pass
        assert int(waits.value.headers["Retry-After"]) <= 60


def test_it_does_not_remember_more_than_so_many():
    throttle = Throttle()
    for number in range(NAMES + 10):
        throttle.failed(str(number))
    assert len(throttle._failures) == NAMES


def test_a_bucket_lets_through_so_many():
    bucket = Bucket(1e-9, most=10)
    assert [bucket.take() for _ in range(20)] == [True] * 10 + [False] * 10
