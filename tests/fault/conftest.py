"""The seed of whatever is random in these tests, printed where one fails."""

from __future__ import annotations

import os
import random

import pytest

pytest.register_assert_rewrite("tests.fault.history", "tests.fault.fleet")


@pytest.fixture
def seed() -> int:
    """`ACTUM_SEED` gives it again."""
    chosen = int(os.environ.get("ACTUM_SEED") or random.SystemRandom().randrange(2**32))
    print(f"ACTUM_SEED={chosen} repeats this")
    return chosen
