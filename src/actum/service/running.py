"""An application at work on a journal: give it commands, ask it, look into its past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from actum.decision.acting import Acting
from actum.decision.state import Fold, State, fold_of
from actum.history.as_of import position_at, state_at, state_now
from actum.journal.errors import Invalid, Unavailable, Unknown
from actum.journal.metadata import checked_text
from actum.journal.query import Query, checked_query
from actum.journal.recorded import Recorded, recorded
from actum.projection.changed import STEP, Rebuilds
from actum.service.counter import Counter
from actum.service.part import Part
from actum.service.views import Upkeep, Views
from actum.service.within import Within, within
from actum.subscription.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    from actum.decision.command import Command
    from actum.decision.outcome import Decided
    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.history.explain import Explanation
    from actum.journal.clock import Ids
    from actum.journal.event import Event, Position, SequencedEvent
    from actum.journal.query import AppendCondition
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.messaging.source import Source
    from actum.projection.handling import Handles
    from actum.projection.parking import Key, ParkedKey
    from actum.projection.projector import Progressed
    from actum.projection.query import AnswerT
    from actum.projection.query import Query as Question
    from actum.projection.status import FollowerStatus
    from actum.projection.table import Table
    from actum.projection.target import Target
    from actum.projection.view import View, ViewT
    from actum.service.delivering import Delivery
    from actum.service.hearing import Connected
    from actum.service.listening import Listening
    from actum.service.processes import Processes
    from actum.service.rebuild import Rebuild, Rebuilding, Version
    from actum.service.rebuild_rows import RowsRebuild
    from actum.service.working import Workers

_ALL = Query.all()

StateT = TypeVar("StateT", bound=State)


def _upkeep(part: Part | None, *, follow: bool) -> Upkeep:
    match part:
        case None:
            return Upkeep.THREAD if follow else Upkeep.CALLERS
        case Part.COMMANDS:
            return Upkeep.NONE
        case Part.PROJECTIONS | Part.QUERIES | Part.PROCESSES:
            return Upkeep.OTHERS


def _rebuilds(part: Part | None, wanted: Rebuilds) -> Rebuilds:
    """Only who keeps views up builds any by itself."""
    return wanted if part in (None, Part.PROJECTIONS) else Rebuilds.BY_HAND


class Running:
    """Made by `App.open`. Share one between the threads of a process; a context manager that closes it."""

    def __init__(
        self,
        app: Connected,
        store: JournalStore,
        *,
        ids: Ids,
        actor: str | None,
        states_kept: int,
        database: ReadDatabase | None,
        follow: bool,
        part: Part | None = None,
        rebuilds: Rebuilds = Rebuilds.AUTOMATIC,
    ) -> None:
        checked_text("actor", actor)
        self.app = app
        self.store = store
        self.actor = actor
        self.part = part
        upkeep, rebuilds = _upkeep(part, follow=follow), _rebuilds(part, rebuilds)
        self.views = Views(app, store, database=database, upkeep=upkeep, rebuilds=rebuilds)
        self.counter = Counter(app, store, ids=ids, acting=Acting(actor), states_kept=states_kept)
        self._actor = actor or app.producer
        self._rebuilding: Rebuilding | None = None
        self._database = database
        try:
            self._processes = self._at_work(database, follow=follow)
        except BaseException:
            self.counter.close()
            self.views.close()
            raise

    def _at_work(self, database: ReadDatabase | None, *, follow: bool) -> Processes | None:
        if database is None or not self.app.reacts or self.part not in (None, Part.PROCESSES):
            return None
        from actum.service.processes import Processes  # noqa: PLC0415 - only who reacts pays for it

        return Processes(self.app, self.store, counter=self.counter, database=database, follow=follow)

    @property
    def processes(self) -> Processes:
        """The processes, timers and effects. `Unknown` where the application does nothing by itself."""
        if self._processes is None:
            if self.part is not None and self.app.reacts:
                raise Unavailable(f"this process does not run what {self.app.name} does by itself; ask its processes")
            raise Unknown("process, effect or schedule", "any")
        return self._processes

    def execute(
        self,
        command: Command,
        *,
        id: UUID | str | None = None,
        actor: str | None = None,
        on_behalf_of: str | None = None,
        reason: str | None = None,
        correlation: UUID | None = None,
        causation: UUID | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """Have a command decided, once for its `id`: a retry, also after a crash, gets the first answer.

        Who acts comes from here, from `acting(…)` around, or from `open(actor=…)`. `effective_at` is when it happened,
        where that is not now. Raises `Refused` where the rules say no (on record, at its `position`), `Conflict` where
        too much happened meanwhile, `Reused` for an id of another command, `Invalid` for values that do not fit.
        """
        acting = Acting(actor, on_behalf_of, None, reason, correlation, causation)
        return self.counter.execute(command, id=id, acting=acting, effective_at=effective_at)

    def append(
        self,
        *events: Event,
        condition: AppendCondition | None = None,
        actor: str | None = None,
        reason: str | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """Take down facts that no rule decides: what a sensor says, what another system did. All or none of them.

        With a `condition`, raises `Conflict` where an event that matches it happened after its position.
        """
        acting = Acting(actor, reason=reason)
        return self.counter.append(events, condition=condition, acting=acting, effective_at=effective_at)

    def within(self, connection: object) -> Within:
        """The same application in a transaction of yours, open on a psycopg `connection` to the journal's database.

        Events and your own tables are then there together, or not at all. Until the transaction ends nobody else appends
        to the journal, so keep it short. Raises `Invalid` where the journal is not in PostgreSQL or no transaction is
        open, and `Busy` where somebody else keeps the journal for too long.
        """
        return within(self.app, self.store, self.counter, views=self.views, connection=connection)

    # Looking into the journal.

    def head(self) -> Position:
        """The position of the newest event."""
        return self.store.head()

    def state(self, state: type[StateT], *identity: Identity, at: Moment | None = None) -> StateT:
        """One thing as rules see it, now or as of a position or a time of recording; a view's row is folded likewise.

        Raises `Invalid` for an identity that does not fit, a position from the future, or a naive datetime.
        """
        fold: Fold[StateT] = fold_of(state)
        ids = fold.ids(identity)
        if at is None:
            return state_now(self.store, self.app.codec, fold=fold, ids=ids)
        until = position_at(self.store, at)
        return state_at(self.store, self.app.codec, fold=fold, ids=ids, until=until)

    def explain(
        self,
        state: type[StateT],
        *identity: Identity,
        column: str,
        at: Moment | None = None,
        since: Moment | None = None,
        last: int | None = None,
        language: str = "en",
    ) -> Explanation:
        """Why a cell of one thing has its value: its formula and parts, and the events that made it what it is.

        `running.explain(Balance, "A-1", column="balance")` is about what the view's table shows now, however far that is;
        `at` is a position or a time of recording, and so is `since`, from which on movements are told; with `last`, so many of them
        at the most. Cells are called what their types' titles say in that language. Raises `Unknown` for a column that there is not.
        """
        from actum.service.explaining import explained  # noqa: PLC0415 - asked for by few

        where = (self.app, self.store, self.views)
        return explained(*where, state, identity, column, at=at, since=since, last=last, language=language)

    def events(
        self,
        query: Query = _ALL,
        *,
        after: Position = 0,
        until: Position | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[Recorded]:
        """The events that match, in order, with `after` < position ≤ `until`; backwards, the newest first.

        `limit` counts them as they are stored, before upcasters split or drop any. Who asks for what is behind a position that the
        journal has not reached hears `Invalid`, not that there is nothing.
        """
        found = self.store.read(checked_query(query), after=after, until=until, limit=limit, backwards=backwards)
        return self._told(found, after=after, backwards=backwards)

    def _told(self, found: Iterator[SequencedEvent], *, after: Position, backwards: bool) -> Iterator[Recorded]:
        some = False
        for stored in found:
            some = True
            told = recorded(stored, self.app.codec)
            yield from reversed(told) if backwards else told
        if not some:
            position_at(self.store, after, what="after")

    def follow(self, query: Query = _ALL, *, after: Position = 0) -> Iterator[Recorded]:
        """The events that match, and then those that come, for ever: blocks where there is none.

        `Invalid` for a position that the journal has not reached.
        """
        position_at(self.store, after, what="after")
        return self._follow(Subscription(self.store, checked_query(query), after=after))

    def _follow(self, subscription: Subscription) -> Iterator[Recorded]:
        with subscription:
            for stored in subscription:
                yield from recorded(stored, self.app.codec)

    # Looking at views.

    def view(self, view: type[ViewT], *, at: Moment | None = None) -> Table[ViewT]:
        """The table of a view; `at` has it folded in memory as of a position or a time of recording.

        It shows what has been projected so far: `wait_for` the position of a command to see what it led to.
        """
        return self.views.table(view, at)

    def ask(
        self,
        query: Question[AnswerT],
        *,
        at: Moment | None = None,
        wait_for: Position | None = None,
        timeout: float = 10.0,
    ) -> AnswerT:
        """The answer to a query; with `wait_for`, once the views show everything up to that position.

        `at` has the views it looks into folded in memory as of a position or a time of recording. Raises `Busy` after
        `timeout` seconds of waiting.
        """
        if wait_for is not None:
            self.wait_for(wait_for, timeout=timeout)
        return self.views.ask(query, at)

    def subscribe(self, query: Question[AnswerT], *, pause: float = 0.05) -> Iterator[AnswerT]:
        """The answer to a query, and then each other one when the views have changed it, for ever: blocks meanwhile.

        What changes within `pause` seconds after an answer is in the next one. Other processes' changes are heard of, too.
        """
        from actum.service.subscribing import answers, checked_pause  # noqa: PLC0415 - asked for by few

        return answers(self.views, query, pause=checked_pause(pause))

    def wait_for(self, position: Position, *, timeout: float = 10.0) -> None:
        """Block until every view shows everything up to that position: then one reads one's own writes.

        Raises `Busy` after `timeout` seconds, `Unavailable` where the views have stopped, `Invalid` for a position from
        the future.
        """
        self.views.wait_for(position, timeout=timeout)

    def catch_up(self, progress: Progressed | None = None) -> Position:
        """Have the views take in everything there is, in this thread; how far they have come."""
        return self.views.catch_up(progress)

    @overload
    def rebuild(self, view: type[ViewT], *, step: int = STEP) -> Rebuild[ViewT]: ...

    @overload
    def rebuild(self, view: Handles, *, step: int = STEP) -> Rebuild[Any]: ...

    def rebuild(self, view: type[ViewT] | Handles, *, step: int = STEP) -> Rebuild[ViewT] | Rebuild[View]:
        """Build another table of a view beside the live one, from the beginning of the journal; a thread works on it. Of a projection
        that makes its tables in `begin`, given as what its author wrote, all tables are built beside.

        Goes on with one of the same definition that was begun before. `step` is how many events go into one transaction at
        the most. `running.rebuild(Balance).switch()` is all of it.
        """
        return self.rebuilding.begin(view, step=step)

    def rebuild_rows(
        self,
        view: type[ViewT],
        *,
        keys: Sequence[Identity | tuple[Identity, ...]] = (),
        tags: Sequence[str] = (),
        since: Moment | None = None,
        until: Moment | None = None,
        progress: Progressed | None = None,
    ) -> RowsRebuild[ViewT]:
        """Build some rows of a view anew from the journal, to compare them with those that readers see, and put them in place.

        `keys` names rows. `tags`, `since` and `until` (positions or times of recording, both included) name events: every row
        that one of them is about is built anew, from its first event on. Rows are held in memory until they are in place.
        """
        from actum.service.rebuild_rows import Chosen, RowsRebuild  # noqa: PLC0415 - asked for by few

        chosen = Chosen(keys=keys, tags=tags, since=since, until=until)
        return RowsRebuild(view, chosen, rebuilding=self.rebuilding, progress=progress)

    @property
    def rebuilding(self) -> Rebuilding:
        """What can be done to the tables of views."""
        if self._rebuilding is None:
            from actum.service.rebuild import Rebuilding  # noqa: PLC0415 - who imports actum seldom rebuilds

            self._rebuilding = Rebuilding(self.app, self.store, views=self.views, counter=self.counter)
        return self._rebuilding

    @overload
    def candidate(self, view: type[ViewT]) -> Rebuild[ViewT]: ...

    @overload
    def candidate(self, view: Handles) -> Rebuild[Any]: ...

    def candidate(self, view: type[ViewT] | Handles) -> Rebuild[ViewT] | Rebuild[View]:
        """The candidate of the view's definition that stands there, to compare it and switch to it. `Invalid` where there is none.

        It rests where it is until it is compared, switched to, or resumed.
        """
        return self.rebuilding.resting(view)

    def rollback(
        self, view: Handles, *, behind: bool = False, actor: str | None = None, reason: str | None = None
    ) -> Position:
        """Have the table that was live before take its place again, and answer the position at which that is on record.

        Raises `Invalid` where none is kept, and where it is behind the live one and this program has not its definition to
        bring it up; with `behind`, its rows from then are accepted.
        """
        return self.rebuilding.go_back(view, behind=behind, acting=Acting(actor, reason=reason))

    def cancel_rebuild(self, view: Handles, *, actor: str | None = None, reason: str | None = None) -> Position:
        """Give up the candidates of a view or projection, whoever began them, and answer the position at which that is on record."""
        return self.rebuilding.cancel(view, acting=Acting(actor, reason=reason))

    def versions(self, view: Handles) -> tuple[Version, ...]:
        """The tables of a view or projection that stand side by side: the live one, a candidate, the one that was live before."""
        return self.rebuilding.versions(view)

    def digest(self, view: type[View]) -> str:
        """One number for all rows of a view: equal for equal tables, in whatever order their rows were written."""
        return self.views.digest(view)

    def followers(self) -> tuple[FollowerStatus, ...]:
        """How far each view has come, share by share: in events and seconds behind the journal, and in whose hands."""
        return self.views.followers()

    def parked(self) -> tuple[ParkedKey, ...]:
        """What views have put aside: each key with the event it failed over, the error, and how many of its events wait."""
        return tuple(one for name in self.views.names for one in self.views.parking(name, actor=self._actor).there())

    def retry(
        self,
        view: type[View] | str,
        key: Key | None = None,
        *,
        one: bool = False,
        actor: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Take up again what a view has parked: one key, or all; with `one` only the first event of each. On record.

        Events are folded in order, with the code of now, into the table that readers see. Whether nothing is parked of these
        keys after. Projections go by their names.
        """
        parking = self.views.parking(view, actor=actor or self._actor)
        keys: list[Key] = [key] if key is not None else [one.key for one in parking.there()]
        done = [parking.retry(each, one=one, reason=reason) for each in keys]
        return all(done)

    def discard(self, view: type[View] | str, key: Key, *, reason: str, actor: str | None = None) -> bool:
        """Have a view never take in the event that this key failed over, and take up the later ones. On record.

        Whether nothing is parked of the key after. It holds also when the view is built anew.
        """
        return self.views.parking(view, actor=actor or self._actor).discard(key, reason=reason)

    def work(self, workers: int = 1, *, lease: float = 10.0) -> Workers:
        """Have so many workers keep the views up and the processes at work, each with its part of the keys.

        They divide the work with those of other programs. Stop them, or use them as a context manager; `rescale` has more or fewer of them. A worker that says nothing for
        `lease` seconds loses what it holds to the others. Open with `follow=False`, so that no further thread looks on.
        """
        beside = None if self._processes is None else self._processes.hand
        kept_up = self.part in (None, Part.PROJECTIONS)
        return self.views.work(workers, lease=lease, beside=beside, kept_up=kept_up)

    def deliver(self, target: Target, *events: type[Event], page: int = 500) -> Delivery:
        """Bring a target of your own these kinds of events, from where it stands on, and each that comes; a thread does it.

        The target is given `page` events at once at the most. Where it fails, it is tried again with growing pauses. Stop it before
        the application is closed; it is a context manager. Raises `Unknown` for what is no event of the application.
        """
        from actum.projection.target import Courier  # noqa: PLC0415 - asked for by few
        from actum.service.delivering import Delivery  # noqa: PLC0415

        if not events or type(page) is not int or page < 1:
            raise Invalid(
                f"deliver: expected kinds of events and a page of 1 or more, found {events!r:.80} and {page!r}: "
                "deliver(target, Deposited, Withdrawn)"
            )
        return Delivery(self.store, Courier(self.store, self.app.codec, target=target, events=events, page=page))

    def listen(self, sources: Mapping[str, Running | Source]) -> Listening:
        """Listen to the other contexts that this one `hears`, each by its name: `running.listen({"accounts": other}).run()`.

        A source is an application that is open in this process, or `actum.http.elsewhere.Elsewhere` for one behind a door. Stop it
        before either is closed; it is a context manager. `Misdeclared` where one that is heard is missing.
        """
        from actum.messaging.source import Beside  # noqa: PLC0415 - only who has neighbours pays for it
        from actum.service.listening import Listening  # noqa: PLC0415

        if not self.app.heard:
            raise Unknown("context that is heard", "any")
        found = {name: Beside(one.store) if isinstance(one, Running) else one for name, one in sources.items()}
        assert self._database is not None
        return Listening(self.app.hearings, found, database=self._database, give=self.counter.execute_all)

    def close(self) -> None:
        """Finish what was handed in, then close the read database and the journal."""
        if self._processes is not None:
            self._processes.close()
        if self._rebuilding is not None:
            self._rebuilding.stop()
        self.counter.close()
        self.views.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
