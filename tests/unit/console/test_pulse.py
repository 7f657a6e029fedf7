"""The pulse: rates and the time that is left, from where things stood."""

from __future__ import annotations

import pytest

from actum.console.pulse import Beat, Flow, Pulse
from tests.unit.console.street import Street


def test_a_beat_says_where_everything_stands(street: Street):
    pulse = Pulse(street.contexts)
    pulse.feel()
    (beat,) = pulse.beats("bank")
    assert (beat.head, beat.followers["Balance"]) == (4, 4)
    assert pulse.flow("bank") == Flow(0.0)
    assert pulse.beats("nowhere") == ()


def test_rates_are_taken_from_the_last_beats(street: Street):
    pulse = Pulse(street.contexts)
    pulse._beats["bank"].extend(
        [
            Beat(1000.0, 0, {"Balance": 0}),  # too long ago to count
            Beat(1095.0, 1000, {"Balance": 500}),
            Beat(1100.0, 1100, {"Balance": 800}),
        ]
    )
    assert pulse.flow("bank").rate == pytest.approx(20)
    flow = pulse.flow("bank", "Balance")
    assert (flow.rate, flow.behind) == (pytest.approx(60), 300)
    assert flow.left == pytest.approx(300 / 40)
    assert pulse.flow("bank", "Another").left is None
