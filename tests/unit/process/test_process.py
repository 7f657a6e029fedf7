"""How processes are declared, and what is turned down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any

import pytest

from actum import App, Command, Event, Misdeclared, Process, Tag
from actum.process.process import Definition
from actum.process.reaction import Occasion

OrderId = Annotated[str, Tag("order")]


class Placed(Event):
    order: OrderId


class Paid(Event):
    order: OrderId


class Elsewhere(Event):
    note: str


class Ship(Command):
    order: OrderId


class Fulfilment(Process, starts=Placed, patience=timedelta(hours=3)):
    order: OrderId

    def evolve(self, event: Placed) -> None:
        pass

    def react(self, event: Paid, occasion: Occasion) -> Iterator[Command]:
        yield Ship(order=self.order)


def test_a_process_follows_what_it_is_folded_from_and_what_it_reacts_to():
    definition = Definition(Fulfilment, from_beginning=False)
    assert definition.events == (Placed, Paid)
    assert (definition.reacts, definition.starts) == ({Paid}, {Placed})
    assert definition.cls.__patience__ == timedelta(hours=3)


def test_an_instance_is_called_by_its_process_and_its_identity_and_never_like_another():
    definition = Definition(Fulfilment, from_beginning=False)
    assert definition.instance(("O-1",)) == "Fulfilment/O-1"
    assert definition.instance(("a/b",)) == "Fulfilment/a%2Fb"


def without_identity() -> type[Process]:
    class Nobody(Process, starts=Placed):
        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Placed) -> None: ...

    return Nobody


def without_start() -> type[Process]:
    class Endless(Process):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Placed) -> None: ...

    return Endless


def starting_with_a_stranger() -> type[Process]:
    class Strange(Process, starts=Paid):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Placed) -> None: ...

    return Strange


def without_react() -> type[Process]:
    class Silent(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...

    return Silent


def never_found() -> type[Process]:
    class Lost(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed | Elsewhere) -> None: ...
        def react(self, event: Placed) -> None: ...

    return Lost


def reacting_to_nothing() -> type[Process]:
    class Vague(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Event) -> None: ...

    return Vague


def awaiting() -> type[Process]:
    class Slow(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        async def react(self, event: Placed) -> None: ...  # type: ignore[override]

    return Slow


def asking_for_more() -> type[Process]:
    class Greedy(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Placed, clock: str) -> None: ...  # type: ignore[override]

    return Greedy


def forgetting_a_case() -> type[Process]:
    class Forgetful(Process, starts=Placed):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...

        def react(self, event: Placed | Paid) -> None:
            match event:
                case Placed():
                    return

    return Forgetful


def remembering() -> type[Process]:
    class Old(Process, starts=Placed, snapshot_every=10):
        order: OrderId

        def evolve(self, event: Placed) -> None: ...
        def react(self, event: Placed) -> None: ...

    return Old


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (without_identity, "has no identity"),
        (without_start, "say what an instance begins with"),
        (starting_with_a_stranger, "starts with Paid, which neither"),
        (without_react, "has no react"),
        (never_found, "'order', which Elsewhere never carries"),
        (reacting_to_nothing, "expected one or more event classes"),
        (awaiting, "what must be awaited is an effect"),
        (asking_for_more, "'clock' is no Occasion"),
        (forgetting_a_case, "takes Paid and its match has no case for it"),
        (remembering, "no snapshots"),
    ],
)
def test_what_is_not_whole_is_said_when_it_is_declared(made: Callable[[], Any], said: str):
    with pytest.raises(Misdeclared, match=said):
        App("shop").process(made())


def test_no_two_processes_or_effects_go_by_one_name():
    shop = App("shop")
    shop.process(Fulfilment)
    with pytest.raises(Misdeclared, match="both called Fulfilment"):
        shop.process(Fulfilment)
