"""What an application declares: its rules, views and answers, and from their types everything else that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from actum.decision.handler import Decide, Exists, Handler, handler_of
from actum.decision.outcome import CommandRefused, NothingChanged
from actum.decision.state import fold_of
from actum.journal.codec import Codec
from actum.journal.errors import Misdeclared, Unknown
from actum.journal.event import Event, Kind
from actum.journal.upcast import Change, Drop, Split, Upcaster, upcaster
from actum.projection.acts import ACTS
from actum.projection.answer import Answer, Answers, answer_of
from actum.projection.notes import NOTES
from actum.projection.view import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actum.decision.command import Command
    from actum.decision.state import State
    from actum.journal.readmodel import Work
    from actum.projection.handling import Projection
    from actum.projection.query import Query
    from actum.projection.view import View, ViewT
    from actum.subscription.policy import Policy

DeclaredT = TypeVar("DeclaredT", bound="Callable[..., Any]")
AnswerT = TypeVar("AnswerT", bound=Answers)
DecideT = TypeVar("DecideT", bound=Decide)


class Declared:
    """The declarations of one bounded context, checked as they are made. See `App`."""

    def __init__(self, name: str, *, version: str = "0", revision: str | None = None) -> None:
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise Misdeclared(f"App({name!r}): expected letters, digits, '-' or '_'")
        self.name = name
        self.producer = f"{name}@{version}" + (f"+{revision}" if revision else "")
        self._handlers: dict[type[Command], Handler] = {}
        self._commands: dict[str, type[Command]] = {}
        self._events: dict[type[Event], None] = dict.fromkeys((CommandRefused, NothingChanged, *ACTS, *NOTES))
        self._states: dict[str, type[State]] = {}
        self._views: dict[str, type[View]] = {}
        self._projections: dict[str, Projection] = {}
        self._answers: dict[type[Query], Answer] = {}
        self._queries: dict[str, type[Query]] = {}
        self._upcasters: list[Upcaster] = []
        self._codec: Codec | None = None

    # Declaring.

    @overload
    def decides(self, decide: DecideT, /) -> DecideT: ...

    @overload
    def decides(
        self,
        /,
        *,
        conflicts: Sequence[type[Event]] | None = None,
        unless: Exists | Sequence[Exists] = (),
        version: int = 1,
    ) -> Callable[[DecideT], DecideT]: ...

    def decides(
        self,
        decide: Any = None,
        /,
        *,
        conflicts: Sequence[type[Event]] | None = None,
        unless: Exists | Sequence[Exists] = (),
        version: int = 1,
    ) -> Any:
        """The rule for one command: `def transfer(command: Transfer, source: Account, target: Account) -> Transferred`.

        Parameters are found by the identities that the command carries; they, and only they, are the consistency
        boundary. `conflicts` narrows which of the events read make the decision void when they happen meanwhile.
        `unless` guards uniqueness without a state. Raise `version` when the rule changes: it is kept with each decision.
        """
        if decide is None:
            return lambda rule: self.decides(rule, conflicts=conflicts, unless=unless, version=version)  # type: ignore[call-overload]
        guards = (unless,) if isinstance(unless, Exists) else tuple(unless)
        handler = handler_of(decide, conflicts=conflicts, unless=guards, version=version)
        self._add_handler(handler)
        return decide

    def _add_handler(self, handler: Handler) -> None:
        command = handler.command
        if command in self._handlers:
            raise Misdeclared(
                f"{command.__name__} is decided by {self._handlers[command].name} and by {handler.name}; there can be one"
            )
        other = self._commands.setdefault(command.__kind__.type, command)
        if other is not command:
            raise Misdeclared(f"two commands are both called {command.__kind__.type!r}; give one another name=…")
        self._handlers[command] = handler
        self.knows(*handler.produces, *(guard.event for guard, _ in handler.guards))
        for read in handler.reads:
            self.folds(read.fold.cls)

    def knows(self, *events: type[Event]) -> None:
        """Declare events that no rule and no state here names: those of older programs, or from elsewhere."""
        for event in events:
            self._events[event] = None
        self._codec = None

    def folds(self, state: type[State]) -> type[State]:
        """Declare a state that no rule reads, to look at it: `running.state(Account, "A-1")`. Works as a decorator."""
        other = self._states.setdefault(state.__name__, state)
        if other is not state:
            raise Misdeclared(f"two states are both called {state.__name__}")
        self.knows(*fold_of(state).events)
        return state

    def view(self, view: type[ViewT]) -> type[ViewT]:
        """Declare a view: a table that is kept up with the journal. Works as a decorator."""
        plan = plan_of(view)
        for other in self._views.values():
            if other is not view and (other.__name__ == view.__name__ or other.__table__ == plan.table):
                raise Misdeclared(
                    f"two views are both called {view.__name__}, or both kept in the table {plan.table!r}; "
                    "rename one, or give it another table=…"
                )
        self._views[view.__name__] = view
        self.folds(view)
        return view

    @overload
    def projection(self, declared: DeclaredT, /) -> DeclaredT: ...

    @overload
    def projection(
        self,
        /,
        *,
        by: object = None,
        name: str | None = None,
        begin: Work | None = None,
        version: int = 1,
        on_failure: Policy | None = None,
    ) -> Callable[[DeclaredT], DeclaredT]: ...

    def projection(
        self,
        declared: Any = None,
        /,
        *,
        by: object = None,
        name: str | None = None,
        begin: Work | None = None,
        version: int = 1,
        on_failure: Policy | None = None,
    ) -> Any:
        """Declare a projection of any shape: `def turnover(event: Deposited | Withdrawn, db: Any) -> None`, a decorator.

        It is given each event and the driver's connection in the transaction in which its checkpoint moves; so is `begin`,
        when it begins anew. A class has both as methods, `handle` and `begin`. `by` is the identity type whose values may
        be worked on beside each other, each in order; without it, all events are one line. Another `version` has it
        begin anew; so has other code where there is a `begin`, without which it goes on where it is.
        """
        from actum.projection.handling import projection_of  # noqa: PLC0415 - most applications have none

        def declare(one: DeclaredT) -> DeclaredT:
            made = projection_of(one, name=name, by=by, begin=begin, version=version, on_failure=on_failure)
            taken = {*self._projections, *(view.__table__ for view in self._views.values())}
            if made.name in taken:
                raise Misdeclared(f"two views or projections are both called {made.name!r}; give one another name=…")
            self._projections[made.name] = made
            self.knows(*made.events)
            for view in made.views:
                self.view(view)
            return one

        return declare if declared is None else declare(declared)

    def answers(self, answer: AnswerT) -> AnswerT:
        """How a query is answered: `def richest(query: Richest, balances: Table[Balance]) -> Page[Balance]`.

        The tables it looks into are found by their annotations. Works as a decorator.
        """
        understood = answer_of(answer)
        query = understood.query
        if query in self._answers:
            raise Misdeclared(
                f"{query.__name__} is answered by {self._answers[query].name} and by {understood.name}; there can be one"
            )
        if self._queries.setdefault(query.__kind__.type, query) is not query:
            raise Misdeclared(f"two queries are both called {query.__kind__.type!r}; give one another name=…")
        for view in understood.tables.values():
            self.view(view)
        self._answers[query] = understood
        return answer

    def upcast(
        self,
        type: str,
        version: int,
        *changes: Change | Split | Drop,
        into: type[Event] | tuple[str, int] | None = None,
    ) -> None:
        """How events of an older kind are read today; see `actum.journal.upcast` for the changes there are."""
        target = into if into is None or isinstance(into, tuple) else into.__kind__
        kind = None if target is None else Kind(*target)
        self._upcasters.append(upcaster(Kind(type, version), changes, kind))
        self._codec = None

    # What was declared.

    @property
    def codec(self) -> Codec:
        """Between the application's events and stored bytes. `Misdeclared` where the declarations do not fit together."""
        if self._codec is None:
            self._codec = Codec(self._events, self._upcasters)
        return self._codec

    @property
    def commands(self) -> dict[str, type[Command]]:
        """The commands by their names."""
        return dict(self._commands)

    @property
    def states(self) -> dict[str, type[State]]:
        """The states by their names."""
        return dict(self._states)

    @property
    def views(self) -> dict[str, type[View]]:
        """The views by their names."""
        return dict(self._views)

    @property
    def projections(self) -> dict[str, Projection]:
        """The projections of any shape by their names."""
        return dict(self._projections)

    @property
    def queries(self) -> dict[str, type[Query]]:
        """The queries by their names."""
        return dict(self._queries)

    @property
    def rules(self) -> frozenset[str]:
        """The names of the rules, as decision records name them but without the version."""
        return frozenset(handler.name.rpartition("@")[0] for handler in self._handlers.values())

    def state_type(self, name: str) -> type[State]:
        """The state or view of that name; `Unknown` where there is none."""
        found = self._states.get(name) or self._views.get(name)
        if found is None:
            raise Unknown("state or view", name, tuple(sorted({*self._states, *self._views})))
        return found

    def view_type(self, name: str) -> type[View]:
        """The view of that name, or of that table; `Unknown` where there is none."""
        for view in self._views.values():
            if name in (view.__name__, view.__table__):
                return view
        raise Unknown("view", name, tuple(sorted(self._views)))

    def kept(self, what: object) -> type[View] | Projection:
        """The view or projection that is meant: by its class or function, or by its name. `Unknown` where there is none."""
        for view in self._views.values():
            if what in (view, view.__name__, view.__table__):
                return view
        for projection in self._projections.values():
            if what in (projection, projection.cls, projection.name):
                return projection
        named = what if isinstance(what, str) else getattr(what, "__name__", repr(what))
        raise Unknown("view or projection", named, tuple(sorted({*self._views, *self._projections})))

    def query_type(self, name: str) -> type[Query]:
        """The query of that name, or `Unknown`."""
        if name not in self._queries:
            raise Unknown("query", name, tuple(sorted(self._queries)))
        return self._queries[name]

    def answer(self, query: type[Query]) -> Answer:
        """What answers these queries, or `Unknown`."""
        if query not in self._answers:
            raise Unknown("query", query.__kind__.type, tuple(sorted(self._queries)))
        return self._answers[query]

    def command_type(self, name: str) -> type[Command]:
        """The command of that name, or `Unknown`."""
        if name not in self._commands:
            raise Unknown("command", name, tuple(sorted(self._commands)))
        return self._commands[name]

    def handler(self, command: type[Command]) -> Handler:
        """The rule that decides these commands, or `Unknown`."""
        if command not in self._handlers:
            raise Unknown("command", command.__kind__.type, tuple(sorted(self._commands)))
        return self._handlers[command]
