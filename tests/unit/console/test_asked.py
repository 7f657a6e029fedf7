"""What is asked of the console is understood, or turned down in words: never half of it done."""

from __future__ import annotations

import asyncio
from typing import Any

from actum.console import console
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
