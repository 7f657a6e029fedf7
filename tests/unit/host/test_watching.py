"""A change of the code is noticed once it rests; what is no code is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from actum.host.watching import changed, changes, seen_in


def test_python_files_are_seen_and_nothing_else(tmp_path: Path):
    for name in ("a.py", "b.txt", ".hidden/c.py", "__pycache__/d.py", "inner/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert {Path(path).name for path in seen_in([str(tmp_path)])} == {"a.py", "e.py"}


def test_new_gone_and_other_files_have_changed():
    assert changed(
        {"same": (1, 1), "other": (1, 1), "gone": (1, 1)}, {"same": (1, 1), "other": (2, 1), "new": (1, 1)}
    ) == {
        "other",
        "gone",
        "new",
    }


def test_what_is_written_in_one_go_is_one_change(tmp_path: Path):
    async def watch() -> set[str]:
        noticed = changes([str(tmp_path)])
        first = asyncio.create_task(anext(noticed))
        while not first.done():
            # As long as it has not been noticed: the watcher may not have looked for the first time yet.
            for name in ("a.py", "b.py"):
                (tmp_path / name).write_text(str(asyncio.get_running_loop().time()))
            await asyncio.wait({first}, timeout=1)
        return await first

    found = asyncio.run(asyncio.wait_for(watch(), 60))
    assert {Path(path).name for path in found} == {"a.py", "b.py"}
