"""The client behaves like the application in process: the same answers, the very same errors, streams that heal."""

from __future__ import annotations

import itertools
import pickle
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from actum import Busy, Invalid, OutcomeUnknown, Page, Refused, Unavailable, Unknown, acting
from actum.http.asgi import asgi
from actum.http.client import Client
from actum.http.limits import Limits
from actum.http.serving import Serving
from actum.journal.errors import Reused
from actum.journal.query import Query
from actum.journal.store import leaf_of
from actum.service.running import Running
from tests.unit.http.bank import (
    Account,
    Balance,
    Branch,
    Deposit,
    Note,
    Open,
    OwnerOf,
    Owners,
    Richest,
    Total,
    bank,
)
from tests.unit.http.test_commanding import Wait, slow_bank


@pytest.fixture
def web(serving: Serving) -> Iterator[Client]:
    with Client(serving.url, bank, actor="web") as client:
        yield client


def test_a_command_is_answered_as_in_process(web: Client, running: Running):
    done = web.execute(Open(account="A/1 é", owner="Zoé"), id="slip")
    here = running.execute(Open(account="A/1 é", owner="Zoé"), id="slip")
    assert (done.events, done.position, done.recorded, done.command) == (
        here.events,
        here.position,
        here.recorded,
        here.command,
    )
    assert (done.repeated, here.repeated) == (False, True)
    assert web.execute(Open(account="A/1 é", owner="Zoé"), id="slip") == here


def test_a_refusal_is_the_very_same_error_but_for_its_facts_being_texts(web: Client, running: Running):
    web.execute(Open(account="A", owner="o"))
    with pytest.raises(Refused) as there:
        web.execute(Open(account="A", owner="o"), id="again")
    with pytest.raises(Refused) as here:
        running.execute(Open(account="A", owner="o"), id="again")
    assert (str(there.value), there.value.facts, there.value.position) == (
        str(here.value),
        here.value.facts,
        here.value.position,
    )
    assert (there.value.repeated, here.value.repeated) == (False, True)
    again = pickle.loads(pickle.dumps(here.value))
    assert (vars(again), str(again)) == (vars(here.value), str(here.value))


def test_what_is_wrong_is_said_by_the_same_errors(web: Client):
    web.execute(Open(account="A", owner="o"), id="one")
    with pytest.raises(Reused):
        web.execute(Open(account="B", owner="o"), id="one")
    with pytest.raises(Invalid, match=r"Deposit.amount: expected Decimal, found 0.5"):
        web.execute(Deposit(account="A", amount=0.5))  # type: ignore[arg-type]
    with pytest.raises(Unknown, match="no command is called 'Wait'"):
        web.execute(Wait(account="A"))
    with pytest.raises(Invalid, match="the identity of 'account' is empty"):
        web.execute(Open(account="", owner="o"))


def test_who_acts_and_why_reaches_the_journal(web: Client, running: Running):
    story = uuid4()
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    with acting("zoé", reason="phone order", correlation=story, traceparent=trace, tracestate="v=1"):
        web.execute(Open(account="A", owner="o"), on_behalf_of="Mrs M.", effective_at=moment)
    web.execute(Open(account="B", owner="o"))
    first, second = running.events()
    found = first.metadata
    assert (found.actor, found.reason, found.on_behalf_of, found.correlation) == ("zoé", "phone order", "Mrs M.", story)
    assert (found.traceparent, found.tracestate, first.effective_at) == (trace, "v=1", moment)
    assert (second.metadata.actor, second.metadata.correlation) == ("web", None)


def test_queries_rows_and_states_are_answered_as_in_process(web: Client, running: Running):
    web.execute(Open(account="A", owner="Ada", branch=Branch.BRNO))
    done = web.execute(Deposit(account="A", amount=Decimal("1.50")))
    running.wait_for(done.position)
    for query in (
        Richest(branches=[Branch.BRNO, Branch.PRAHA]),
        Richest(at_least=Decimal(2)),
        Owners(beginning="A"),
        OwnerOf(account="A"),
        OwnerOf(account="B"),
    ):
        there = web.ask(query, wait_for=done.position)
        assert there == running.ask(query)
        assert type(there) is type(running.ask(query))
    assert isinstance(web.ask(Richest()), Page)
    assert web.row(Balance, "A") == running.view(Balance).get("A")
    assert web.row(Balance, "B") is None
    assert web.row(Balance, "A", at=1) == running.state(Balance, "A", at=1)
    assert web.state(Account, "A", at=1) == Account(id="A", open=True)
    assert web.state(Total).accounts == 1
    assert web.ask(Owners(), at=0) == []
    assert web.head() == 2


def test_events_come_whole_with_their_envelope(web: Client, running: Running, filled: Running):
    web.execute(Note(lines=[], words={"a": "line\u2028break\x85"}))
    assert list(web.events()) == list(running.events())
    assert list(web.events(Query.of(types=["Opened"], tags=["account:A-1"]), after=2)) == list(
        running.events(Query.of(types=["Opened"], tags=["account:A-1"]), after=2)
    )
    for event in web.events(until=3):
        assert leaf_of(event.stored, running.store.origin) == event.stored.leaf
    with pytest.raises(Invalid, match="one item"):
        next(web.events(Query.of(types=["A"]) | Query.of(types=["B"])))


def test_whoever_follows_gets_every_event_that_was_and_that_comes(web: Client, running: Running, filled: Running):
    found = web.follow(after=15)
    assert [event.position for event in itertools.islice(found, 5)] == [16, 17, 18, 19, 20]
    running.execute(Note(lines=[], words={"a": "line\u2028break\x85"}))
    assert next(found).event == next(running.events(after=20)).event
    deposits = web.follow(Query.of(types=["Deposited"], tags=["account:A-1"]))
    assert next(deposits).position == 4
    running.execute(Deposit(account="A-2", amount=Decimal(1)))
    done = running.execute(Deposit(account="A-1", amount=Decimal(1)))
    assert next(deposits).position == done.position


def test_a_stream_goes_on_where_it_broke(running: Running, filled: Running):
    with Serving(asgi(bank, running)) as first:
        port = int(first.url.rpartition(":")[2])
        client = Client(first.url, bank)
        found = client.follow(after=18)
        assert [next(found).position, next(found).position] == [19, 20]
    running.execute(Deposit(account="A-1", amount=Decimal(1)))
    with Serving(asgi(bank, running), port=port):
        assert next(found).position == 21
    client.close()


def test_an_open_question_is_answered_again_when_the_answer_changes(web: Client, running: Running):
    found = web.watch(OwnerOf(account="A"))
    assert next(found) is None
    running.execute(Open(account="B", owner="bob"))
    running.execute(Open(account="A", owner="ada"))
    assert next(found) == "ada"


def test_an_unknown_outcome_is_found_out_by_asking_again_with_the_same_id():
    entered, leave = threading.Event(), threading.Event()
    app = slow_bank(entered, leave)
    with Serving(asgi(app, "memory:", actor="web", limits=Limits(wait=0.2))) as serving:
        with Client(serving.url, app, tries=1) as once, pytest.raises(OutcomeUnknown):
            once.execute(Wait(account="A"), id="wait")
        threading.Timer(0.5, leave.set).start()
        with Client(serving.url, app) as patient:
            done = patient.execute(Wait(account="A"), id="wait")
    assert done.position == 1


def test_a_server_that_cannot_be_reached_is_said_to_be_so():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(address, bank, actor="x") as client:
        with pytest.raises(Unavailable, match="cannot be reached"):
            client.execute(Open(account="A", owner="o"))
        with pytest.raises(Unavailable, match="cannot be reached"):
            next(client.follow())


def test_a_line_that_breaks_before_the_answer_leaves_the_outcome_unknown_and_names_the_id():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def hang_up() -> None:
            line, _ = server.accept()
            line.recv(65536)
            line.close()

        threading.Thread(target=hang_up).start()
        with Client(f"http://127.0.0.1:{server.getsockname()[1]}", bank, tries=1) as client:
            id = uuid4()
            with pytest.raises(OutcomeUnknown, match=str(id)):
                client.execute(Open(account="A", owner="o"), id=id, actor="x")


def test_a_busy_server_is_asked_again(running: Running):
    with Serving(asgi(bank, running, limits=Limits(reads=1))) as serving, Client(serving.url, bank, tries=1) as client:
        entered, held = threading.Event(), threading.Event()

        def hold(*_: object) -> int:
            entered.set()
            held.wait(30)
            return 0

        look, running.views.shown = running.views.shown, hold  # type: ignore[method-assign]
        try:
            waiting = threading.Thread(target=client.row, args=(Balance, "A"))
            waiting.start()
            assert entered.wait(30)
            with pytest.raises(Busy, match="1 reads are under way"):
                client.state(Account, "A")
        finally:
            held.set()
            waiting.join()
            running.views.shown = look  # type: ignore[method-assign]


def test_an_answer_of_another_version_is_said_to_be_so(web: Client):
    from actum.decision.acting import NOBODY
    from actum.http.wire import Contract

    contract = Contract(bank, acting=NOBODY, token=None)
    with pytest.raises(Unavailable, match="is it another version"):
        contract.answer(b'{"rows": 7}', Richest)
