"""What type checkers make of the journal's words: run by mypy and pyright, where an ignore that ignores nothing fails."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, assert_type

from actum.journal.clock import SYSTEM_IDS
from actum.journal.codec import Codec
from actum.journal.event import Event, EventData, Tag
from actum.journal.message import from_json
from actum.journal.query import AppendCondition, Query

AccountId = Annotated[str, Tag("account")]


class Deposited(Event, name="deposited", version=1):
    """An event as a user writes it."""

    account: AccountId
    amount: Decimal
    note: str = ""


def test_an_event_is_made_by_keyword_of_what_it_declares() -> None:
    event = Deposited(account="A-1", amount=Decimal(1))
    assert_type(event, Deposited)
    assert_type(event.amount, Decimal)
    assert_type(event.account, str)


def test_a_wrong_event_is_a_type_error() -> None:
    def wrong() -> None:
        Deposited("A-1", Decimal(1))  # type: ignore[call-arg]
        Deposited(account="A-1")  # type: ignore[call-arg]
        Deposited(account="A-1", amount="1")  # type: ignore[arg-type]
        Deposited(account="A-1", amount=Decimal(1)).amount = Decimal(2)  # type: ignore[misc]

    assert callable(wrong)


def test_a_codec_gives_events_and_takes_events() -> None:
    codec = Codec([Deposited])
    stored = codec.encode(Deposited(account="A-1", amount=Decimal(1)), ids=SYSTEM_IDS)
    assert_type(stored, EventData)
    assert_type(codec.decode(stored), tuple[Event, ...])


def test_a_message_from_outside_has_the_type_that_was_asked_for() -> None:
    assert_type(from_json('{"account":"A-1","amount":"1"}', Deposited), Deposited)


def test_queries_combine_to_queries() -> None:
    query = Query.of(tags=["account:A-1"]) | Query.of(types=["deposited"])
    assert_type(query, Query)
    assert_type(AppendCondition(query, after=3).fail_if_events_match, Query)
