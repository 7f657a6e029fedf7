"""Commands and questions from the shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from actum.stores.sqlite.database import SqliteStore
from tests.house import ROOT
from tests.unit.cli.conftest import Type, lines_of


def test_a_command_is_decided_and_its_position_told(type_: Type):
    result = type_("send", "Deposit", "account=A-1", "amount=0.10", "--reason", "phone order")
    assert (result.exit_code, result.stdout) == (0, "✓ Deposited at position 5\n")
    (event,) = lines_of(type_("events", "show", "5", "--json"))
    assert (event["data"], event["metadata"]["reason"]) == ({"account": "A-1", "amount": "0.10"}, "phone order")


def test_a_command_with_an_id_is_decided_once(type_: Type):
    for expected in (False, True):
        (answer,) = lines_of(type_("send", "Deposit", "account=A-1", "amount=1", "--id", "order-1", "--json"))
        assert (answer["position"], answer["repeated"]) == (5, expected)
    other = type_("send", "Deposit", "account=A-1", "amount=2", "--id", "order-1")
    assert (other.exit_code, "already stands for another command" in other.stderr) == (2, True)


def test_a_refusal_is_told_and_is_no_failure_of_the_program(type_: Type):
    result = type_("send", "Deposit", "account=A-7", "amount=1")
    assert result.exit_code == 1
    assert result.stderr == "✗ refused: there is no such account (account=A-7); on record at position 5\n"
    (said,) = lines_of(type_("send", "Deposit", "account=A-7", "amount=1", "--json"))
    assert said == {"refused": "there is no such account", "facts": {"account": "A-7"}, "position": 6}


def test_a_command_that_changes_nothing_says_so(type_: Type):
    assert type_("send", "Deposit", "account=A-1", "amount=0").stdout == "✓ nothing to do at position 5\n"


def test_all_kinds_of_fields_can_be_typed(type_: Type):
    fields = (
        'accounts=["A-1","A-2"]',
        "count=3",
        "share=0.5",
        "urgent=true",
        "when=2026-01-31T12:00:00Z",
        'words={"a":"b"}',
    )
    (answer,) = lines_of(type_("send", "Note", *fields, "--json"))
    assert answer["events"][0]["data"] == {
        "accounts": ["A-1", "A-2"],
        "count": 3,
        "share": 0.5,
        "urgent": True,
        "when": "2026-01-31T12:00:00Z",
        "words": {"a": "b"},
    }


def test_a_whole_message_can_be_one_json_object(type_: Type):
    content = '{"account": "A-1", "amount": "3"}'
    assert type_("send", "Deposit", content).exit_code == 0
    assert type_("send", "Deposit", "--fields", content).exit_code == 0
    assert type_("send", "Deposit", "--fields", "-", input=content).stdout == "✓ Deposited at position 7\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["Deposit", "account=A-1", "amount=ten"], "Deposit.amount: expected Decimal, found 'ten'"),
        (["Deposit", "account=A-1", "amount=NaN"], "amount"),
        (["Deposit", "account=A-1"], "amount"),
        (["Deposit", "account=", "amount=1"], "empty"),
        (["Deposit", "account=A-1", "amount=1", "amount=2"], "given twice"),
        (["Deposit", "account=A-1", "amount=1", "colour=red"], "its fields are account (str), amount (Decimal)"),
        (["Deposit", "A-1"], "expected field=value, found 'A-1'"),
        (["Deposit", '{"account":"A-1","amount":1.5}'], 'write it as text: "1.5"'),
        (["Deposit", "{"], "Deposit"),
        (["Deposit", "account=A-1", "--fields", "{}"], "not both"),
        (["Deposit", "--fields", "-"], "no UTF-8"),
        (["Note", "accounts=[", "count=1", "share=1", "urgent=true"], "Note"),
        (["Note", "accounts=[]", "count=one", "share=1", "urgent=true"], "Note.count"),
        (["Steal"], "no command is called 'Steal'; known: Deposit, Note, Open"),
        (["Deposit", "account=A-1", "amount=1", "--effective-at", "2026-01-31T12:00"], "with its zone"),
        (["Deposit", "account=A-1", "amount=1", "--effective-at", "yesterday"], "expected a time like"),
        (["Deposit", "account=A-1", "amount=1", "--id", ""], "1 to 1000 characters"),
        (["Deposit", "account=A-1", "amount=1", "--reason", ""], "reason"),
        (["Deposit", "account=A-1", "amount=1", "--app", "bank"], "MODULE:ATTRIBUTE"),
        (["Deposit", "account=A-1", "amount=1", "--app", "no_such_module:bank"], "cannot be imported"),
        (["Deposit", "account=A-1", "amount=1", "--app", "tests.unit.cli.bank:nothing"], "found a str"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(type_: Type, journal: Path, words: list[str], says: str):
    result = type_("send", *words, input=b"\xff\xfe")
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert head_of(journal) == 4


def head_of(journal: Path) -> int:
    store = SqliteStore(journal, read_only=True)
    try:
        return store.head()
    finally:
        store.close()


texts = st.text(max_size=30) | st.sampled_from(
    ["1e999999", "-0", "[[[[", '{"a":', "null", "\ud800", "١٢", "=", "Infinity"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(["Deposit", "Note", "Open"]),
    fields=st.dictionaries(
        st.sampled_from(["account", "amount", "owner", "accounts", "count", "share", "urgent", "when", "words", "x"]),
        texts,
        max_size=7,
    ),
    bare=st.lists(texts, max_size=1),
)
def test_whatever_is_typed_is_decided_or_refused_in_words(
    type_: Type, journal: Path, command: str, fields: dict[str, str], bare: list[str]
):
    before = head_of(journal)
    words = [f"{name}={text}" for name, text in fields.items()] + bare
    result = type_("send", command, "--", *words)
    assert result.exit_code in (0, 1, 2)
    assert result.exit_code == 0 or result.stderr
    assert head_of(journal) == before + (result.exit_code != 2)


def test_a_question_is_answered_with_rows(type_: Type):
    result = type_("ask", "Richest", "at_least=1")
    assert result.stdout.split() == ["account", "owner", "balance", "A-1", "Léa", "Dupré", "12.50"]
    assert lines_of(type_("ask", "Owners", "--json")) == ["Léa Dupré", "王小明"]
    assert type_("ask", "Owners").stdout == '"Léa Dupré"\n"王小明"\n'
    assert type_("ask", "Richest", "at_least=1000").stdout == "nothing\n"


def test_a_page_says_where_the_next_one_begins(type_: Type):
    first = type_("ask", "Richest", "at_once=1", "--json")
    (one,), said = lines_of(first), first.stderr.strip()
    assert said.startswith("there is more: the cursor of the next page is ")
    second = type_("ask", "Richest", "at_once=1", f"after={said.rsplit(' ', 1)[1]}", "--json")
    (other,) = lines_of(second)
    assert one["account"] != other["account"]


def test_a_question_makes_no_journal(type_: Type, tmp_path: Path):
    result = type_("ask", "Richest", "--journal", str(tmp_path / "no"))
    assert (result.exit_code, "there is no journal" in result.stderr) == (4, True)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_application_keeps_views_and_ends_cleanly(type_: Type, journal: Path, number: signal.Signals):
    with subprocess.Popen(
        [sys.executable, "-m", "actum.cli", "run", "tests.unit.cli.bank:bank", "--journal", str(journal), "--json"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith('{"running":"bank"')
        assert type_("send", "Deposit", "account=A-1", "amount=1").exit_code == 0
        running.send_signal(number)
        rest, complaints = running.communicate(timeout=20)
    assert (rest, complaints, running.returncode) == ('{"stopped":5}\n', "", 0)
