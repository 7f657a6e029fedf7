"""A FastAPI shop: orders in a plain SQLite table, the stock on actum; routes of its own that give commands, and the door beside."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from actum import Refused
from actum.http.asgi import asgi
from actum.service.running_async import AsyncRunning
from examples.shop.stock import OnHand, Reserve, stock


class Order(BaseModel):
    """What a customer orders."""

    id: str
    customer: str
    article: str
    count: int


def shop(folder: Path) -> FastAPI:
    """The shop, with its files in that folder."""
    running = AsyncRunning(stock.open(folder / "stock.db", actor="shop"))
    orders = folder / "orders.db"
    with closing(sqlite3.connect(orders)) as tables:
        tables.execute(
            "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, customer TEXT, article TEXT, count INT)"
        )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await running.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders")
    async def order(order: Order) -> dict[str, int]:
        """Reserve the goods first: the order's id makes a repeated request one reservation; then the row."""
        command = Reserve(article=order.article, order=order.id, count=order.count)
        try:
            done = await running.execute(command, id=f"order {order.id}", reason="web order")
        except Refused as refused:
            raise HTTPException(409, refused.reason) from refused
        with closing(sqlite3.connect(orders)) as tables, tables:
            row = (order.id, order.customer, order.article, order.count)
            tables.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?)", row)
        return {"position": done.position}

    @app.get("/articles/{article}")
    async def article(article: str, after: int = 0) -> dict[str, int]:
        """How many there are; `after` a position, to read one's own write."""
        await running.wait_for(after)
        row = running.view(OnHand).get(article)
        return {"left": 0 if row is None else row.count}

    app.mount("/stock", asgi(stock, running))
    return app
