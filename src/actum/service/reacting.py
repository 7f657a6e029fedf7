"""What an application declares of its own accord: the processes that react, the effects they ask for, and what recurs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from actum.decision.handler import Handler
from actum.journal.errors import Misdeclared, Unknown
from actum.process.effect import ATTEMPTS, LEASE, EffectPlan, Perform, effect_of
from actum.process.effect import Unknown as UnknownEffect
from actum.process.process import Definition, ProcessT
from actum.service.declared import Declared

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from actum.decision.command import Command
    from actum.process.process import Process
    from actum.process.schedule import Recurrence, SchedulePlan

PerformT = TypeVar("PerformT", bound=Perform)
MakeT = TypeVar("MakeT", bound="Callable[[datetime], Command]")


class Reacting(Declared):
    """The declarations of one bounded context that does something by itself. See `App`."""

    def __init__(self, name: str, *, version: str = "0", revision: str | None = None) -> None:
        super().__init__(name, version=version, revision=revision)
        self._processes: dict[str, Definition[Any]] = {}
        self._effects: dict[str, EffectPlan] = {}
        self._schedules: dict[str, SchedulePlan] = {}
        self._books: dict[type[Command], Handler] = {}

    @overload
    def process(self, process: type[ProcessT], /) -> type[ProcessT]: ...

    @overload
    def process(self, /, *, from_beginning: bool = False) -> Callable[[type[ProcessT]], type[ProcessT]]: ...

    def process(self, process: Any = None, /, *, from_beginning: bool = False) -> Any:
        """Declare a process: a state that reacts. Works as a decorator.

        It reacts to what happens after the journal was first opened with it; `from_beginning` has it react to all that had
        happened before, too.
        """
        if process is None:
            return lambda cls: self.process(cls, from_beginning=from_beginning)  # type: ignore[call-overload]
        definition: Definition[Any] = Definition(process, from_beginning=from_beginning)
        self._claim_name(definition.name)
        self._processes[definition.name] = definition
        self.folds(process)
        self.knows(*definition.events)
        self._keep_books()
        return process

    @overload
    def effect(self, perform: PerformT, /) -> PerformT: ...

    @overload
    def effect(
        self,
        /,
        *,
        unknown: UnknownEffect = UnknownEffect.REPEAT,
        ask: Perform | None = None,
        lease: timedelta = LEASE,
        attempts: int = ATTEMPTS,
        from_beginning: bool = False,
    ) -> Callable[[PerformT], PerformT]: ...

    def effect(
        self,
        perform: Any = None,
        /,
        *,
        unknown: UnknownEffect = UnknownEffect.REPEAT,
        ask: Perform | None = None,
        lease: timedelta = LEASE,
        attempts: int = ATTEMPTS,
        from_beginning: bool = False,
    ) -> Any:
        """How an effect is had: `def send_mail(request: MailAsked, attempt: Attempt) -> MailSent`. Works as a decorator.

        Called once for each such event, in a thread, outside of every replay; its answer is taken down as events. Raise
        `Busy` where nothing was done; after any other error, or a crash, nobody knows. Then `ask` finds out (None: it was not
        done), or, without one, `unknown` says whether to repeat it with the same key or to leave it to a person. `lease` is
        how long a call may take, `attempts` how often it is tried before it is left to a person.
        """

        def declare(function: Perform) -> Perform:
            options: dict[str, Any] = {"lease": lease, "attempts": attempts, "from_beginning": from_beginning}
            return self._add_effect(effect_of(function, unknown=unknown, ask=ask, **options))

        return declare if perform is None else declare(perform)

    def _add_effect(self, plan: EffectPlan) -> Perform:
        self._claim_name(plan.name)
        self._effects[plan.name] = plan
        self.knows(plan.request, *plan.answers)
        self._keep_books()
        return plan.perform

    def schedule(self, when: Recurrence, *, merge_missed: bool = False) -> Callable[[MakeT], MakeT]:
        """Give a command again and again: `@bank.schedule(Daily("02:30", zone="Europe/Berlin"))` over a function from the
        time that is due to the command.

        Turns that were missed are taken late, each of them; with `merge_missed`, one stands for all.
        """

        def declare(make: MakeT) -> MakeT:
            from actum.process.schedule import schedule_of  # noqa: PLC0415 - time zones are dear to import

            plan = schedule_of(make, when, merge_missed=merge_missed)
            if plan.name in self._schedules:
                raise Misdeclared(f"two schedules are both called {plan.name}; rename one")
            self._schedules[plan.name] = plan
            self._keep_books()
            return make

        return declare

    def _claim_name(self, name: str) -> None:
        if name in self._processes or name in self._effects:
            raise Misdeclared(f"two processes or effects are both called {name}; rename one, or declare it once")

    def _keep_books(self) -> None:
        """Know the records and the rules by which they are made."""
        from actum.process.books import Books  # noqa: PLC0415 - only who reacts pays for it
        from actum.process.record import RECORDS  # noqa: PLC0415

        if not self._books:
            self.knows(*RECORDS)
            self._books = Books(lambda: self.codec, self._schedules).handlers()

    # What was declared.

    @property
    def reacts(self) -> bool:
        """Whether it does anything by itself."""
        return bool(self._books)

    @property
    def processes(self) -> dict[str, type[Process]]:
        """The processes by their names."""
        return {name: definition.cls for name, definition in self._processes.items()}

    @property
    def definitions(self) -> tuple[Definition[Any], ...]:
        """The processes, understood."""
        return tuple(self._processes.values())

    @property
    def effects(self) -> dict[str, EffectPlan]:
        """The effects by the names of their requests."""
        return dict(self._effects)

    @property
    def schedules(self) -> dict[str, SchedulePlan]:
        """What recurs, by name."""
        return dict(self._schedules)

    @property
    def rules(self) -> frozenset[str]:
        """The names of the rules, those of the books included."""
        return super().rules | {handler.name.rpartition("@")[0] for handler in self._books.values()}

    def handler(self, command: type[Command]) -> Handler:
        return self._books[command] if command in self._books else super().handler(command)

    def definition(self, name: str) -> Definition[Any]:
        """The process of that name, or `Unknown`."""
        if name not in self._processes:
            raise Unknown("process", name, tuple(sorted(self._processes)))
        return self._processes[name]
