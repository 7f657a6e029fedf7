"""A journal of the bank, and somebody at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actum.cli.main import main
from tests.unit.cli.bank import Deposit, Open, bank
from tests.unit.cli.payouts import Ask, payouts

Type = Callable[..., Result]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Four events: two accounts opened, a deposit, a refusal."""
    path = tmp_path / "bank.db"
    with bank.open(path, actor="teller-7", follow=False) as running:
        running.execute(Open(account="A-1", owner="Léa Dupré"))
        running.execute(Open(account="A-2", owner="王小明"), actor="teller-8")
        running.execute(Deposit(account="A-1", amount=Decimal("12.50")), reason="guichet de Genève")
        with pytest.raises(Exception, match="no such account"):
            running.execute(Deposit(account="A-9", amount=Decimal(1)))
    return path


@pytest.fixture
def type_(journal: Path) -> Type:
    """Type a line into a shell where the journal and the application are said."""
    settings = {"ACTUM_JOURNAL": str(journal), "ACTUM_APP": "tests.unit.cli.bank:bank", "ACTUM_ACTOR": "teller-7"}

    def type_(*words: str, input: str | bytes | None = None, **env: str | None) -> Result:
        return CliRunner().invoke(main, words, input=input, env=settings | env, catch_exceptions=False)

    return type_


@pytest.fixture
def shell(tmp_path: Path) -> Type:
    """A shell where three payouts were asked for: one is done, one is parked, of one nobody knows."""
    journal = tmp_path / "payouts.db"
    with payouts.open(journal, actor="web", follow=False) as running:
        for name in ("good", "bad", "doubtful"):
            running.execute(Ask(payout=name))
        running.processes.catch_up()
    settings = {
        "ACTUM_JOURNAL": str(journal),
        "ACTUM_APP": "tests.unit.cli.payouts:payouts",
        "ACTUM_ACTOR": "ops",
        "COLUMNS": "200",
    }
    return lambda *words: CliRunner().invoke(main, words, env=settings, catch_exceptions=False)


def lines_of(result: Result) -> list[Any]:
    """The machine-readable lines of an answer."""
    return [json.loads(line) for line in result.stdout.splitlines()]
