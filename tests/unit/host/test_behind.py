"""Behind a gateway a door stands under a path, and believes nobody who does not show the key."""

from __future__ import annotations

import asyncio
from typing import Any

from actum.host.behind import CLIENT, KEY, SCHEME, Behind, Plain


def seen(path: str, headers: list[tuple[bytes, bytes]], key: str | None = "k") -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.update(scope)

    async def nothing(*_: object) -> Any:
        return None

    scope = {"type": "http", "path": path, "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http"}
    asyncio.run(Behind(Plain(app), prefix="/shop", key=key)(scope, nothing, nothing))
    return found


def test_the_door_stands_under_the_path_of_its_context_and_also_by_itself():
    assert seen("/shop/views/Item", [])["root_path"] == "/shop"
    assert "root_path" not in seen("/views/Item", [])
    assert "root_path" not in seen("/shopping", [])


SAID = [(CLIENT, b"10.0.0.9"), (SCHEME, b"https"), (b"host", b"here")]


def test_whoever_shows_the_key_says_for_whom_it_asks():
    scope = seen("/shop", [(KEY, b"k"), *SAID])
    assert (scope["client"], scope["scheme"]) == (("10.0.0.9", 0), "https")
    assert scope["headers"] == [(b"host", b"here")]


def test_whoever_does_not_is_not_believed():
    for headers, key in ((SAID, "k"), ([(KEY, b"x"), *SAID], "k"), ([(KEY, b""), *SAID], None)):
        scope = seen("/shop", headers, key)
        assert (scope["client"], scope["scheme"]) == (("127.0.0.1", 1), "http")
