"""What headers say, and that what is written into them is read out of them again."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actum.decision.acting import Acting
from actum.http.said import Said, headers_for, headers_of, key_of, said_in, traceparent_of
from actum.journal.errors import Invalid

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
texts = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=100)


@given(
    st.one_of(st.none(), st.uuids(), texts.filter(lambda text: text.strip() == text)),
    st.builds(
        Acting,
        actor=st.none() | texts,
        on_behalf_of=st.none() | texts,
        reason=st.none() | texts,
        correlation=st.none() | st.uuids(),
        causation=st.none() | st.uuids(),
        traceparent=st.just(TRACE),
        tracestate=st.none() | st.just("a=1,b=2"),
    ),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_what_is_written_into_headers_is_read_out_again(id: UUID | str | None, acting: Acting, moment: datetime | None):
    said = Said(id, acting, moment)
    raw = [(name.encode(), value.encode("ascii")) for name, value in headers_for(said).items()]
    found = said_in(headers_of(raw))
    assert (str(found.id), found.acting, found.effective_at) == (str(id), acting, moment)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "actum-actor",
                "actum-reason",
                "idempotency-key",
                "traceparent",
                "tracestate",
                "actum-correlation",
                "actum-effective-at",
                "x",
            ]
        ),
        st.binary(max_size=60),
    )
)
def test_whatever_headers_hold_is_understood_or_turned_down(headers: dict[str, bytes]):
    with contextlib.suppress(Invalid):
        said_in(headers_of((name.encode(), value) for name, value in headers.items()))


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("slip", "slip"),
        ('"slip"', "slip"),
        ("018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5", UUID("018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5")),
        ('"018F4B5E-7C44-7B0E-9D5E-ACF1A2B3C4D5"', UUID("018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5")),
        ("018f4b5e7c447b0e9d5eacf1a2b3c4d5", "018f4b5e7c447b0e9d5eacf1a2b3c4d5"),
        (None, None),
    ],
)
def test_a_key_is_a_uuid_or_a_text(value: str | None, key: UUID | str | None):
    assert key_of(value) == key


@pytest.mark.parametrize("value", ["", '""', " ", "x" * 1001])
def test_a_key_of_nothing_or_too_much_is_turned_down(value: str):
    with pytest.raises(Invalid, match="Idempotency-Key"):
        key_of(value)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (TRACE, True),
        ("01" + TRACE[2:] + "-more", True),
        (TRACE + "-more", False),
        ("ff" + TRACE[2:], False),
        (TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), False),
        (TRACE.replace("00f067aa0ba902b7", "0" * 16), False),
        (TRACE.upper(), False),
        ("01" + TRACE[2:] + "-€", False),
        ("01" + TRACE[2:] + "-a b", False),
        ("", False),
    ],
)
def test_a_trace_is_carried_on_where_it_is_well_formed_and_passed_over_where_not(value: str, *, taken: bool):
    assert traceparent_of({"traceparent": value}) == (value if taken else None)
