"""Completion for the shell."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.unit.cli.conftest import Type


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_for_this_program(type_: Type, shell: str):
    result = type_("completion", shell)
    assert result.exit_code == 0
    assert "_ACTUM_COMPLETE" in result.stdout


def test_a_shell_that_asks_is_told_the_verbs():
    environment = os.environ | {"_ACTUM_COMPLETE": "bash_complete", "COMP_WORDS": "actum ve", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "actum.cli"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "plain,verify"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("actum send De", "Deposit"),
        ("actum ask R", "Richest"),
        ("actum entity Acc", "Account"),
        ("actum views show Bal", "Balance"),
        ("actum send --app nobody:nothing De", ""),
    ],
)
def test_a_shell_that_asks_is_told_the_names_in_the_application(words: str, told: str):
    context = {"ACTUM_APP": "tests.unit.cli.bank:bank", "COMP_CWORD": str(len(words.split()) - 1)}
    environment = os.environ | {"_ACTUM_COMPLETE": "bash_complete", "COMP_WORDS": words} | context
    done = subprocess.run(
        [sys.executable, "-m", "actum.cli"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == (f"plain,{told}" if told else "", "")
