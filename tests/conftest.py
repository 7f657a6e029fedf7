"""What every test may count on, wherever the suite was started."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# That a machine is busy with other things says nothing about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# The shipped cases fail as readably as our own; that is to be said before anything of theirs is imported.
pytest.register_assert_rewrite("actum.testing")

from tests.servers import VERSIONS, fresh_database, named, said_aloud  # noqa: E402

# A shell that starts a job in the background has it ignore interrupts, and every program that the job starts inherits
# that. Tests interrupt programs: so here, and in whatever is started from here, an interrupt counts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", params=VERSIONS, ids=named)
def each_postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database, on each version of PostgreSQL in turn."""
    with fresh_database(request.param) as address:
        yield address


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a fresh database on the newest PostgreSQL."""
    with fresh_database(VERSIONS[-1]) as address:
        yield address


@pytest.fixture
def seed() -> int:
    """The seed of whatever is random in this test, printed where it fails; `ACTUM_SEED` gives it again."""
    chosen = int(os.environ.get("ACTUM_SEED") or random.SystemRandom().randrange(2**32))
    print(f"ACTUM_SEED={chosen} repeats this")
    return chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A version that was not there is not passed over in silence."""
    terminalreporter.write_line(said_aloud())
