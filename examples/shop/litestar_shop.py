"""A Litestar shop that mounts the stock's door beside its own routes."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar, get
from litestar import asgi as asgi_route

from actum.http.asgi import asgi
from examples.shop.stock import stock


def shop(folder: Path) -> Litestar:
    """The shop, with its journal in that folder."""
    door = asgi(stock, folder / "stock.db", actor="shop")

    @get("/")
    async def hello() -> dict[str, str]:
        return {"shop": "open"}

    return Litestar([hello, asgi_route("/stock", is_mount=True, copy_scope=True)(door)], on_shutdown=[door.close])
