"""The programs of these tests fail as readably as their cases."""

import pytest

pytest.register_assert_rewrite("tests.fault.history", "tests.fault.fleet")
