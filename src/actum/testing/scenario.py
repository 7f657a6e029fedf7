"""Scenarios of an application that read as English: given what had happened, when this is asked, then that happens.

```python
given(bank, Opened(account="A-1", owner="Ada"), Deposited(account="A-1", amount=Decimal("50.00"))).when(
    Withdraw(account="A-1", amount=Decimal("20.00"))
).then(Withdrawn(account="A-1", amount=Decimal("20.00"))).and_state(Account, "A-1", balance=Decimal("30.00"))
```

Each is played on a fresh journal in every kind of store, through serialisation and back. Beside what it says, it always
holds the application to what nobody should have to say: every event carries its actor, command, cause and producer; the
decision is on record; the same command asked again gets the first answer and changes nothing; the rules are pure.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from actum.decision.command import Command, digest_of
from actum.decision.outcome import CommandRefused, Decided, NothingChanged
from actum.journal.clock import to_microseconds, uuid_of
from actum.journal.errors import Refused
from actum.journal.message import to_json
from actum.journal.tagging import tagger
from actum.testing.difference import compared, failed, fields, of_events, told
from actum.testing.purity import check_rule
from actum.testing.reactions import Happened, Happening
from actum.testing.rerun import changes_on_rerun
from actum.testing.stage import STORES, TELLER, Asked, Plan, Played, fact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from actum.decision.state import Identity, State
    from actum.journal.event import Event, SequencedEvent
    from actum.testing.stage import Address, Application, AtWork, Fact


def given(app: Application, *events: Event | Fact, stores: Sequence[Address] = STORES) -> Given:
    """Begin a scenario: these events had happened, in this order, and nothing else.

    `at(moment, event)` and `by(actor, event)` say when one took effect and who did it. `stores` are the kinds of store
    to play it on.
    """
    if not stores:
        raise TypeError("given: expected at least one kind of store, found none: nothing would be tested")
    return Given(Plan(app, tuple(stores), tuple(fact(event) for event in events)))


class Given:
    """A scenario of which the past is known. Go on with `when`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def when(
        self,
        command: Command,
        *,
        id: UUID | str | None = None,
        actor: str = TELLER,
        on_behalf_of: str | None = None,
        reason: str | None = None,
        correlation: UUID | None = None,
        causation: UUID | None = None,
        effective_at: datetime | None = None,
    ) -> When:
        """The command is given, by that actor, with whatever else its envelope says."""
        if not isinstance(command, Command):
            raise TypeError(
                f"when: expected a command, found {command!r:.120}; what had happened belongs into given(…)"
            )
        name = f"command {len(self._plan.asked) + 1} of the scenario" if id is None else id
        asked = Asked(command, name, actor, on_behalf_of, reason, correlation, causation, effective_at)
        return When(replace(self._plan, asked=(*self._plan.asked, asked)))

    def when_happens(self, *events: Event | Fact) -> Happened:
        """This happens, and the processes of the application react to it; nothing outside is called."""
        return Happened(self._plan, (Happening(tuple(fact(event) for event in events)),))

    def when_time_passes(self, **time: float) -> Happened:
        """So much time passes: `when_time_passes(days=2)`. Timers that are due fire, and processes react."""
        return Happened(self._plan, (Happening(passes=timedelta(**time)),))


class When:
    """A scenario whose command was given. Say what happens then: `then`, `then_refused` or `then_nothing`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._told = True
        check_rule(plan.app.handler(type(plan.asked[-1].command)))
        self._played = plan.play_last()
        self._told = False

    def __del__(self) -> None:
        if not self._told:
            warnings.warn(
                "a scenario ended at .when(…): nothing was tested; go on with .then(…), .then_refused(…) or "
                ".then_nothing()",
                RuntimeWarning,
                stacklevel=2,
            )

    def then(self, *events: Event) -> Then:
        """Exactly these events happen, in this order."""
        __tracebackhide__ = True
        self._told = True
        if not events:
            raise TypeError("then: expected at least one event; say .then_nothing() where nothing happens")
        for played in self._looks():
            if isinstance(played.answer, Refused):
                raise self._failed(played, [f"expected {_names(events)}, found a refusal: {played.answer}"])
            found = self._decoded(played)
            self._require(played, of_events(events, found))
            self._require(played, of_events(found, played.answer.events))
        return Then(self._plan)

    def then_refused(self, reason: str, /, **facts: object) -> Then:
        """The rules say no for that reason, having looked at these facts; those named are compared, no others."""
        __tracebackhide__ = True
        for played in self._looks():
            if isinstance(played.answer, Decided):
                events = ", ".join(map(repr, played.answer.events)) or "nothing to do"
                raise self._failed(played, [f"expected a refusal: {reason}", f"found    {events}"])
            found = {"reason": played.answer.reason, **played.answer.facts}
            wanted = {"reason": reason, **facts}
            self._require(played, compared(wanted, {name: found[name] for name in wanted if name in found}))
            self._check_refusal_on_record(played, played.answer)
        return Then(self._plan)

    def then_nothing(self) -> Then:
        """The rules say yes, and there is nothing to do; that too is on record."""
        __tracebackhide__ = True
        for played in self._looks():
            if isinstance(played.answer, Refused):
                raise self._failed(played, [f"expected nothing to do, found a refusal: {played.answer}"])
            self._require(played, of_events((), played.answer.events))
            self._require(
                played, compared({"on record": NothingChanged}, {"on record": type(self._decoded(played)[0])})
            )
        return Then(self._plan)

    def _looks(self) -> list[Played]:
        """What happened on each store, held to what every scenario demands."""
        __tracebackhide__ = True
        self._told = True
        for played in self._played:
            self._require(played, changes_on_rerun(self._plan.app, self._plan.asked[-1].command, played.history))
            self._require(played, self._envelope(played))
            self._require(played, self._record(played))
            self._require(played, self._repetition(played))
        return self._played

    def _failed(self, played: Played, lines: Sequence[str]) -> AssertionError:
        return failed(self._plan, played.store, lines)

    def _require(self, played: Played, differences: Sequence[str]) -> None:
        __tracebackhide__ = True
        if differences:
            raise self._failed(played, differences)

    def _decoded(self, played: Played) -> list[Event]:
        return [event for stored in self._stored(played) for event in self._plan.app.codec.decode(stored)]

    def _stored(self, played: Played) -> list[SequencedEvent]:
        """What the decision led to: what was added, or, for a command decided earlier, what was added then."""
        record = played.record
        if record is None:
            return list(played.stored)
        return [event for event in (*played.history, *played.stored) if record.first <= event.position <= record.last]

    def _envelope(self, played: Played) -> list[str]:
        """Who, why, caused by what, when: on every event, and in its tags."""
        for stored in self._stored(played):
            said = stored.metadata
            found = fields(said) | {"correlation": said.correlation_id, "causation": said.causation_id}
            differences = compared(self._said(), {name: found[name] for name in self._said()})
            differences += compared({"effective": self._effective()}, {"effective": stored.effective})
            if differences:
                return [f"the envelope of {stored.type} at position {stored.position}:", *differences]
        return []

    def _said(self) -> dict[str, object]:
        asked = self._plan.asked[-1]
        command_id = uuid_of(asked.command_id)
        return {
            "actor": asked.actor,
            "on_behalf_of": asked.on_behalf_of,
            "reason": asked.reason,
            "command_id": command_id,
            "command_type": asked.command.__kind__.type,
            "correlation": asked.correlation or command_id,
            "causation": asked.causation or command_id,
            "producer": self._plan.app.producer,
        }

    def _effective(self) -> int | None:
        moment = self._plan.asked[-1].effective_at
        return None if moment is None else to_microseconds(moment)

    def _record(self, played: Played) -> list[str]:
        """The decision record: which rule decided what, and which events it led to."""
        asked, record = self._plan.asked[-1], played.record
        if record is None:
            return [f"expected a decision record of {asked.command.__kind__.type}, found none"]
        handler = self._plan.app.handler(type(asked.command))
        expected: dict[str, object] = {
            "digest": digest_of(asked.command.__kind__, to_json(asked.command)),
            "handler": handler.name,
        }
        found: dict[str, object] = {"digest": record.digest, "handler": record.handler}
        if played.stored:
            expected |= {"first": played.stored[0].position, "count": len(played.stored)}
            found |= {"first": record.first, "count": record.count}
        differences = compared(expected, found)
        return ["the decision record:", *differences] if differences else []

    def _repetition(self, played: Played) -> list[str]:
        """The same command again: the first answer, and nothing new in the journal."""
        end = len(played.history) + len(played.stored)
        expected: dict[str, object] = {"head": end, "answer": _gist(played.answer)}
        lines = compared(expected, {"head": played.head, "answer": _gist(played.again)})
        return ["asked again with the same command id:", *lines] if lines else []

    def _check_refusal_on_record(self, played: Played, refused: Refused) -> None:
        __tracebackhide__ = True
        command = self._plan.asked[-1].command
        (found,) = self._decoded(played)
        facts = {name: str(value) for name, value in refused.facts.items()}
        expected = {
            "reason": refused.reason,
            "facts": facts,
            "command": str(command.__kind__),
            "said": to_json(command),
        }
        seen = (fields(found) | {"said": bytes(found.said)}) if isinstance(found, CommandRefused) else fields(found)
        self._require(played, compared(expected, seen))
        tags = tuple(tagger(type(command))(command))
        self._require(played, compared({"tags": tags}, {"tags": self._stored(played)[0].tags}))


class Then(Given):
    """A scenario that came out as expected. Look further with `and_state`, or go on with `when`."""

    def and_state(self, state: type[State], *identity: Identity, **expected: object) -> Then:
        """That thing's state is now so; the fields named are compared, no others."""
        __tracebackhide__ = True

        def look(running: AtWork) -> State:
            return running.state(state, *identity)

        for store, found in self._plan.play(look):
            self._compare(store, _name(state, identity), expected, fields(found))
        return self

    def and_view(self, view: type[State], *identity: Identity, **expected: object) -> Then:
        """That thing's row in the read database is now so; the fields named are compared, no others."""
        __tracebackhide__ = True
        what = _name(view, identity)
        for store, row in self._rows(view, identity):
            if row is None:
                raise failed(self._plan, store, [f"{what}: expected a row, found none"])
            self._compare(store, what, expected, fields(row))
        return self

    def and_no_view(self, view: type[State], *identity: Identity) -> Then:
        """The view has no row of that thing."""
        __tracebackhide__ = True
        for store, row in self._rows(view, identity):
            if row is not None:
                raise failed(self._plan, store, [f"{_name(view, identity)}: expected no row, found {told(row)}"])
        return self

    def _rows(self, view: type[State], identity: tuple[Identity, ...]) -> list[tuple[str, State | None]]:
        def look(running: AtWork) -> State | None:
            running.catch_up()
            row: State | None = running.view(view).get(*identity)
            return row

        return self._plan.play(look)

    def _compare(self, store: str, what: str, expected: dict[str, object], found: dict[str, object]) -> None:
        __tracebackhide__ = True
        if not expected:
            raise TypeError(f"{what}: expected at least one field to compare, of {', '.join(found)}")
        unknown = [name for name in expected if name not in found]
        if unknown:
            raise TypeError(f"{what} has no field {', '.join(unknown)}; it has {', '.join(found)}")
        differences = compared(expected, {name: found[name] for name in expected})
        if differences:
            raise failed(self._plan, store, [f"{what}:", *differences])


def _gist(answer: Decided | Refused) -> tuple[object, ...]:
    """What must be the same in two answers to one command."""
    if isinstance(answer, Refused):
        return ("refused", answer.reason, {name: str(value) for name, value in answer.facts.items()}, answer.position)
    return ("decided", answer.command_id, answer.position, answer.events, answer.recorded_at)


def _name(cls: type[State], identity: tuple[Identity, ...]) -> str:
    return f"{cls.__name__} {', '.join(map(str, identity))}".rstrip()


def _names(events: Sequence[Event]) -> str:
    return ", ".join(type(event).__name__ for event in events)
