"""What an application declares about others: which events it publishes, and what it does about those of another context."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from actum.journal.errors import Misdeclared
from actum.service.reacting import Reacting

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from actum.journal.event import Event
    from actum.messaging.heard import Ear, Hearing
    from actum.messaging.published import Publication, Publisher

PublishT = TypeVar("PublishT", bound="type[Event] | Callable[..., Any]")
HearT = TypeVar("HearT", bound="Callable[..., Any]")


class Connected(Reacting):
    """The declarations of one bounded context among others. See `App`."""

    def __init__(self, name: str, *, version: str = "0", revision: str | None = None) -> None:
        super().__init__(name, version=version, revision=revision)
        self._publications: dict[type[Event], Publication] = {}
        self._heard: dict[str, tuple[Publisher, list[Ear]]] = {}

    def publishes(self, declared: PublishT) -> PublishT:
        """Let other contexts hear of this: an event class as it is, or `def told(event: Deposited) -> PaidIn`, which maps
        an event of one's own to a public one, several, or None. Works as a decorator.
        """
        from actum.messaging.published import publications_of  # noqa: PLC0415 - only who has neighbours pays for it

        for one in publications_of(declared):
            if one.own in self._publications:
                raise Misdeclared(f"what is published of {one.own.__name__} is declared twice; there can be one")
            self._publications[one.own] = one
            self.knows(one.own)
        return declared

    def hears(self, context: Publisher) -> Callable[[HearT], HearT]:
        """Do something about what another context publishes: `def note(event: PaidIn) -> NoteMoney | None`, a decorator.

        It answers a command of this context, several, or None. Each event's commands are given once, whatever is killed
        when; its order is kept; who did it and in which story are carried along. Begun with `running.listen`.
        """
        from actum.messaging.heard import ear_of  # noqa: PLC0415 - as above

        def declare(function: HearT) -> HearT:
            if context is self:
                raise Misdeclared(f"{self.name} cannot hear itself; what follows from its own events is a process")
            other, ears = self._heard.setdefault(context.name, (context, []))
            if other is not context:
                raise Misdeclared(f"two contexts are both called {context.name!r}; rename one")
            ear = ear_of(function)
            if any(known.name == ear.name for known in ears):
                raise Misdeclared(f"{self.name} hears {context.name} in two functions called {ear.name}; rename one")
            ears.append(ear)
            return function

        return declare

    @property
    def publications(self) -> dict[type[Event], Publication]:
        """What it publishes, by its own events."""
        return dict(self._publications)

    @property
    def heard(self) -> tuple[str, ...]:
        """The names of the contexts that it hears."""
        return tuple(self._heard)

    @property
    def hearings(self) -> tuple[Hearing, ...]:
        """What it hears of each. `Misdeclared` where that is not published."""
        from actum.messaging.heard import Hearing  # noqa: PLC0415 - as above

        return tuple(Hearing(self.name, publisher, tuple(ears)) for publisher, ears in self._heard.values())
