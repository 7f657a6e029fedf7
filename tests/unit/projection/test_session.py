"""A projection that writes by SQLAlchemy, in the transaction of its checkpoint, on every read database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Numeric, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from actum import App
from actum.journal.event import Event
from actum.journal.readmodel import Change, Shape
from actum.projection.changed import Rebuilds
from actum.projection.session import session_on
from actum.service.running import Running
from actum.subscription.policy import park
from actum.testing.postgres import with_journal
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, fill, some_events


class Base(DeclarativeBase):
    pass


class Flow(Base):
    """How often and how much went from one account to another."""

    __tablename__ = "flows"
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    times: Mapped[int]
    cents: Mapped[int] = mapped_column(Numeric(20, 0, asdecimal=False))


class Opening(Base):
    """One row for each time an account was opened, under a number that the database gives."""

    __tablename__ = "openings"
    number: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    owner: Mapped[str]


class Broken:
    """What the handler of today cannot take."""

    owners: set[str] = set()


def _anew(db: Any) -> None:
    with session_on(db) as session:
        Base.metadata.drop_all(session.connection())
        Base.metadata.create_all(session.connection())


def _app(version: int = 1) -> App:
    app = App("bank")
    app.knows(Deposited)

    @app.projection(begin=_anew, version=version)
    def flows(event: Transferred, session: Session) -> None:
        flow = session.get(Flow, (event.source, event.target))
        if flow is None:
            flow = Flow(source=event.source, target=event.target, times=0, cents=0)
            session.add(flow)
        flow.times += 1
        flow.cents += int(event.amount * 100)

    @app.projection(by=AccountId, on_failure=park(attempts=1))
    def openings(event: Opened, session: Session) -> None:
        session.add(Opening(account=event.account, owner=event.owner))
        session.flush()
        if event.owner in Broken.owners:
            raise ValueError(f"{event.owner} is unheard of")

    return app


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the views are kept."""
    if request.param == "SQLite":
        return str(tmp_path / "bank.views.db")
    return with_journal(request.getfixturevalue("postgres"), f"t{uuid4().hex[:20]}")


def _opened(tmp_path: Path, views: str) -> Running:
    return _app().open(tmp_path / "bank.actum", actor="tester", follow=False, read_database=views)


def _asked(running: Running, question: Callable[[Session], Any]) -> Any:
    """What a session finds in the read database."""
    answers: list[Any] = []

    def ask(db: Any) -> None:
        with session_on(db) as session:
            answers.append(question(session))

    asking = Shape("asking", (), (), b"asking")
    running.views.database.prepare(asking)
    (share,) = running.views.database.shares(asking)
    assert running.views.database.commit([Change(asking, (), share.mark, share.mark, epoch=share.epoch, work=ask)])
    return answers[0]


def _flows(events: list[Event]) -> dict[tuple[str, str], tuple[int, int]]:
    times, cents = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for event in events:
        if isinstance(event, Transferred):
            times[event.source, event.target] += 1
            cents[event.source, event.target] += int(event.amount * 100)
    return {pair: (count, cents[pair]) for pair, count in times.items()}


def test_what_a_session_writes_stands_or_falls_with_the_checkpoint(tmp_path: Path, views: str):
    events = some_events(1500, seed=51)
    with _opened(tmp_path, views) as running:
        fill(running.store, events)
        running.catch_up()
        found = _asked(
            running,
            lambda session: {
                (one.source, one.target): (one.times, int(one.cents)) for one in session.scalars(select(Flow))
            },
        )
        assert found == _flows(events)
    with _opened(tmp_path, views) as running:
        running.append(Transferred(source="A-1", target="A-2", amount=Decimal(1)))
        running.catch_up()
        assert (
            _asked(running, lambda session: session.scalar(select(func.sum(Flow.times))))
            == sum(times for times, _ in _flows(events).values()) + 1
        )


def test_what_fails_in_a_session_is_undone_parked_and_taken_up_in_order(tmp_path: Path, views: str):
    Broken.owners = {"owner 3"}
    events: list[Event] = [
        Opened(account=account, owner=f"owner {number}") for number in (1, 3, 4) for account in ("a", "b")
    ]

    def owners(session: Session) -> dict[str, list[str]]:
        rows = session.execute(select(Opening.account, Opening.owner).order_by(Opening.number)).all()
        return {account: [owner for one, owner in rows if one == account] for account in ("a", "b")}

    with _opened(tmp_path, views) as running:
        fill(running.store, events)
        running.catch_up()
        assert _asked(running, owners) == {key: ["owner 1"] for key in "ab"}
        assert [(one.key, one.error) for one in running.parked()] == [
            (key, "ValueError: owner 3 is unheard of") for key in "ab"
        ]
        Broken.owners = set()
        assert running.retry("openings")
        assert _asked(running, owners) == {key: ["owner 1", "owner 3", "owner 4"] for key in "ab"}


def test_a_session_can_take_back_what_it_did_itself(tmp_path: Path, views: str):
    """A savepoint of its own, `rollback` and `commit` are about the session, and not about the transaction around it."""
    app = App("bank")

    @app.projection(begin=_anew)
    def openings(event: Opened, session: Session) -> None:
        session.add(Opening(account=event.account, owner="a slip"))
        session.rollback()
        with session.begin_nested() as point:
            session.add(Opening(account=event.account, owner="another"))
            session.flush()
            point.rollback()
        session.add(Opening(account=event.account, owner=event.owner))
        session.commit()

    with app.open(tmp_path / "bank.actum", actor="tester", follow=False, read_database=views) as running:
        running.append(Opened(account="a", owner="Ada"), Opened(account="b", owner="Bob"))
        running.catch_up()
        assert _asked(running, lambda session: sorted(session.scalars(select(Opening.owner)))) == ["Ada", "Bob"]


def test_what_a_session_writes_is_built_beside_and_switched_to(tmp_path: Path, views: str):
    class Own(DeclarativeBase):
        pass

    class Move(Own):
        __tablename__ = "moves"
        number: Mapped[int] = mapped_column(primary_key=True)
        target: Mapped[str] = mapped_column(String(40), index=True)
        cents: Mapped[int]

    def anew(db: Any) -> None:
        with session_on(db) as session:
            Own.metadata.drop_all(session.connection())
            Own.metadata.create_all(session.connection())

    def app(version: int) -> App:
        app = App("bank")
        app.knows(Deposited, Opened)

        @app.projection(begin=anew, version=version)
        def moves(event: Transferred, session: Session) -> None:
            session.add(Move(target=event.target, cents=int(event.amount * 100) * version))

        return app

    def opened(version: int) -> Running:
        return app(version).open(
            tmp_path / "bank.actum", actor="tester", follow=False, read_database=views, rebuilds=Rebuilds.BY_HAND
        )

    def sums(running: Running) -> Any:
        return _asked(running, lambda session: session.execute(select(func.count(), func.sum(Move.cents))).one())

    events = some_events(400, seed=53)
    amounts = [int(event.amount * 100) for event in events if isinstance(event, Transferred)]
    with opened(1) as running:
        fill(running.store, events)
        running.catch_up()
        assert sums(running) == (len(amounts), sum(amounts))
    with opened(2) as running:
        rebuild = running.rebuild(running.app.projections["moves"].cls)  # type: ignore[attr-defined]
        found = rebuild.diff(limit=1)
        assert (found.added, found.removed, found.cells) == (0, 0, {"moves.cents": len(amounts)})
        assert sums(running) == (len(amounts), sum(amounts))
        rebuild.switch(found)
        running.append(Transferred(source="A-1", target="A-2", amount=Decimal(1)))
        running.catch_up()
        assert sums(running) == (len(amounts) + 1, 2 * sum(amounts) + 200)
