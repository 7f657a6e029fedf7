"""The journal as it scrolls by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.house import ROOT
from tests.unit.cli.conftest import Type, lines_of


def shown(type_: Type, *words: str) -> list[int]:
    return [event["position"] for event in lines_of(type_("tail", "--no-follow", "--json", *words))]


def test_the_last_events_are_shown_one_line_each(type_: Type):
    result = type_("tail", "--no-follow")
    rule, *rows = result.stdout.splitlines()
    assert rule.startswith("── 20")
    assert [row[12:].split() for row in rows] == [
        ["1", "Opened", "account:A-1", "teller-7", "owner=“Léa", "Dupré”"],
        ["2", "Opened", "account:A-2", "teller-8", "owner=王小明"],
        ["3", "Deposited", "account:A-1", "teller-7", "amount=12.50", "—", "guichet", "de", "Genève"],
        [
            "4",
            "refused",
            "account:A-9",
            "teller-7",
            "Deposit:",
            "there",
            "is",
            "no",
            "such",
            "account",
            "(account=A-9)",
        ],
    ]


def test_filters_choose_by_type_tag_actor_and_position(type_: Type):
    assert shown(type_, "--type", "Opened") == [1, 2]
    assert shown(type_, "--type", "Opened", "--type", "Deposited") == [1, 2, 3]
    assert shown(type_, "--tag", "account:A-1") == [1, 3]
    assert shown(type_, "--actor", "teller-8") == [2]
    assert shown(type_, "--after", "2") == [3, 4]
    assert shown(type_, "-n", "1") == [4]
    assert shown(type_, "-n", "0") == []
    assert shown(type_, "--tag", "account:A-1", "-n", "1") == [3]
    assert shown(type_, "--since", "1h") == [1, 2, 3, 4]
    assert shown(type_, "--since", "2999-01-01T00:00:00Z") == []


def test_the_machine_readable_line_has_the_whole_envelope(type_: Type):
    event = lines_of(type_("tail", "--no-follow", "--json", "--tag", "account:A-1"))[1]
    assert event["data"] == {"account": "A-1", "amount": "12.50"}
    assert event["tags"] == ["account:A-1"]
    assert event["metadata"]["actor"] == "teller-7"
    assert event["metadata"]["reason"] == "guichet de Genève"
    assert {"position", "id", "type", "version", "recorded"} <= event.keys()


def test_no_application_is_needed(type_: Type):
    assert type_("tail", "--no-follow", ACTUM_APP=None).exit_code == 0


def test_a_journal_that_is_not_there_is_not_made(type_: Type, tmp_path: Path):
    result = type_("tail", "--journal", str(tmp_path / "no"))
    assert (result.exit_code, list(tmp_path.glob("no*"))) == (4, [])


def test_what_another_program_writes_is_shown_at_once(type_: Type, journal: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "actum.cli", "tail", "--journal", str(journal), "--json", "-n", "1"],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert '"position":4' in watching.stdout.readline()
        for position in (5, 6):
            type_("send", "Deposit", "account=A-1", "amount=1")
            assert f'"position":{position}' in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        rest, complaints = watching.communicate(timeout=20)
    assert (rest, complaints, watching.returncode) == ("", "", 130)


def test_a_reader_who_has_seen_enough_ends_it_in_silence(journal: Path):
    done = subprocess.run(
        f"{sys.executable} -m actum.cli tail --journal {journal} --no-follow --json | head -c 10",
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
