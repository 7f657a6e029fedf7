"""Between typed events and stored bytes: everything survives exactly, and nothing wrong gets in or out."""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import hypothesis.strategies as st
import msgspec
import pydantic
import pytest
from hypothesis import given

from actum.journal.clock import SYSTEM_IDS
from actum.journal.codec import Codec
from actum.journal.errors import Corrupted, Invalid, Misdeclared, Unknown
from actum.journal.event import Event, EventData, Kind, Tag

AccountId = Annotated[str, Tag("account")]
OwnerId = Annotated[UUID, Tag("owner")]
BoxId = Annotated[int, Tag("box")]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Address(msgspec.Struct, frozen=True):
    street: str
    number: int


class Cash(msgspec.Struct, frozen=True, tag="cash"):
    amount: Decimal


class Card(msgspec.Struct, frozen=True, tag="card"):
    number: str
    holder: OwnerId


@dataclasses.dataclass(frozen=True)
class Size:
    width: Decimal
    boxes: tuple[BoxId, ...] = ()


class Person(pydantic.BaseModel):
    name: str
    born: date
    height: Decimal


class Taller(Person):
    hat: Decimal = Decimal(0)


@dataclasses.dataclass
class Span:
    begin: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.begin:
            raise ValueError("a span ends after it begins")


class Loose(Event):
    span: Span | None = None
    anything: Any = None
    things: list = []  # type: ignore[type-arg]
    pair: tuple = ()  # type: ignore[type-arg]


class Everything(Event):
    account: AccountId
    amount: Decimal
    moment: datetime
    day: date
    owner: OwnerId
    colour: Colour
    level: Level
    home: Address
    paid: Cash | Card
    size: Size
    person: Person
    names: list[str]
    prices: dict[str, Decimal]
    ratio: float
    flag: bool
    raw: bytes
    kind: Literal["a", "b"]
    note: str | None = None
    pair: tuple[int, str] = (0, "")
    other: AccountId | None = None


class Deposited(Event, version=2):
    account: AccountId
    amount: Decimal


class Transferred(Event):
    source: AccountId
    target: AccountId
    amount: Decimal


class Counted(Event):
    count: Annotated[int, msgspec.Meta(gt=0)]


CODEC = Codec([Everything, Transferred, Counted])
amounts = st.decimals(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
owners = st.uuids()
everything = st.builds(
    Everything,
    account=words,
    amount=amounts,
    moment=st.datetimes(timezones=st.just(UTC)),
    day=st.dates(),
    owner=owners,
    colour=st.sampled_from(Colour),
    level=st.sampled_from(Level),
    home=st.builds(
        Address, street=st.text(st.characters(exclude_categories=["Cs"])), number=st.integers(-(2**63), 2**63 - 1)
    ),
    paid=st.builds(Cash, amount=amounts) | st.builds(Card, number=words, holder=owners),
    size=st.builds(Size, width=amounts, boxes=st.lists(st.integers(0, 99), max_size=3).map(tuple)),
    person=st.builds(Person, name=words, born=st.dates(), height=amounts.filter(lambda amount: abs(amount) < 10**20)),
    names=st.lists(words, max_size=3),
    prices=st.dictionaries(words, amounts, max_size=3),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    raw=st.binary(max_size=30),
    kind=st.sampled_from(["a", "b"]),
    note=st.none() | words,
    pair=st.tuples(st.integers(-5, 5), words),
    other=st.none() | words,
)


def stored(cls: type[Event], data: bytes, *, version: int = 1, type: str | None = None) -> EventData:
    return EventData(id=bytes(16), salt=bytes(16), type=type or cls.__kind__.type, version=version, data=data)


@given(everything)
def test_every_kind_of_value_survives_exactly(event: Everything) -> None:
    (back,) = CODEC.decode(CODEC.encode(event, ids=SYSTEM_IDS))
    assert back == event
    assert isinstance(back, Everything)
    assert str(back.amount) == str(event.amount)
    assert type(back.person) is Person


@given(everything)
def test_tags_are_found_wherever_an_identity_stands(event: Everything) -> None:
    tags = [f"account:{event.account}", f"owner:{event.owner}"]
    if isinstance(event.paid, Card):
        tags.append(f"owner:{event.paid.holder}")
    tags += [f"box:{box}" for box in event.size.boxes]
    if event.other is not None:
        tags.append(f"account:{event.other}")
    assert CODEC.encode(event, ids=SYSTEM_IDS).tags == tuple(dict.fromkeys(tags))


def test_an_encoded_event_has_its_kind_and_what_the_caller_gave() -> None:
    codec = Codec([Deposited, Transferred], [_identity("Deposited", 1)])
    event = codec.encode(Deposited(account="A", amount=Decimal("1.50")), ids=SYSTEM_IDS, metadata=b"m", effective=7)
    assert (event.type, event.version, event.metadata, event.effective) == ("Deposited", 2, b"m", 7)
    assert event.data == b'{"account":"A","amount":"1.50"}'
    assert event.tags == ("account:A",)


def test_an_identity_named_twice_is_one_tag() -> None:
    event = Transferred(source="A", target="A", amount=Decimal(1))
    assert CODEC.encode(event, ids=SYSTEM_IDS).tags == ("account:A",)


def _identity(name: str, version: int) -> Any:
    from actum.journal.upcast import upcaster

    return upcaster(Kind(name, version), [lambda data: data], None)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            Transferred(source="A", target="B", amount=1.5),
            r'amount: expected Decimal, found 1.5 \(float\); .* Decimal\("1.5"\)',
        ),  # type: ignore[arg-type]
        (Transferred(source="A", target="B", amount=1), "amount: expected Decimal, found 1 .int."),  # type: ignore[arg-type]
        (Transferred(source="A", target="B", amount=Decimal("NaN")), "amount: expected a finite amount .*found NaN"),
        (Transferred(source="A", target="B", amount=Decimal("-Infinity")), "expected a finite amount"),
        (Transferred(source="A", target="B", amount=Decimal("1E+200000")), r"not beyond 1E\+1000 or below 1E-1000"),
        (Transferred(source="A", target="B", amount=Decimal("-1E-1001")), "expected a finite amount"),
        (Transferred(source="A", target="B", amount=Decimal("1" * 1001)), "at most 1,000 digits"),
        (Counted(count=0), "Counted.count: Expected `int` >= 1; found 0"),
        (Transferred(source=7, target="B", amount=Decimal(1)), "source: expected str, found 7"),  # type: ignore[arg-type]
        (Transferred(source=None, target="B", amount=Decimal(1)), "source: expected str, found None"),  # type: ignore[arg-type]
        (Transferred(source="", target="B", amount=Decimal(1)), "the identity of 'account' is empty"),
        (Transferred(source="x" * 1100, target="B", amount=Decimal(1)), "a tag is at most 1024 bytes, found 1108"),
        (Transferred(source="a\x00", target="B", amount=Decimal(1)), "control character"),
        (
            Transferred(source="\ud800", target="B", amount=Decimal(1)),
            "Transferred cannot be written|control character",
        ),
    ],
)
def test_a_value_that_is_not_what_was_declared_is_not_stored(event: Event, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        CODEC.encode(event, ids=SYSTEM_IDS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moment": datetime(2024, 1, 1)}, "moment: expected a time with a time zone, found the naive 2024"),  # noqa: DTZ001
        ({"ratio": float("nan")}, "ratio: expected a finite number"),
        ({"ratio": 1}, "ratio: expected float, found 1"),
        ({"flag": 1}, "flag: expected bool, found 1"),
        ({"colour": "red"}, "colour: expected Colour, found 'red'"),
        ({"kind": "c"}, "kind: expected .*Literal"),
        ({"home": Address(street="x", number="7")}, "Address.number: expected int, found '7'"),  # type: ignore[arg-type]
        (
            {"home": Address(street="x", number=2**63)},
            "Address.number: expected a whole number of 64 bits, found one of 65",
        ),
        ({"paid": Cash(amount=0.1)}, "Cash.amount: expected Decimal"),  # type: ignore[arg-type]
        ({"paid": Address(street="x", number=1)}, "paid: expected .*Cash"),
        ({"size": Size(width=1.0)}, "Size.width: expected Decimal"),  # type: ignore[arg-type]
        ({"names": ["a", 7]}, r"names\[1\]: expected str, found 7"),
        ({"names": ("a",)}, "names: expected"),
        ({"prices": {"a": 1.0}}, r"prices\['a'\]: expected Decimal"),
        ({"prices": {7: Decimal(1)}}, "prices key 7: expected str"),
        ({"pair": (1, "a", 2)}, "pair: expected"),
        ({"owner": str(UUID(int=1))}, "owner: expected UUID"),
        ({"note": 7}, "note: expected"),
        ({"person": {"name": "x"}}, "person: expected Person"),
        (
            {"person": Person.model_construct(name=None, born=date(2000, 1, 1), height=Decimal(1))},
            "person: expected what Person allows, found otherwise: name: Input should be a valid string, found None",
        ),
        (
            {"person": Person.model_construct(name="p", born=date(2000, 1, 1), height=1.8)},
            "person: expected what comes back alike",
        ),
        (
            {"person": Taller(name="p", born=date(2000, 1, 1), height=Decimal(1), hat=Decimal(2))},
            "person: expected what comes back alike",
        ),
    ],
)
def test_each_field_is_held_to_its_type(change: dict[str, Any], message: str) -> None:
    event = msgspec.structs.replace(EXAMPLE, **change)
    with pytest.raises(Invalid, match=message):
        CODEC.encode(event, ids=SYSTEM_IDS)


def test_what_its_class_allowed_is_not_stored_when_it_was_changed_since() -> None:
    span = Span(1, 2)
    (back,) = LOOSE.decode(LOOSE.encode(Loose(span=span), ids=SYSTEM_IDS))
    assert back == Loose(span=Span(1, 2))
    span.end = 0
    with pytest.raises(Invalid, match=r"Loose.span: expected what Span allows, found otherwise: a span ends after"):
        LOOSE.encode(Loose(span=span), ids=SYSTEM_IDS)


@pytest.mark.parametrize(
    "event",
    [
        Loose(anything={"a": [1, 2.5, "x", True, None, -(2**63), 2**63 - 1]}),
        Loose(things=[{"a": 1}]),
        Loose(pair=(1, "a")),
    ],
)
def test_where_no_type_is_declared_what_json_has_comes_back(event: Loose) -> None:
    (back,) = LOOSE.decode(LOOSE.encode(event, ids=SYSTEM_IDS))
    assert back == event


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            Loose(anything=Decimal("1.0")),
            r"Loose.anything: expected what JSON has, .*found Decimal.*declare .* as Decimal",
        ),
        (Loose(anything={"a": [datetime(2024, 1, 1, tzinfo=UTC)]}), r"Loose.anything\['a'\]\[0\]: expected what JSON"),
        (Loose(anything={7: 1}), "Loose.anything key 7: expected what JSON has"),
        (Loose(anything=2**63), "anything: expected a whole number of 64 bits, found one of 65"),
        (Loose(anything=(1,)), "found .* .tuple."),
        (Loose(anything=float("inf")), "found inf"),
        (Loose(things=[Decimal(1)]), r"Loose.things\[0\]: expected what JSON has"),
        (Loose(pair=(Decimal(1),)), "Loose.pair: expected what JSON has"),
    ],
)
def test_what_would_come_back_as_something_else_is_not_stored(event: Loose, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        LOOSE.encode(event, ids=SYSTEM_IDS)


LOOSE = Codec([Loose])

EXAMPLE = Everything(
    account="A",
    amount=Decimal("1.10"),
    moment=datetime(2024, 2, 29, 12, 30, 0, 1, tzinfo=UTC) + timedelta(0),
    day=date(2024, 2, 29),
    owner=UUID(int=5),
    colour=Colour.RED,
    level=Level.HIGH,
    home=Address(street="s", number=1),
    paid=Cash(amount=Decimal(0)),
    size=Size(width=Decimal(1)),
    person=Person(name="p", born=date(2000, 1, 1), height=Decimal("1.80")),
    names=[],
    prices={},
    ratio=0.5,
    flag=True,
    raw=b"",
    kind="a",
)


def test_an_event_of_another_application_is_unknown() -> None:
    with pytest.raises(
        Unknown, match="no event type is called 'Deposited'; known: Counted, Everything, Transferred"
    ) as caught:
        CODEC.encode(Deposited(account="A", amount=Decimal(1)), ids=SYSTEM_IDS)
    assert caught.value.name == "Deposited"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"source":"A","target":"B"}',
        b'{"source":"A","target":"B","amount":"1","more":1}',
        b'{"source":7,"target":"B","amount":"1"}',
        b'{"source":"A","target":"B","amount":"x"}',
        b'{"source":"\xff","target":"B","amount":"1"}',
        b'\xef\xbb\xbf{"source":"A","target":"B","amount":"1"}',
    ],
)
def test_bytes_that_do_not_fit_their_kind_are_corrupted(data: bytes) -> None:
    with pytest.raises(Corrupted, match="the data of Transferred@1 cannot be read"):
        CODEC.decode(stored(Transferred, data))


def test_an_event_of_a_newer_version_names_the_newer_program() -> None:
    with pytest.raises(Unknown, match="version of Transferred beyond 1: a newer program wrote it"):
        CODEC.decode(stored(Transferred, b"{}", version=2))


def test_an_event_that_nothing_here_can_read_is_unknown() -> None:
    with pytest.raises(
        Unknown, match="no event kind is called 'Forgotten@1'; known: Counted@1, Everything@1, Transferred@1"
    ):
        CODEC.decode(stored(Transferred, b"{}", type="Forgotten"))
    assert not CODEC.can_read(Kind("Forgotten", 1))
    assert CODEC.can_read(Kind("Transferred", 1))


def test_a_type_declared_twice_is_one_type() -> None:
    assert set(Codec([Transferred, Transferred]).types) == {"Transferred"}


class Rival(Event, name="Transferred"):
    pass


class Reserved(Event, name="actum.Mine"):
    pass


class Opaque(Event):
    what: complex


class Lost(Event):
    what: NoSuchType  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([Transferred, Rival], "two event classes are both called 'Transferred'"),
        ([Reserved], "names that begin with 'actum.' are actum's own"),
        ([Opaque], "cannot be stored|not a type that an event can hold"),
        ([Lost], "a field's type cannot be resolved: name 'NoSuchType' is not defined"),
        ([Deposited], r'Deposited is at version 2, but nothing reads version 1; declare upcast\("Deposited", 1'),
    ],
)
def test_declarations_that_do_not_fit_are_found_at_once(types: list[type[Event]], message: str) -> None:
    with pytest.raises(Misdeclared, match=message):
        Codec(types)
