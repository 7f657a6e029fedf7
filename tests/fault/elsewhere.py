"""What is done in a process of its own: with a small disk, without rights, stopped, or killed. Linux namespaces, no root."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
NOBODY = 65534
NO_SMALL_DISK = "no small disk"
"""What work answers that found no small disk to be had."""

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_RECURSIVE, _PRIVATE = 0x4000, 0x40000


def forks() -> ForkServerContext:
    """Where processes start quickly and clean: forked from a server that has imported everything and done nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.fault.elsewhere", "tests.fault.fleet", "tests.fault.siege", "actum.stores.sqlite.database"]
    )
    return context


def elsewhere(work: Callable[..., Any], *arguments: object, patience: float = PATIENCE) -> Any:
    """What `work` answers in a process of its own; what it raises there fails here, with its traceback."""
    with process(_answering, work, arguments) as (member, here):
        if not here.poll(patience):
            raise AssertionError(f"expected an answer within {patience:.0f} s")
        answer, trouble = here.recv()
        member.join(PATIENCE)
    if trouble:
        raise AssertionError(trouble)
    return answer


@contextmanager
def process(work: Callable[..., None], *arguments: object) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A process that is given a pipe and these arguments; killed on the way out, even where it is stopped."""
    context = forks()
    here, there = context.Pipe()
    member = context.Process(target=work, args=(there, *arguments), daemon=True)
    member.start()
    there.close()
    try:
        yield member, here
    finally:
        member.kill()
        member.join(PATIENCE)
        here.close()


def _answering(say: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    try:
        say.send((work(*arguments), None))
    except BaseException:  # noqa: BLE001 - whatever it is, it must be heard of
        say.send((None, traceback.format_exc()))


def mount_small_disk(folder: Path, size: int) -> bool:
    """Put a disk of `size` bytes there, for this process alone; whether this system lets us."""
    return _own_mounts() and _mount(b"tmpfs", folder, b"tmpfs", 0, f"size={size}".encode())


def found_on_small_disk(work: Callable[..., object], *arguments: object, patience: float = PATIENCE) -> Any:
    """What it found there. Where no disk can be mounted, that is counted as an expected failure, in CI as a real one."""
    found = elsewhere(work, *arguments, patience=patience)
    if found == NO_SMALL_DISK:
        said = "not run: this user may not mount a small disk; test_io_errors.py lets every single write find it full"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.xfail(said)
    return found


def _own_mounts() -> bool:
    if not hasattr(os, "geteuid") or not Path("/proc/self/ns/mnt").exists():
        return False
    users = 0 if os.geteuid() == 0 else _NEW_USERS
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None).unshare(_NEW_MOUNTS | users) != 0:
        return False
    if users:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    return _mount(b"none", Path("/"), None, _RECURSIVE | _PRIVATE, None)


def _mount(what: bytes, where: Path, kind: bytes | None, flags: int, options: bytes | None) -> bool:
    mount = ctypes.CDLL(None).mount
    mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
    return bool(mount(what, os.fsencode(where), kind, flags, options) == 0)


def become_nobody() -> None:
    """Give up the rights of root, whom no permission stops."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
