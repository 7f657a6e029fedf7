"""A page of somebody who forgot everything: it asks nobody who they are, and does whatever a form says."""

from __future__ import annotations

from typing import Any

from actum.journal.errors import Denied
from actum.service.site import VISITOR, Site

REACHED: list[tuple[str, str, str]] = []
"""Method, path and visitor of each request that reached it."""


def page(site: Site) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return await send({"type": "lifespan.shutdown.complete"})
        visitor = scope.get(VISITOR)
        REACHED.append((scope["method"], scope["path"], "nobody" if visitor is None else visitor.id))
        status = 200
        if scope["method"] == "POST":
            assert site.control is not None
            try:
                getattr(site.control, scope["path"].strip("/"))("shop/commands")
            except Denied:
                status = 403
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        return await send({"type": "http.response.body", "body": b""})

    return app
