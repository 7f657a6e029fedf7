"""The shipped cases fail as readably as our own."""

import pytest

pytest.register_assert_rewrite("actum.testing")
