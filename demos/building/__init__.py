"""A building as an aggregate: each of the works an event, in the order that its rules allow, and replayed as it grows."""

from demos.building.building import works
from demos.building.permits import permits

__all__ = ["permits", "works"]
