"""How far it is, on a terminal: a bar where rich is installed, a line now and then where it is not."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function to call with how many of `total` are done. Silent where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - may be missing
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    except ImportError:
        yield lambda done: print(f"\r{what}: {done:,} of {total:,}", end="", file=sys.stderr)
        print(file=sys.stderr)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
