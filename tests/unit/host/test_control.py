"""The control door opens for the token in the data folder, does what it is asked, and says what cannot be done."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from actum import Invalid, Unavailable, Unknown
from actum.host.control import ControlClient
from actum.host.control_door import ControlDoor
from actum.host.folder import Folder, Reached
from actum.host.supervisor import Supervisor
from actum.http.serving import Serving
from actum.service.control import Piece, PieceState


class Told:
    """Stands where a supervisor stands, and remembers what it is told; a real one is in `tests/fault/test_host.py`."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.piece = Piece(
            name="shop/queries", context="shop", kind="queries", state=PieceState.RUNNING, since=datetime.now(UTC)
        )

    def pieces(self) -> tuple[Piece, ...]:
        return (self.piece,)

    async def do(self, verb: str, name: str) -> tuple[Piece, ...]:
        if name != "shop/queries":
            raise Unknown("piece", name, ("shop/queries",))
        if verb == "resume":
            raise Invalid("only what is paused can be resumed")
        self.done.append(f"{verb} {name}")
        return (msgspec.structs.replace(self.piece, state=PieceState.STOPPED),)

    async def reload(self) -> dict[str, str]:
        self.done.append("reload")
        return {}


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def control(told: Told, tmp_path: Path) -> Iterator[ControlClient]:
    door = ControlDoor(cast("Supervisor", told), token="secret", reload=told.reload)
    with Serving(door) as serving:
        Folder(tmp_path).make().publish(Reached("market", serving.url, "secret", "http://127.0.0.1:1", 1))
        yield ControlClient(tmp_path)


def test_what_is_asked_is_done_and_answered(control: ControlClient, told: Told):
    assert control.pieces() == (told.piece,)
    for verb in ("start", "stop", "kill", "pause"):
        (piece,) = getattr(control, verb)("shop/queries")
        assert piece.off
    assert told.done == ["start shop/queries", "stop shop/queries", "kill shop/queries", "pause shop/queries"]


def test_what_cannot_be_done_is_raised_where_it_was_asked(control: ControlClient):
    with pytest.raises(Unknown, match="shop/queries"):
        control.stop("shop/quarries")
    with pytest.raises(Invalid, match="only what is paused"):
        control.resume("shop/queries")


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer secret", "host": "evil"}]
)
def test_whoever_has_not_the_token_or_comes_by_another_name_is_turned_away(
    control: ControlClient, told: Told, headers: dict[str, str], tmp_path: Path
):
    url = Folder(tmp_path).reached().url
    request = urllib.request.Request(f"{url}/pieces/shop%2Fqueries/stop", method="POST", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as wrong:
        urllib.request.urlopen(request, timeout=60)
    assert wrong.value.code in (401, 421)
    wrong.value.close()
    assert told.done == []


def test_a_host_that_has_ended_is_said_to(control: ControlClient, tmp_path: Path):
    reached: Any = msgspec.structs.replace(Folder(tmp_path).reached(), url="http://127.0.0.1:1")
    Folder(tmp_path).publish(reached)
    with pytest.raises(Unavailable, match="it has ended"):
        control.pieces()
