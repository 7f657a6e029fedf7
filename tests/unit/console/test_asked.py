"""What is asked of the console is understood, or turned down in words: never half of it done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from actum.console import Console, console
from actum.console.app import MOST_FEEDS
from tests.unit.console.street import Street


def test_half_a_form_is_no_form(street: Street):
    """Whoever goes away in the middle has said nothing: a field that is cut off could be another one."""
    app, sent = console(street.contexts), list[dict[str, Any]]()
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/settings",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"localhost")],
    }
    came = [{"type": "http.request", "body": b"language=fr", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return came.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def story() -> None:
        await app(scope, receive, send)  # type: ignore[arg-type]
        await app.close()

    asyncio.run(story())
    assert sent[0]["status"] == 400
    assert b"the sender went away" in sent[1]["body"]


@pytest.mark.parametrize(
    ("method", "address", "form", "status"),
    [
        ("GET", "/search?" + "&".join(f"p{n}=x" for n in range(51)), None, 400),
        ("POST", "/settings", {f"f{n}": "x" for n in range(201)}, 400),
        ("POST", "/settings", {"csrf": "é"}, 403),
        ("GET", "/live/feed", None, 503),
    ],
)
def test_what_is_too_much_or_none_of_ours_is_turned_down_in_words(
    client: TestClient, method: str, address: str, form: dict[str, str] | None, status: int
):
    app = client.app
    assert isinstance(app, Console)
    app._feeds.update(range(MOST_FEEDS))  # type: ignore[arg-type]
    answer = client.request(method, address, data=form)
    app._feeds.clear()
    assert (answer.status_code, "something went wrong inside" in answer.text) == (status, False)
    assert "<main" in answer.text
