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
