"""A host says at once what keeps a system from running: who could reach it, what does not fit, who runs it already."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from actum import Busy, Invalid, Misdeclared, Unknown
from actum.host.folder import Folder
from actum.host.hosting import Setup, hosting, near, reloaded, up


def begun(setup: Setup) -> None:
    async def story() -> None:
        async with hosting(setup):
            pytest.fail("it runs")

    asyncio.run(story())


def test_a_system_that_knows_nobody_is_not_opened_to_other_machines(tmp_path: Path):
    with pytest.raises(Invalid, match="say --security"):
        begun(Setup(target="tests.unit.host.shop:system", data=tmp_path, host="0.0.0.0"))


def test_one_host_runs_on_a_folder(tmp_path: Path):
    with Folder(tmp_path).held(), pytest.raises(Busy, match="another host runs on"):
        begun(Setup(target="tests.unit.host.shop:system", data=tmp_path))


def test_what_does_not_fit_is_said_in_the_words_of_whoever_found_it(tmp_path: Path):
    with pytest.raises(Misdeclared, match=r"expected a System in tests.unit.host.shop:nothing, found nothing"):
        begun(Setup(target="tests.unit.host.shop:nothing", data=tmp_path))
    with pytest.raises(Misdeclared, match="no_such_module cannot be imported"), up("no_such_module:x", data=tmp_path):
        pytest.fail("it runs")


def test_what_listens_everywhere_is_near_on_this_machine():
    assert near("http://0.0.0.0:8000") == "http://127.0.0.1:8000"
    assert near("http://[::]:8000") == "http://[::1]:8000"
    assert near("http://10.0.0.1:8000") == "http://10.0.0.1:8000"


def test_code_that_cannot_be_taken_is_said_and_the_next_change_is_tried():
    """Such as one without the only view, where several are to keep views up."""
    came: list[Exception | dict[str, str]] = [
        Unknown("service", "projections", ("shop/commands",)),
        RuntimeError("what nobody thought of"),
        {"shop/queries": "it does not start"},
        {},
    ]
    said: list[str] = []

    async def reload() -> dict[str, str]:
        one = came.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    async def changes() -> None:
        while came:
            await reloaded(reload, said.append)

    asyncio.run(changes())
    assert [line.partition(":")[0] for line in said] == [
        "the new code does not fit, the old one goes on",
        "the new code does not fit, the old one goes on",
        "shop/queries goes on with the old code",
        "reloaded",
    ]
    assert "projections" in said[0]
    assert "what nobody thought of" in said[1]
