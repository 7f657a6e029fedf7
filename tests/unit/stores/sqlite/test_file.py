"""What the driver says is said in actum's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from actum.journal.errors import Unavailable
from actum.stores.sqlite.file import translated


@pytest.mark.parametrize(
    "executing", [lambda connection: connection.execute, lambda connection: connection.cursor().execute]
)
def test_what_was_closed_meanwhile_is_unavailable(
    tmp_path: Path, executing: Callable[[apsw.Connection], Callable[[str], object]]
) -> None:
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    execute = executing(connection)
    connection.close()
    with pytest.raises(Unavailable, match="is closed; open it again"), translated(tmp_path):
        execute("BEGIN")
