"""The data folder says where a host is, to its owner only, and lets one host run on it at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actum import Busy, Invalid, Unavailable
from actum.host.folder import Folder, Reached, running_folder

REACHED = Reached("bank", "http://127.0.0.1:1", "secret", "http://127.0.0.1:2", 1)


def test_only_the_owner_reads_where_the_control_door_is(tmp_path: Path):
    folder = Folder(tmp_path / "bank.data").make()
    with pytest.raises(Unavailable, match="nothing runs on"):
        folder.reached()
    folder.publish(REACHED)
    folder.publish(REACHED)
    assert folder.reached() == REACHED
    assert (tmp_path / "bank.data/host/control.json").stat().st_mode & 0o777 == 0o600
    folder.withdraw()
    folder.withdraw()
    with pytest.raises(Unavailable):
        folder.reached()


def test_what_is_made_is_for_its_owner_only(tmp_path: Path):
    before = os.umask(0o022)
    try:
        folder = Folder(tmp_path / "bank.data").make()
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (folder.path, folder.path / "host", folder.logs)]
    assert modes == [0o700] * 3


def test_one_host_at_a_time_runs_on_a_folder(tmp_path: Path):
    with Folder(tmp_path).held(), pytest.raises(Busy, match="another host runs on"), Folder(tmp_path).held():
        pass
    with Folder(tmp_path).held():
        pass


def test_the_folder_on_which_something_runs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unavailable, match="nothing runs in this folder"):
        running_folder()
    Folder("bank.data").make().publish(REACHED)
    Folder("other.data").make()
    assert running_folder() == Path("bank.data")
    Folder("other.data").publish(REACHED)
    with pytest.raises(Invalid, match=r"bank\.data, other\.data"):
        running_folder()


def test_ports_are_remembered_and_a_broken_memory_is_none(tmp_path: Path):
    folder = Folder(tmp_path).make()
    assert folder.ports() == {}
    folder.keep_ports({"a": 1})
    assert folder.ports() == {"a": 1}
    (tmp_path / "host/ports.json").write_text("{")
    assert folder.ports() == {}


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be made"):
        Folder(tmp_path / "file").make()
