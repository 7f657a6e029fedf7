"""A system names its contexts and services, and says where each keeps what it knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from actum import App, Invalid, Misdeclared, System, Unknown
from actum.service.part import Part
from actum.service.system import system_of
from tests.unit.process.payouts import a_bank
from tests.unit.projection.bank import bank


def test_an_application_alone_is_a_system_of_one_context():
    alone = system_of(bank)
    assert (alone.name, list(alone.contexts)) == ("bank", ["bank"])
    assert system_of(alone) is alone


def test_the_services_are_the_parts_of_each_context_by_name():
    names = [service.name for service in System("both", App("empty"), bank).services]
    assert names[0] == "empty/queries"
    assert [name for name in names if name.startswith("bank/")][-1] == "bank/queries"
    assert System("one", a_bank()).service("bank/processes").part is Part.PROCESSES
    with pytest.raises(Unknown, match="bank/queries"):
        System("one", bank).service("bank/quarries")
    with pytest.raises(Unknown):
        System("one", bank).app("shop")


def test_journals_lie_in_one_folder_or_in_one_database(tmp_path: Path):
    system = System("two", App("accounts"), App("Saving-Plans"))
    files = system.places(tmp_path)
    assert files["accounts"].journal == str(tmp_path / "accounts.actum")
    assert files["accounts"].read_database == str(tmp_path / "accounts.views.db")
    schemas = system.places(tmp_path, store="postgresql://localhost/d?sslmode=disable")
    assert schemas["Saving-Plans"].journal == "postgresql://localhost/d?sslmode=disable&journal=saving_plans"
    with pytest.raises(Invalid, match="postgresql"):
        system.places(tmp_path, store="mysql://localhost")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: System("a b", bank), "letters, digits"),
        (lambda: System("empty"), "at least one"),
        (lambda: System("twice", bank, bank), "two contexts are called bank"),
        (lambda: System("taken", App("console")), "stands for something else"),
        (lambda: System("wrong", "bank"), "expected applications"),
        (lambda: System("older", bank, older={"shop": bank}), "older names 'shop'"),
        (lambda: System("schemas", App("a-b"), App("a_b")), "one schema"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(make: Callable[[], System], says: str):
    with pytest.raises(Misdeclared, match=says):
        make()
