"""What an application author tests with: scenarios over every kind of store, and whether the rules are pure.

What a store author tests with, needs pytest and is in `actum.testing.contract`.
"""

from actum.testing.purity import check_purity
from actum.testing.scenario import Given, Then, When, given
from actum.testing.stage import at, by, memory, postgresql, sqlite

__all__ = ["Given", "Then", "When", "at", "by", "check_purity", "given", "memory", "postgresql", "sqlite"]
