"""A context behind a door is heard like one in this process, also after the door was away."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from actum import Unavailable
from actum.http.asgi import asgi
from actum.http.client import Client
from actum.http.elsewhere import Elsewhere
from actum.http.limits import Limits
from actum.http.serving import Serving
from tests.unit.messaging.neighbours import Move, Open, Wealth, a_bank, an_office, deposit


def test_what_happens_behind_a_door_is_heard_and_a_door_that_was_away_is_caught_up_with():
    app = a_bank()
    with app.open("memory:", actor="t") as bank, an_office(app).open("memory:", actor="o") as office:
        door = Serving(asgi(app, bank, limits=Limits(heartbeat=0.3)))
        with door as serving:
            source = Elsewhere(serving.url, app)
            port = int(serving.url.rpartition(":")[2])
            listening = office.listen({"bank": source}).run()
            bank.execute(Open(account="A"))
            done = bank.execute(deposit("C", 5), actor="app-c")
            listening.wait_for("bank", done.position, timeout=30)
            (event,) = office.events()
            assert event.metadata.actor == "app-c"
            there = next(iter(bank.events(after=1)))
            assert (event.metadata.causation_id, event.metadata.correlation_id) == (
                there.id,
                there.metadata.correlation_id,
            )
        missed = bank.execute(Move(giver="C", taker="D", amount=Decimal(2)))
        with pytest.raises(Unavailable, match="cannot be reached"):
            source.read(frozenset({"Moved"}), after=2)
        with Serving(asgi(app, bank), port=port):
            listening.wait_for("bank", missed.position, timeout=30)
            assert office.state(Wealth, "C").steps == " 5 -2"
            assert office.state(Wealth, "D").steps == " 2"
            listening.stop()
            source.close()


class Counting:
    """A door that counts the feeds it opens, and what it says in them."""

    def __init__(self, door: Any) -> None:
        self._door = door
        self.opened = 0
        self.said = threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_feed = scope["type"] == "http" and scope["path"] == "/feed"
        self.opened += is_feed

        async def sent(message: Any) -> None:
            await send(message)
            if is_feed and message["type"] == "http.response.body":
                self.said.release()

        await self._door(scope, receive, sent)


def test_a_feed_that_is_silent_for_longer_than_an_answer_takes_is_kept():
    app = a_bank()
    with app.open("memory:", actor="t") as bank:
        door = Counting(asgi(app, bank, limits=Limits(heartbeat=1.2)))
        with Serving(door) as serving:
            source = Elsewhere(serving.url, app, timeout=0.5)
            rung = threading.Event()
            stop = source.watch(lambda _: rung.set())
            source.read(frozenset({"Deposited"}), after=0)
            for _ in range(3):
                assert door.said.acquire(timeout=30)
            assert door.opened == 1
            bank.execute(deposit("C", 5))
            assert rung.wait(30)
            assert door.opened == 1
            stop()
            source.close()


def test_a_door_with_small_pages_is_heard_too():
    app = a_bank()
    with app.open("memory:", actor="t") as bank, Serving(asgi(app, bank, limits=Limits(rows=2))) as serving:
        for amount in range(1, 6):
            bank.execute(deposit("C", amount))
        with Client(serving.url, app) as web:
            assert [event.position for event in web.events()] == [1, 2, 3, 4, 5]
        source = Elsewhere(serving.url, app)
        heard = source.read(frozenset({"Deposited"}), after=0)
        assert [stored.position for stored in heard.events] == [1, 2]
        assert heard.more
        source.close()


def test_a_source_says_which_event_stands_where():
    app = a_bank()
    with app.open("memory:", actor="t") as bank, Serving(asgi(app, bank)) as serving:
        bank.execute(deposit("C", 5))
        source = Elsewhere(serving.url, app)
        (stored,) = bank.store.read()
        assert source.at(1) == stored
        assert source.at(2) is None
        source.close()
