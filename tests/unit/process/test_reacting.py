"""What a process does with what happens: on record first, then given, each once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from actum import Command, Process, Running
from actum.decision.acting import acting
from actum.decision.outcome import CommandRefused
from actum.journal.clock import SYSTEM_IDS
from actum.journal.store import Append
from actum.process.reaction import Occasion
from actum.process.record import Reacted
from actum.service.agenda import ProcessRow
from tests.unit.process.payouts import (
    Account,
    Deposit,
    Open,
    OtherBank,
    Payout,
    PayoutId,
    Remind,
    Reminded,
    Request,
    Requested,
    a_bank,
)

MONEY = Deposit(account="A", amount=Decimal(100))
PAY = Request(payout="P", account="A", amount=Decimal(30))
BOOKS = ("actum.process-begun", "actum.effect-requested", "actum.effect-begun", "actum.effect-done")


def test_a_reaction_its_timers_and_its_effects_are_one_append(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, PAY)
    assert bench.types(*BOOKS) == [
        "Deposited",
        "Requested",
        *("actum.reacted", "actum.timer-set", "actum.timer-set"),
        "Reserved",
        *("actum.reacted", "SendMoney"),
        "Sent",
        *("actum.reacted", "actum.timer-cancelled", "actum.timer-cancelled"),
    ]
    first = next(event for event in bench.running.events() if event.type == "actum.reacted")
    record = bench.running.store.decision(first.metadata.command_id.bytes)  # type: ignore[union-attr]
    assert record is not None
    assert (record.handler, record.count) == ("actum.react@1", 3)


def test_a_refusal_comes_back_to_the_process_like_any_event(at_work: Open):
    bench = at_work(a_bank())
    bench.do(PAY)
    assert bench.running.state(Payout, "P").ended
    assert bench.types(*BOOKS)[-4:] == [
        "actum.refused",
        *("actum.reacted", "actum.timer-cancelled", "actum.timer-cancelled"),
    ]


def test_what_was_done_is_taken_back_when_a_later_step_fails(at_work: Open):
    outside = OtherBank()
    outside.troubles = ["bounce"]
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    assert bench.running.state(Account, "A").balance == Decimal(100)
    assert bench.running.state(Payout, "P").undo == []


def test_the_process_is_a_state_like_any_other_and_as_of_any_position(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, PAY)
    seen = {event.type: event.position for event in bench.running.events()}
    assert bench.running.state(Payout, "P", at=seen["Requested"]).undo == []
    assert len(bench.running.state(Payout, "P", at=seen["Reserved"]).undo) == 1
    assert bench.running.state(Payout, "P", at=seen["Sent"]).ended


def test_every_event_names_its_cause_its_story_and_the_person_behind_it(at_work: Open):
    bench = at_work(a_bank())
    with acting("ada", on_behalf_of="bob", tenant="north", reason="rent", traceparent="00-a-b-01"):
        bench.do(MONEY)
        asked = bench.running.execute(PAY)
    bench.running.processes.catch_up()
    story = [event for event in bench.running.events() if event.metadata.correlation_id == asked.command_id]
    ids = {event.id: event for event in story}
    assert len(story) == 14
    assert story[0].event == Requested(payout="P", account="A", amount=Decimal(30))
    for event in story[1:]:
        said = event.metadata
        assert said.causation in ids, event
        assert ids[said.causation].position < event.position, event
        assert said.actor in ("process:Payout", "process:SendMoney"), event
        assert (said.on_behalf_of, said.tenant, said.reason, said.traceparent) == ("bob", "north", "rent", "00-a-b-01")
    causes = {event.type: ids[event.metadata.causation].type for event in story[1:] if event.metadata.causation}
    assert causes["Reserved"] == "Requested"
    assert causes["SendMoney"] == "Reserved"
    assert causes["Sent"] == "SendMoney"
    assert causes["actum.timer-cancelled"] == "Sent"


def test_whoever_acted_is_whom_the_process_acts_for(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, PAY)
    assert {event.metadata.on_behalf_of for event in bench.running.events() if event.type == "Reserved"} == {"teller"}


def test_an_event_of_which_nobody_can_say_who_did_it_holds_no_process_up(at_work: Open):
    bench = at_work(a_bank())
    asked = Requested(payout="P", account="A", amount=Decimal(5))
    stored = bench.running.app.codec.encode(asked, ids=SYSTEM_IDS, metadata=b'{"actor":7}')
    bench.running.store.append(Append((stored,)))
    bench.do(Request(payout="Q", account="A", amount=Decimal(5)))
    refused = [event.metadata for event in bench.running.store.read() if event.type == CommandRefused.__kind__.type]
    assert [(one.actor, one.on_behalf_of) for one in refused] == [
        ("process:Payout", None),
        ("process:Payout", "teller"),
    ]
    assert refused[0].correlation_id == UUID(bytes=stored.id)


def test_the_commands_on_record_are_given_whatever_the_code_says_today(at_work: Open):
    """A reaction was put on record by old code, and its worker died before it gave the command."""
    bench = at_work(a_bank())
    bench.running.execute(MONEY)
    bench.running.execute(PAY)
    give = bench.running.processes._worker._takers["Payout"]
    died = _dies_after(give, 1)
    assert bench.types(*BOOKS)[-3:] == ["actum.reacted", "actum.timer-set", "actum.timer-set"]
    assert died

    class Payout(Process, starts=Requested):  # the same name, and another mind
        payout: PayoutId

        def evolve(self, event: Requested) -> None: ...

        def react(self, event: Requested) -> Iterator[Command]:
            yield Remind(payout=self.payout)

    running = bench.running
    other = a_bank(payout=Payout)
    again = Running(
        other,
        running.store,
        ids=running.counter._ids,
        actor="t",
        states_kept=10,
        database=running.processes._agenda._database,
        follow=False,
    )
    again.processes.catch_up()
    assert "Reserved" in bench.types()
    assert "Reminded" not in bench.types()


def _dies_after(taker: Any, wishes: int) -> bool:
    """Work through its events, and die once so many batches of commands were given."""
    given = 0
    alive = taker._give

    class Died(Exception):
        pass

    def give(batch: Any) -> Any:
        nonlocal given
        if given == wishes:
            raise Died
        given += 1
        return alive(batch)

    taker._give = give
    try:
        taker.take(list(taker.store.read()), after=0)
    except Died:
        return True
    return False


def test_what_is_kept_between_pages_is_bounded_by_the_instances_at_hand(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, *(Request(payout=f"P-{number}", account="A", amount=Decimal(1)) for number in range(3)))
    taker = bench.running.processes._worker._takers["Payout"]
    taker.set_aside("Payout/P-0")
    kept = {name: len(value) for name, value in vars(taker).items() if isinstance(value, dict | set)}
    assert (kept.pop("_tracked"), set(kept.values())) == (2, {0})


def test_an_instance_set_aside_in_the_middle_of_a_page_is_folded_again(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY)
    bench.running.execute(PAY)
    taker = bench.running.processes._worker._takers["Payout"]
    prepare = taker.prepare

    def and_set_aside(chains: Any) -> None:
        prepare(chains)
        for instance in chains:
            taker.set_aside(instance)

    taker.prepare = and_set_aside  # type: ignore[method-assign]
    bench.running.processes.catch_up()
    assert bench.running.state(Payout, "P").ended
    assert "actum.parked" not in bench.types()


class Greeting(Process, starts=Requested):
    payout: PayoutId
    seen: int = 0

    def evolve(self, event: Requested | Reminded) -> None:
        self.seen += 1
        self.ended = self.seen == 2

    def react(self, event: Requested | Reminded, occasion: Occasion) -> Command | None:
        assert occasion.now.tzinfo is not None
        return Remind(payout=f"{self.payout} {occasion.random().randrange(1)}") if self.seen > 9 else None


def test_what_asks_for_nothing_is_on_record_only_where_an_instance_begins_or_ends(at_work: Open):
    bench = at_work(a_bank(payout=Greeting))
    bench.do(PAY, PAY)
    (first, last) = [event.event for event in bench.running.events() if isinstance(event.event, Reacted)]
    assert isinstance(first, Reacted)
    assert isinstance(last, Reacted)
    assert (first.started, first.ended, last.started, last.ended) == (True, False, False, True)


def test_nothing_is_reacted_to_before_an_instance_begins_or_after_it_has_ended(at_work: Open):
    bench = at_work(a_bank())
    bench.do(Remind(payout="P"), MONEY, PAY)
    before = bench.types()
    bench.do(PAY)
    assert bench.types() == [*before, "Requested"]


def test_instances_are_rows_that_say_how_they_are(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, PAY, Request(payout="Q", account="A", amount=Decimal(1)))
    rows: list[ProcessRow] = list(bench.running.processes.instances())
    assert [(row.instance, row.status, row.reactions) for row in rows] == [
        ("Payout/P", "ended", 3),
        ("Payout/Q", "ended", 3),
    ]


def test_an_identity_with_odd_letters_is_an_instance_of_its_own(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY, *(Request(payout=name, account="A", amount=Decimal(1)) for name in ("a/b", "a%2Fb", "ä:ö", " ")))
    assert bench.running.processes.instances().count() == 4
    assert bench.running.state(Account, "A").balance == Decimal(96)
