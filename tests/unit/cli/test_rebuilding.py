"""A view is rebuilt, compared, switched and gone back from in the shell."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner, Result

from actum.cli.main import main
from tests.unit.cli.conftest import Type, lines_of

NEWER = """
from decimal import Decimal
from actum import App, View
from tests.unit.cli.bank import AccountId, Deposited, Noted, Opened

bank = App("bank")
bank.knows(Noted)

@bank.view
class Balance(View, table="balances", version=2):
    account: AccountId
    owner: str = ""
    balance: Decimal = Decimal(0)

    def evolve(self, event: Opened | Deposited) -> None:
        if isinstance(event, Opened):
            self.owner = event.owner.upper()
        else:
            self.balance += event.amount
"""


@pytest.fixture
def newer(journal: Path, type_: Type, monkeypatch: pytest.MonkeyPatch) -> Iterator[Type]:
    """Somebody who types with the newer program, on a journal whose views an older one has kept."""
    type_("views", "digest")
    (journal.parent / "newer_bank.py").write_text(textwrap.dedent(NEWER), encoding="utf-8")
    monkeypatch.syspath_prepend(str(journal.parent))

    def typed(*words: str, **env: str | None) -> Result:
        settings = {"ACTUM_JOURNAL": str(journal), "ACTUM_APP": "newer_bank:bank", "ACTUM_ACTOR": "ops-1"}
        return CliRunner().invoke(main, words, env=settings | env, catch_exceptions=False)

    return typed


def test_a_view_is_rebuilt_compared_switched_and_gone_back_from(newer: Type):
    built = newer("views", "rebuild", "Balance")
    assert (built.exit_code, "version 2" in built.stdout, "is candidate" in built.stdout) == (0, True, True)
    compared = newer("views", "diff", "Balance")
    assert compared.exit_code == 1
    assert "rows: 0 added, 0 removed, 1 changed" in compared.stdout
    assert "LÉA DUPRÉ" in compared.stdout
    assert "version 1 is not at hand" in compared.stderr
    switched = newer("views", "switch", "Balance", "--reason", "in capitals")
    assert (switched.exit_code, "version 2" in switched.stdout) == (0, True)
    assert "LÉA DUPRÉ" in newer("views", "show", "Balance").stdout
    back = newer("views", "rollback", "Balance")
    assert (back.exit_code, "--behind" in back.stderr or "behind=True" in back.stderr) == (2, True)
    assert newer("views", "rollback", "Balance", "--behind").exit_code == 0
    assert "Léa Dupré" in newer("views", "show", "Balance").stdout


def test_the_events_are_named_where_the_older_program_is_at_hand(newer: Type):
    newer("views", "rebuild", "Balance")
    for given in (("--old", "tests.unit.cli.bank:bank"), ("--old", "tests.unit.cli.bank:bank", "--old-path", ".")):
        result = newer("views", "diff", "Balance", *given, "--json")
        summary, row = lines_of(result)
        assert (summary["changed"], summary["equal"], summary["cells"]) == (1, False, {"owner": 1})
        (cell,) = row["cells"]
        assert (cell["since"]["position"], cell["since"]["type"], cell["since"]["actor"]) == (1, "Opened", "teller-7")
    assert "1 Opened by teller-7" in newer("views", "diff", "Balance", "--old", "tests.unit.cli.bank:bank").stdout


def test_an_older_program_is_found_in_a_folder_of_its_own(newer: Type, journal: Path, tmp_path: Path):
    """The same module name, twice: the older one lies elsewhere."""
    newer("views", "rebuild", "Balance", "--switch")
    changed = textwrap.dedent(NEWER).replace("version=2", "version=3").replace("owner.upper()", "owner.lower()")
    older = tmp_path / "older"
    older.mkdir()
    (journal.parent / "newer_bank.py").rename(older / "newer_bank.py")
    (journal.parent / "newest_bank.py").write_text(changed, encoding="utf-8")
    assert newer("views", "rebuild", "Balance", ACTUM_APP="newest_bank:bank").exit_code == 0
    result = newer(
        "views",
        "diff",
        "Balance",
        "--old-path",
        str(older),
        "--old",
        "newer_bank:bank",
        "--json",
        ACTUM_APP="newest_bank:bank",
    )
    _, row = lines_of(result)
    assert [(cell["live"], cell["candidate"], cell["since"]["position"]) for cell in row["cells"]] == [
        ("LÉA DUPRÉ", "léa dupré", 1)
    ]


def test_where_nothing_differs_the_exit_code_is_0(newer: Type, type_: Type):
    type_("views", "rebuild", "Balance")
    result = type_("views", "diff", "Balance")
    assert (result.exit_code, "nothing differs" in result.stdout) == (0, True)


def test_only_what_was_compared_is_switched_to_where_a_digest_is_said(newer: Type):
    newer("views", "rebuild", "Balance")
    (summary, _) = lines_of(newer("views", "diff", "Balance", "--json"))
    wrong = newer("views", "switch", "Balance", "--diffed", "0" * 16)
    assert (wrong.exit_code, "compare again" in wrong.stderr) == (2, True)
    assert newer("views", "switch", "Balance", "--diffed", summary["candidate"]["digest"]).exit_code == 0


def test_some_rows_are_built_anew_compared_and_put_in_place(type_: Type, journal: Path):
    type_("views", "digest")
    same = type_("views", "rebuild-rows", "Balance", "--tag", "account:A-1", "--since", "1", "--until", "1h")
    assert (same.exit_code, "as of position 0" in same.stdout) == (0, True), "an hour ago there were no events"
    (version,) = lines_of(type_("views", "versions", "Balance", "--json"))
    with closing(sqlite3.connect(journal.with_suffix(".views.db"))) as connection, connection:
        connection.execute(f"UPDATE {version['table']} SET owner = 'nobody'")
    found = type_("views", "rebuild-rows", "Balance", "--key", "A-1")
    assert (found.exit_code, "rows: 0 added, 0 removed, 1 changed" in found.stdout) == (1, True)
    assert "--switch puts them in place" in found.stderr
    put = type_("views", "rebuild-rows", "Balance", "--key", "A-1", "--switch", "--reason", "a bad disk", "--json")
    told, row = lines_of(put)
    assert (put.exit_code, told["built"], told["changed"], told["on_record"]) == (0, 1, 1, 5)
    assert row["key"] == ["A-1"]
    assert "Léa Dupré" in type_("views", "show", "Balance", "A-1").stdout
    assert "nobody" in type_("views", "show", "Balance", "A-2").stdout
    rest = type_("views", "rebuild-rows", "Balance", "--since", "1", "--switch")
    assert "2 rows are in place; on record at position 6" in rest.stdout
    nothing = type_("views", "rebuild-rows", "Balance")
    assert (nothing.exit_code, "expected some rows" in nothing.stderr) == (2, True)


def test_versions_are_listed_and_a_candidate_is_given_up(newer: Type):
    newer("views", "rebuild", "Balance")
    listed = lines_of(newer("views", "versions", "Balance", "--json"))
    assert [(each["version"], each["role"], each["mine"]) for each in listed] == [
        (1, "live", False),
        (2, "candidate", True),
    ]
    assert "candidate" in newer("views", "versions", "Balance").stdout
    given_up = newer("views", "cancel", "Balance", "--reason", "no", "--json")
    assert lines_of(given_up)[0]["on_record"] == 5
    assert len(lines_of(newer("views", "versions", "Balance", "--json"))) == 1


def test_a_view_that_has_changed_is_named_in_the_list(newer: Type):
    listed = newer("views", "list")
    assert "Balance is kept by version 1" in listed.stderr
    assert "this program has version 2" in listed.stderr


def test_without_a_candidate_there_is_nothing_to_compare(newer: Type):
    for words in (("diff", "Balance"), ("switch", "Balance"), ("cancel", "Balance"), ("rollback", "Balance")):
        result = newer("views", *words)
        assert (result.exit_code, result.stdout) == (2, "")


def test_a_folder_that_is_not_there_is_said_to_be_so(newer: Type):
    newer("views", "rebuild", "Balance")
    result = newer("views", "diff", "Balance", "--old-path", "nowhere")
    assert (result.exit_code, "no folder nowhere" in result.stderr) == (2, True)


FLOWS = """
from actum import App
from tests.unit.cli.bank import Deposited, Noted, Opened

def declared(version):
    bank = App("bank")
    bank.knows(Noted, Opened)

    @bank.projection(version=version, begin=lambda db: db.execute("CREATE TABLE deposits (account TEXT PRIMARY KEY, times INTEGER)"))
    def deposits(event: Deposited, db) -> None:
        db.execute(
            "INSERT INTO deposits VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET times = times + excluded.times",
            (event.account, version),
        )

    return bank

one, two = declared(1), declared(2)
"""


def test_a_projection_is_rebuilt_compared_switched_and_gone_back_from(newer: Type, journal: Path):
    (journal.parent / "flows_bank.py").write_text(textwrap.dedent(FLOWS), encoding="utf-8")
    views, where = journal.with_suffix(".views.db"), {"ACTUM_APP": "flows_bank:two"}
    assert newer("views", "digest", ACTUM_APP="flows_bank:one").exit_code == 0
    older = _deposits(views)
    assert older
    built = newer("views", "rebuild", "deposits", **where)
    assert (built.exit_code, "deposits: version 2" in built.stdout) == (0, True)
    compared = newer("views", "diff", "deposits", "--old", "flows_bank:one", **where)
    assert compared.exit_code == 1
    assert f"rows: 0 added, 0 removed, {len(older)} changed" in compared.stdout
    assert "deposits.times" in compared.stdout
    assert "deposited" in compared.stdout.lower()
    switched = newer("views", "switch", "deposits", **where)
    assert "deposits: version 2" in switched.stdout
    assert _deposits(views) == {account: 2 * times for account, times in older.items()}
    back = newer("views", "rollback", "deposits", "--behind", **where)
    assert "deposits: version 1" in back.stdout, back.stderr
    assert _deposits(views) == older


def _deposits(views: Path) -> dict[str, int]:
    connection = apsw.Connection(str(views), flags=apsw.SQLITE_OPEN_READONLY)
    found: dict[str, int] = dict(connection.execute("SELECT account, times FROM deposits"))  # type: ignore[arg-type]
    connection.close()
    return found
