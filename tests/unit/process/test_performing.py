"""Effects: asked for, claimed, called, answered; and what becomes of one of which nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from actum import App, Busy, Command, Effect, Invalid, Refused
from actum.process.effect import LEASE, Attempt, Unknown
from actum.process.errands import FinishEffect
from actum.process.performing import Performer
from actum.process.record import EffectBegun, EffectDone, EffectFailed, EffectRequested
from actum.process.worker import MOST
from actum.service.agenda import EffectRow
from tests.unit.process.payouts import (
    Account,
    Bench,
    Bounced,
    Deposit,
    Open,
    OtherBank,
    Payout,
    PayoutId,
    Request,
    SendMoney,
    Sent,
    a_bank,
)

MONEY = Deposit(account="A", amount=Decimal(100))
PAY = Request(payout="P", account="A", amount=Decimal(30))


class Died(BaseException):
    """A worker ends here, as if by kill -9: nothing behind it runs."""


def only(bench: Bench) -> EffectRow:
    (row,) = bench.running.processes.effects()
    return row


def test_an_effect_is_on_record_with_its_cause_its_request_its_attempt_and_its_answer(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    asked = next(event for event in bench.running.events() if isinstance(event.event, SendMoney))
    noted, begun, done, sent = [
        event
        for event in bench.running.events()
        if isinstance(event.event, EffectRequested | EffectBegun | EffectDone | Sent)
    ]
    assert noted.event.request == asked.id
    assert noted.event.digest == sha256(asked.stored.data).hexdigest()
    assert begun.event.attempt == 1
    assert begun.event.until == begun.recorded_at + LEASE
    assert done.event == EffectDone(effect=noted.event.effect, attempt=1, answers=1)
    assert {event.metadata.causation for event in (noted, begun, done, sent)} == {asked.id}
    assert done.metadata.command_id == sent.metadata.command_id
    assert only(bench).status == "done"
    assert outside.paid == {noted.event.effect: Decimal(30)}


def test_an_effect_is_had_once_however_often_the_journal_is_read_again(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    before = bench.types()
    database = bench.running.processes._agenda._database
    for follower in bench.running.processes._worker._followers:
        database.drop(follower._shape.table)
        follower._let_go()
    bench.running.processes._agenda._projector.catch_up()
    bench.pass_time(days=3)
    assert (outside.calls, bench.types()) == ([("P", 1)], before)


def test_what_failed_is_called_again_with_the_same_key_a_little_later_each_time(at_work: Open):
    outside = OtherBank()
    outside.troubles = [TimeoutError(), TimeoutError()]
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    assert (only(bench).status, only(bench).error) == ("unknown", "TimeoutError: no answer")
    assert bench.running.processes.unknown_effects() == [only(bench)]
    bench.pass_time(seconds=0.4)
    assert outside.calls == [("P", 1)]
    bench.pass_time(seconds=0.1)
    assert outside.calls == [("P", 1), ("P", 2)]
    bench.pass_time(seconds=1)
    assert outside.calls == [("P", 1), ("P", 2), ("P", 3)]
    assert only(bench).status == "done"
    assert len(outside.paid) == 1
    assert bench.running.processes.unknown_effects() == []


def test_busy_says_that_nothing_was_done(at_work: Open):
    outside = OtherBank()
    outside.troubles = [Busy("their line is engaged")]
    bench = at_work(a_bank(outside, unknown=Unknown.PERSON))
    bench.do(MONEY, PAY)
    (failed,) = [event.event for event in bench.running.events() if isinstance(event.event, EffectFailed)]
    assert (failed.undone, only(bench).status) == (True, "failed")
    assert bench.running.processes.unknown_effects() == []
    bench.pass_time(seconds=1)
    assert only(bench).status == "done"


@pytest.mark.parametrize("ask", [False, True])
def test_an_answer_that_the_journal_cannot_take_is_kept_and_the_outside_is_not_called_again(
    at_work: Open, *, ask: bool
):
    outside = OtherBank()
    bench = at_work(a_bank(outside, unknown=Unknown.PERSON, ask=ask))
    performer = bench.running.processes._performer
    performer._give = _busy(performer._give, FinishEffect, times=2)
    for _ in range(2):
        with pytest.raises(Busy, match="locked"):
            bench.do(MONEY, PAY) if not outside.calls else bench.pass_time(days=1)
    assert only(bench).status == "calling"
    bench.pass_time(days=1)
    assert (only(bench).status, outside.calls) == ("done", [("P", 1)])
    assert bench.types().count("Sent") == 1


def _busy(give: Any, command: type[Command], *, times: int) -> Any:
    """Another program keeps the journal locked whenever such a command is given, so many times."""
    left = [Busy("locked by another program")] * times

    def gives(wishes: Any) -> Any:
        return [left.pop()] if left and isinstance(wishes[0].command, command) else give(wishes)

    return gives


def test_that_nobody_could_be_asked_says_nothing_of_what_was_done(at_work: Open):
    outside = OtherBank()
    outside.troubles = [TimeoutError()]
    finds = outside.find
    engaged = [Busy("their line is engaged")]

    def find(request: SendMoney, attempt: Attempt) -> Sent | None:
        if engaged:
            raise engaged.pop()
        return finds(request, attempt)

    outside.find = find  # type: ignore[method-assign]
    bench = at_work(a_bank(outside, ask=True))
    bench.do(MONEY, PAY)
    bench.pass_time(seconds=1)
    assert only(bench).status == "unknown"
    bench.pass_time(seconds=1)
    assert outside.calls == [("P", 1), ("find P", 3)]
    assert only(bench).status == "done"


def test_an_effect_that_today_cannot_be_read_is_tried_again_and_holds_nobody_up(tmp_path: Path):
    outside = OtherBank()
    bench = Bench(tmp_path / "bank.db", a_bank(outside))
    bench.do(MONEY)
    bench.running.execute(PAY)
    bench.running.processes.catch_up(effects=False)
    bench = bench.again(a_mistaken_bank())
    bench.pass_time(seconds=0)
    assert (only(bench).status, only(bench).attempt) == ("failed", 1)
    bench = bench.again(a_bank(outside))
    bench.pass_time(seconds=1)
    assert (only(bench).status, outside.calls) == ("done", [("P", 2)])
    bench.running.close()


class SendMoneyIn(Effect, name="SendMoney", version=2):
    payout: PayoutId
    currency: str


def send_in(request: SendMoneyIn) -> None:
    raise AssertionError("nobody can have read that")


def mistaken(data: dict[str, Any]) -> dict[str, Any]:
    return {"payout": data["payout"], "currency": data["money"]}


def a_mistaken_bank() -> App:
    """As to what orders to send money once looked like."""
    bank = App("bank")
    bank.effect(unknown=Unknown.PERSON)(send_in)
    bank.upcast("SendMoney", 1, mistaken)
    return bank


def test_what_nobody_performs_any_more_keeps_nobody_waiting_and_no_worker_awake(tmp_path: Path):
    outside = OtherBank()
    before = a_bank()
    before.effect()(tell)
    bench = Bench(tmp_path / "bank.db", before)
    bench.running.append(*(Told(payout=f"T-{number}") for number in range(MOST + 1)))
    bench.running.processes.catch_up(effects=False)
    bench = bench.again(a_bank(outside))
    bench.do(MONEY, PAY)
    assert outside.calls == [("P", 1)]
    assert bench.running.processes._worker.rest(1.0) == 1.0
    left = bench.running.processes.effects().where("status", "=", "requested")
    assert left.count() == MOST + 1
    first = left.first()
    assert first is not None
    with pytest.raises(Invalid, match="no effect is called 'Told'; known: SendMoney"):
        bench.running.processes.resolve_effect(first.effect, reason="they know")
    bench.running.close()


class Told(Effect):
    payout: PayoutId


def tell(request: Told) -> None:
    raise AssertionError("nobody is told any more")


def test_what_is_due_and_cannot_be_done_now_lets_a_worker_rest(at_work: Open):
    bench = at_work(a_bank())
    bench.do(MONEY)
    bench.running.execute(PAY)
    bench.running.processes.catch_up(effects=False)
    assert only(bench).due is not None
    assert bench.running.processes._worker.rest(1.0) == 1.0
    under_way: list[int] = []
    performer = a_performer(bench, threads=True, freed=lambda: under_way.append(len(performer._under_way)))
    performer.see_to(
        bench.running.processes.agenda.effects(bench.running.processes.now(), 1, mine=lambda name, thing: True)
    )
    performer.close()
    assert under_way == [0], "who rests is told once somebody is free again"


def test_after_so_many_attempts_it_is_left_to_a_person(at_work: Open):
    outside = OtherBank()
    outside.troubles = [ConnectionError("down") for _ in range(9)]
    bench = at_work(a_bank(outside, attempts=3))
    bench.do(MONEY, PAY)
    for _ in range(5):
        bench.pass_time(hours=1)
    assert (len(outside.calls), only(bench).due, only(bench).status) == (3, None, "unknown")


def a_crash(bench: Bench, outside: OtherBank) -> None:
    """The worker dies after the call and before its record."""
    outside.troubles = [TimeoutError()]
    performer = bench.running.processes._performer
    performer.given = _dying(performer.given, "FinishEffect", "FailEffect")  # type: ignore[method-assign]
    with pytest.raises(Died):
        bench.do(MONEY, PAY)


def _dying(given: Any, *names: str) -> Any:
    def give(command: Any, id: Any, acting: Any) -> Any:
        if type(command).__name__ in names:
            raise Died
        return given(command, id, acting)

    return give


def the_next_worker(bench: Bench) -> Bench:
    processes = bench.running.processes
    processes._performer = processes._worker._performer = a_performer(bench)
    return bench


def a_performer(bench: Bench, *, threads: bool = False, freed: Callable[[], None] = lambda: None) -> Performer:
    running = bench.running
    return Performer(
        running.app.effects,
        store=running.store,
        codec=running.app.codec,
        give=running.processes._give,
        worker="the next one",
        threads=threads,
        freed=freed,
    )


def test_a_crash_between_the_call_and_its_record_leaves_an_effect_that_is_shown_as_unknown(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    a_crash(bench, outside)
    the_next_worker(bench).pass_time(seconds=59)
    assert only(bench).status == "calling"
    assert bench.running.processes.unknown_effects() == []
    bench.clock.set(bench.clock.now() + 1_000_000)
    assert bench.running.processes.unknown_effects() == [only(bench)]


def test_an_unknown_effect_is_repeated_with_the_same_key_where_that_is_declared(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    a_crash(bench, outside)
    the_next_worker(bench).pass_time(seconds=60)
    assert outside.calls == [("P", 1), ("P", 2)]
    assert len(outside.paid) == 1
    assert only(bench).status == "done"


def test_an_unknown_effect_is_asked_about_where_that_is_declared(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside, ask=True))
    a_crash(bench, outside)
    the_next_worker(bench).pass_time(seconds=60)
    assert outside.calls == [("P", 1), ("find P", 2)]
    (sent,) = [event.event for event in bench.running.events() if isinstance(event.event, Sent)]
    assert sent.receipt == "found"


def test_one_that_was_not_had_is_called_again_after_asking(at_work: Open):
    outside = OtherBank()
    outside.troubles = [ConnectionError("before it was paid")]
    bench = at_work(a_bank(outside, ask=True))
    bench.do(MONEY, PAY)
    bench.pass_time(seconds=1)
    assert outside.calls == [("P", 1), ("find P", 2), ("P", 2)]
    assert only(bench).status == "done"


def test_an_unknown_effect_is_left_to_a_person_where_that_is_declared(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside, unknown=Unknown.PERSON))
    a_crash(bench, outside)
    the_next_worker(bench).pass_time(days=30)
    assert outside.calls == [("P", 1)]
    row = only(bench)
    assert (row.status, row.due) == ("unknown", None)
    assert row.error is not None
    assert "nothing was heard of it" in row.error


def left_to_a_person(at_work: Open, outside: OtherBank) -> Bench:
    bench = at_work(a_bank(outside, unknown=Unknown.PERSON))
    a_crash(bench, outside)
    the_next_worker(bench).pass_time(seconds=90)
    return bench


def test_a_person_says_what_the_answer_was(at_work: Open):
    bench = left_to_a_person(at_work, OtherBank())
    effect = only(bench).effect
    with pytest.raises(Invalid, match="Sent, Bounced"):
        bench.running.processes.resolve_effect(effect, MONEY, reason="phoned them")  # type: ignore[arg-type]
    bench.running.processes.resolve_effect(effect, Sent(payout="P", receipt="by phone"), reason="phoned", actor="ops")
    bench.pass_time(seconds=0)
    assert bench.running.state(Payout, "P").ended
    (sent,) = [event for event in bench.running.events() if isinstance(event.event, Sent)]
    assert (sent.metadata.actor, sent.metadata.reason) == ("ops", "phoned")


def test_a_person_has_it_called_again(at_work: Open):
    outside = OtherBank()
    bench = left_to_a_person(at_work, outside)
    bench.running.processes.retry_effect(only(bench).effect, reason="they never saw it")
    bench.pass_time(seconds=0)
    assert outside.calls == [("P", 1), ("P", 2)]
    assert only(bench).status == "done"


def test_a_person_gives_it_up(at_work: Open):
    outside = OtherBank()
    bench = left_to_a_person(at_work, outside)
    bench.running.processes.discard_effect(only(bench).effect, reason="the account is closed")
    bench.pass_time(days=9)
    assert (only(bench).status, outside.calls) == ("discarded", [("P", 1)])
    with pytest.raises(Refused):
        bench.running.processes.retry_effect(only(bench).effect, reason="after all")


def test_a_late_answer_of_a_worker_that_was_given_up_counts_once(at_work: Open):
    """A zombie: it was paused beyond its lease, another one called again; both answers come."""
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    performer = bench.running.processes._performer
    held: list[tuple] = []
    alive = performer.given

    def paused(command: Any, id: Any, acting: Any) -> Any:
        if type(command).__name__ == "FinishEffect":
            held.append((command, id, acting))
            return None
        return alive(command, id, acting)

    performer.given = paused  # type: ignore[method-assign]
    bench.do(MONEY, PAY)
    the_next_worker(bench).pass_time(seconds=60)
    assert outside.calls == [("P", 1), ("P", 2)]
    ((command, id, acting),) = held
    assert alive(command, id, acting).events == ()
    assert bench.types().count("Sent") == 1


def test_two_workers_never_call_at_once(at_work: Open):
    outside = OtherBank()
    bench = at_work(a_bank(outside))
    performer = bench.running.processes._performer
    other = the_next_worker(bench).running.processes._performer
    agenda = bench.running.processes._agenda
    seen: list[int] = []

    def meanwhile(request: Any, attempt: Any) -> Any:
        due = agenda.effects(bench.running.processes.now() + timedelta(seconds=59), 10, mine=lambda name, thing: True)
        agenda.catch_up()
        seen.append(performer.see_to(due))
        return Sent(payout=request.payout, receipt="once")

    outside.send = meanwhile  # type: ignore[method-assign]
    bench.do(MONEY, PAY)
    assert other is not performer
    assert seen == [1], "the other worker was there, and was turned down"
    assert bench.types().count("actum.effect-begun") == 1
    assert bench.types().count("Sent") == 1


def test_an_answer_that_was_not_declared_is_no_answer(at_work: Open):
    outside = OtherBank()
    outside.send = lambda request, attempt: MONEY  # type: ignore[assignment,return-value,method-assign]
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    error = only(bench).error
    assert error is not None
    assert "it says that it answers Sent, Bounced" in error


def test_a_rule_may_ask_for_an_effect_as_well(at_work: Open):
    outside = OtherBank()
    bank = a_bank(outside)

    def pay_out(command: Deposit) -> SendMoney:
        return SendMoney(payout=command.account, amount=command.amount)

    bank._handlers.pop(Deposit)
    bank.decides(pay_out)
    bench = at_work(bank)
    bench.do(MONEY)
    assert outside.calls == [("A", 1)]


def test_the_money_is_where_it_belongs_after_a_bounce(at_work: Open):
    outside = OtherBank()
    outside.troubles = [TimeoutError(), "bounce"]
    bench = at_work(a_bank(outside))
    bench.do(MONEY, PAY)
    bench.pass_time(seconds=1)
    assert [event.event for event in bench.running.events() if isinstance(event.event, Bounced)]
    assert bench.running.state(Account, "A").balance == Decimal(100)
