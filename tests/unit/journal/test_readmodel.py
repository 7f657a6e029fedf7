"""Slices of keys: where each key belongs, for ever and in every language."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest

from actum.journal.errors import Invalid
from actum.journal.readmodel import ALL_SLICES, SLICES, Slices, slice_of


def test_the_slice_of_a_key_is_the_first_ten_bits_of_its_sha_256():
    for key in ("", "A-1", "Zoé\n7"):
        bits = f"{int.from_bytes(sha256(key.encode()).digest(), 'big'):0256b}"
        assert slice_of(key) == int(bits[:10], 2)
    assert (slice_of(""), slice_of("abc")) == (0xE3B0 >> 6, 0xBA78 >> 6)


def test_keys_in_a_row_are_spread_over_all_slices():
    counts = Counter(slice_of(f"A-{number}") for number in range(100_000))
    assert len(counts) == SLICES
    assert max(counts.values()) < 2 * 100_000 / SLICES


def test_a_range_has_both_its_ends():
    assert 3 in Slices(3, 3)
    assert 1023 in ALL_SLICES
    assert 4 not in Slices(3, 3)
    assert len(ALL_SLICES) == SLICES
    assert str(Slices(0, 511)) == "0-511"


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (5, 4), (0, 1024)])
def test_a_range_that_is_none_cannot_be_made(low: int, high: int):
    with pytest.raises(Invalid, match="expected a range of slices from 0 to 1023"):
        Slices(low, high)
