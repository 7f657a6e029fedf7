"""Whether an application is what it is given, from the shell."""

from __future__ import annotations

from click.testing import CliRunner

from actum.cli.main import main
from tests.unit.cli.conftest import lines_of


def test_what_depends_on_nothing_else_passes():
    result = CliRunner().invoke(main, ["check", "--app", "tests.unit.cli.payouts:payouts"], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (0, "✓ nothing depends on anything but what it is given\n")


def test_what_reaches_for_a_clock_is_named_with_what_to_do_instead():
    words = ["check", "--app", "tests.unit.cli.payouts:impure", "--json"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    (found,) = lines_of(result)
    assert result.exit_code == 1
    assert found["where"] == "Nervous.react"
    assert "occasion.now" in found["advice"]
    assert "✗ Nervous.react" in CliRunner().invoke(main, words[:-1], catch_exceptions=False).stdout
