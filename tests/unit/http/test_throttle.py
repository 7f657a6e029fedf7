"""Whoever guesses must wait, longer each time; whoever knows need not."""

from __future__ import annotations

import pytest

from actum.http.problem import Problem
from actum.http.throttle import FREE, NAMES, Bucket, Throttle


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


def test_it_does_not_remember_more_than_so_many():
    throttle = Throttle()
    for number in range(NAMES + 10):
        throttle.failed(str(number))
    assert len(throttle._failures) == NAMES


def test_a_bucket_lets_through_so_many():
    bucket = Bucket(10)
    taken = [bucket.take() for _ in range(20)]
    assert taken[:10] == [True] * 10
    assert False in taken
