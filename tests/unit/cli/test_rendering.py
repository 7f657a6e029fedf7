"""A line of the tail, whatever the event and however narrow the terminal."""

from __future__ import annotations

import json

import hypothesis.strategies as st
from hypothesis import given, settings
from rich.cells import cell_len

from actum.cli.rendering import counted, fit, json_of, layout_for, row_of
from actum.journal.errors import Invalid
from actum.journal.event import SequencedEvent
from actum.journal.metadata import Metadata
from actum.stores.memory import MemoryStore
from actum.testing.builders import an_append, an_event


def kept(*tags: str, type: str = "Opened", data: bytes = b"{}", metadata: bytes = b"{}") -> SequencedEvent:
    store = MemoryStore()
    store.append(an_append(an_event(type, *tags, data=data, metadata=metadata)))
    return next(store.read())


def by(actor: str, reason: str | None = None) -> bytes:
    return Metadata(actor=actor, reason=reason).encode()


def test_columns_stand_under_each_other_whatever_the_script():
    rows = [
        row_of(kept(f"account:{name}", data=b'{"a":1}', metadata=by(name)), layout_for(120)).plain
        for name in (
            "A-1",
            "évêché",
            "王小明",
            "e\u0301",
            "évêché-de-saint-étienne-du-mont",
            "王小明的賬戶號碼一二三四五六",
        )
    ]
    assert len({cell_len(row[: row.index("a=1")]) for row in rows}) == 1


def test_stored_text_cannot_move_the_cursor():
    event = kept("account:A\u202e", data=b'{"x":"\\u001b[31m\\r\\n\\u0007"}', metadata=by("\x1b]0;t\x07"))
    row = row_of(event, layout_for(0)).plain
    assert row.isprintable()


def test_data_that_is_no_json_is_counted():
    assert row_of(kept(data=b"\xff\x00\x01"), layout_for(0)).plain.endswith("3 bytes")


def test_without_a_terminal_nothing_is_cut():
    long = "x" * 500
    assert long in row_of(kept(f"account:{long}", data=json.dumps({"a": long}).encode()), layout_for(0)).plain


def test_fitting_keeps_the_width_and_says_where_it_cut():
    assert fit("abc", 5) == "abc  "
    assert fit("abcdef", 5) == "abcd…"
    assert cell_len(fit("王小明", 5)) == 5


texts = st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(width=st.integers(20, 200), owner=texts, actor=st.text(min_size=1, max_size=40), data=st.binary(max_size=40))
def test_no_line_is_wider_than_its_terminal(width: int, owner: str, actor: str, data: bytes):
    for stored in (json.dumps({"owner": owner}).encode(), data):
        try:
            metadata = by(actor, reason=owner or None)
        except Invalid:
            metadata = b"{}"
        row = row_of(kept("account:A-1", data=stored, metadata=metadata), layout_for(width))
        assert cell_len(row.plain) <= width
        assert "\n" not in row.plain


def test_a_machine_readable_line_has_base64_where_there_is_no_json():
    line = json_of(kept(data=b"\xff", metadata=b'{"actor": "a"}'))
    assert line["data64"] == "/w=="
    assert bytes(line["metadata"]) == b'{"actor": "a"}'


def test_of_one_it_is_not_said_as_of_several():
    assert [counted(number, "event") for number in (0, 1, 2, 1234)] == [
        "0 events",
        "1 event",
        "2 events",
        "1,234 events",
    ]
