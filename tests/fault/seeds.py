"""How long soaking lasts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator


def minutes_of_soaking() -> Iterator[int]:
    """0, 1, 2 … until SOAK_MINUTES (1 unless said) are over; at least once."""
    end = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "1"))
    number = 0
    while number == 0 or time.monotonic() < end:
        yield number
        number += 1
