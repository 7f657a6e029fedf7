"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actum.cli.options import moment_of
from actum.journal.errors import Invalid


def test_a_time_has_its_zone():
    assert moment_of("2026-01-31T12:00:00+01:00") == datetime(2026, 1, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(("text", "ago"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_time_may_be_how_long_ago(text: str, ago: int):
    assert abs((datetime.now(UTC) - moment_of(text)) - timedelta(seconds=ago)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "text", ["", "noon", "2026-01-31", "2026-01-31T12:00", "-5m", "10w", "5", "999999d", "9999999d"]
)
def test_anything_else_is_refused_in_words(text: str):
    with pytest.raises(Invalid):
        moment_of(text)


def test_what_is_proposed_for_a_time_without_its_zone_is_a_time():
    with pytest.raises(Invalid) as caught:
        moment_of("2026-01-31")
    proposed = str(caught.value).partition("like ")[2].partition(" or")[0]
    assert moment_of(proposed) == datetime(2026, 1, 31, tzinfo=UTC)
