"""Crews: the same labour done by several at once, in threads of this process or in processes of their own."""

from __future__ import annotations

import multiprocessing
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Barrier

    from actum.journal.store import JournalStore

Result = TypeVar("Result")
Labour: TypeAlias = "Callable[[JournalStore, int], Result]"
"""What one member does with the store, given a seed of its own."""

PATIENCE = 60.0
"""Seconds after which a crew is stuck rather than slow."""


class CrewFailed(AssertionError):
    """A member of a crew raised, or did not come back; its traceback is the text."""


def in_threads(labour: Labour[Result], store: JournalStore, seeds: Sequence[int]) -> list[Result]:
    """What each member answers, all at work on one store in threads of this process."""
    with threads_at_work(labour, store, seeds) as futures:
        return [future.result(PATIENCE) for future in futures]


@contextmanager
def threads_at_work(
    labour: Labour[Result], store: JournalStore, seeds: Sequence[int]
) -> Iterator[list[Future[Result]]]:
    """The same, to do something beside them; on the way out all are waited for, and their troubles are raised."""
    start = threading.Barrier(len(seeds))

    def work(seed: int) -> Result:
        start.wait(PATIENCE)
        return labour(store, seed)

    with ThreadPoolExecutor(len(seeds)) as crew:
        futures = [crew.submit(work, seed) for seed in seeds]
        yield futures
        for future in futures:
            future.result(PATIENCE)


def in_processes(
    labour: Labour[Result],
    open_store: Callable[[], JournalStore],
    seeds: Sequence[int],
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Result]:
    """What each member answers, each in a process of its own that opens the store for itself.

    `meanwhile` runs here once all have begun.
    """
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(seeds) + 1)
    members: list[tuple[SpawnProcess, Connection]] = []
    for seed in seeds:
        here, there = context.Pipe(duplex=False)
        member = context.Process(target=_member, args=(labour, open_store, seed, start, there), daemon=True)
        member.start()
        there.close()
        members.append((member, here))
    try:
        if _all_begun(start):
            meanwhile()
        return [_answer(here) for _, here in members]
    finally:
        for member, here in members:
            _dismiss(member)
            here.close()


def _member(
    labour: Labour[object], open_store: Callable[[], JournalStore], seed: int, start: Barrier, answer: Connection
) -> None:
    try:
        store = open_store()
        start.wait(PATIENCE)
        result = labour(store, seed)
        store.close()
        answer.send((result, None))
    except BaseException:
        answer.send((None, traceback.format_exc()))
        start.abort()
        raise


def _all_begun(start: Barrier) -> bool:
    try:
        start.wait(PATIENCE)
    except threading.BrokenBarrierError:
        return False
    return True


def _answer(connection: Connection) -> Any:
    if not connection.poll(PATIENCE):
        raise CrewFailed(f"expected an answer within {PATIENCE:.0f} s, found none")
    try:
        result, trouble = connection.recv()
    except EOFError:
        raise CrewFailed("expected an answer, found that the process is gone") from None
    if trouble is not None:
        raise CrewFailed(trouble)
    return result


def _dismiss(member: SpawnProcess) -> None:
    member.join(0.5)
    if member.is_alive():
        member.kill()
    member.join(PATIENCE)
    member.close()
