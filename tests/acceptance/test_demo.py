"""The demonstration plays to its end, says what it promises, and leaves what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.house import ROOT

DEMO = [sys.executable, "-m", "examples.demo"]


def played(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*DEMO, "--fast", "--folder", folder, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_day_is_told_in_two_languages(tmp_path: Path):
    told = played(tmp_path / "demo")
    assert re.search(
        r"^\d\d:\d\d:\d\d\.\d{3} +1 Opened +account:FR-\S+ counter-1 +.+ ouvre un compte", told, re.MULTILINE
    )
    assert re.search(r"Deposited +account:EN-\S+ counter-2 +.+ pays in €[\d,]+\.\d\d \(", told)
    assert re.search(r"Transferred +account:FR-\S+ app-fr-\S+ +.+ vire .+,\d\d € à ", told)
    assert "actum.refused" in told
    assert "\033[" not in told


def test_the_read_database_is_deleted_and_comes_back_identical(tmp_path: Path):
    told = played(tmp_path / "demo")
    before, after = re.findall(r"^digest (?:before|after) .+ (\S{32})…$", told, re.MULTILINE)
    assert before == after
    assert re.search(r"^deleted · supprimé +bank\.views\.db$", told, re.MULTILINE)
    assert re.search(r"^rebuilt · reconstruite +\d+ events in \d+ ms$", told, re.MULTILINE)
    assert "identical · identique" in told


def test_a_refusal_is_explained_with_who_what_why_and_the_evidence(tmp_path: Path):
    told = played(tmp_path / "demo")
    assert re.search(r"^who · qui +app-\S+, \d{4}-", told, re.MULTILINE)
    assert re.search(
        r'^what · quoi +Transfer@1 \{"source":"\S+","target":"\S+","amount":"[\d.]+"\}', told, re.MULTILINE
    )
    assert re.search(r"^why not · pourquoi +insufficient funds \(balance=[\d.]+, wanted=[\d.]+\)$", told, re.MULTILINE)
    assert re.search(r"^decided by · règle +transfer@1, of demo-bank@1", told, re.MULTILINE)
    assert len(re.findall(r"^evidence · preuve +account:\S+: .+ up to position \d+$", told, re.MULTILINE)) == 2


def test_the_commands_it_ends_with_work_on_the_journal_it_leaves(tmp_path: Path):
    told = played(tmp_path / "demo")
    settings = dict(re.findall(r"(ACTUM_\w+)=(\S+)", told))
    assert Path(settings["ACTUM_JOURNAL"]).is_file()
    commands = re.findall(r"^  (\S*actum .+)$", told, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        if not command.endswith("tail"):  # which follows for ever
            done = subprocess.run(
                command, shell=True, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, done.stdout + done.stderr


def test_after_an_interruption_nothing_is_left_behind(tmp_path: Path):
    folder = tmp_path / "demo"
    playing = subprocess.Popen([*DEMO, "--folder", folder], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert playing.stdout is not None
    assert any("Opened" in line for line in playing.stdout)
    playing.send_signal(signal.SIGINT)
    rest = playing.stdout.read()
    assert playing.wait(timeout=30) == 130
    assert "nothing is left behind · arrêté, il ne reste rien" in rest
    assert not folder.exists()
    playing.stdout.close()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    done = subprocess.run([*DEMO, "--folder", tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "expected an empty folder" in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"
