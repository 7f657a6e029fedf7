"""An ASGI application that is told when it begins and when it ends, by whoever serves it among others.

The protocol is that of https://asgi.readthedocs.io/en/latest/specs/lifespan.html: an application that does not know it says so by
failing at once, and does without.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from actum.journal.errors import Unavailable

if TYPE_CHECKING:
    from actum.http.specified import ASGIApp

_LOG = logging.getLogger(__name__)


class Lifespan:
    """Begun once, and ended once. Belongs to one event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[Any] = asyncio.Queue()
        self._living: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Until it is ready. `Unavailable` where it says that it cannot begin."""
        self._living = asyncio.create_task(self._live())
        self._told.put_nowait({"type": "lifespan.startup"})
        said = await self._said.get()
        if said is not None and said["type"] == "lifespan.startup.failed":
            raise Unavailable(f"the page cannot begin: {said.get('message', '')}")

    async def end(self) -> None:
        """Until it has given back what it had."""
        if self._living is not None:
            self._told.put_nowait({"type": "lifespan.shutdown"})
            await self._living

    async def _live(self) -> None:
        try:
            await self._app(
                {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._told.get, self._said.put
            )
        except Exception as wrong:  # noqa: BLE001 - that is how an application says that it does not know the protocol
            _LOG.debug("the application does without a lifespan: %r", wrong)
        finally:
            self._said.put_nowait(None)
