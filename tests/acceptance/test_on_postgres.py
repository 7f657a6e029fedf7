"""All of it over PostgreSQL: the demo, the ledger, every verb of the command line, scenarios, copies and backups."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from actum.cli.main import main as actum
from actum.console import console
from actum.journal.errors import Busy, ReadOnly, Unavailable
from actum.service.opening import open_store
from actum.stores.postgres.address import address_of
from actum.testing import given, memory, postgresql, sqlite
from actum.testing.postgres import Installation, installations, postgres_server, standby_of, with_journal
from examples.ledger.__main__ import main as ledger
from tests.acceptance.records import excerpt
from tests.house import ROOT
from tests.unit.cli.bank import Balance, Deposit, Deposited, Open, Opened, bank


@pytest.fixture
def url(each_postgres: str) -> str:
    return with_journal(each_postgres, f"t{uuid.uuid4().hex[:12]}")


def typed(journal: str, *words: str, code: int = 0, **env: str) -> str:
    """What a verb prints."""
    settings = {
        "ACTUM_JOURNAL": journal,
        "ACTUM_APP": "tests.unit.cli.bank:bank",
        "ACTUM_ACTOR": "teller-7",
        "NO_COLOR": "1",
    }
    result: Result = CliRunner().invoke(actum, words, env=settings | env, catch_exceptions=False)
    assert result.exit_code == code, (words, result.output)
    return result.stdout


def test_every_verb_of_the_command_line_works_on_it(url: str, tmp_path: Path):
    assert "✓ created" in typed(url, "journal", "create")
    assert "position 1" in typed(url, "send", "Open", "account=A-1", "owner=Léa")
    typed(url, "send", "Deposit", "account=A-1", "amount=12.50", "--id", "slip 1")
    typed(url, "send", "Deposit", "account=A-9", "amount=1.00", code=1)
    assert "no such account" in typed(url, "events", "list")
    assert "slip 1" in typed(url, "events", "show", "2") or "Deposited" in typed(url, "events", "show", "2")
    assert "Deposited" in typed(url, "tail", "--no-follow")
    assert "12.50" in typed(url, "ask", "Richest", "at_least=1")
    assert "balance" in typed(url, "entity", "Account", "A-1")
    assert "12.50" in typed(url, "state", "Account", "A-1")
    assert "balances" in typed(url, "views", "list")
    assert "balance = 12.50" in typed(url, "explain", "Balance", "A-1", "balance", "--at", "2")
    (found,) = typed(url, "search", "type:Deposited", "--json", "--index", str(tmp_path / "found.db")).splitlines()
    command = json.loads(found)["metadata"]["command"]
    assert "Deposited" in typed(url, "story", command, "--index", str(tmp_path / "found.db"))
    assert "Léa" in typed(url, "views", "show", "Balance")
    before = typed(url, "views", "digest")
    typed(url, "views", "rebuild", "Balance")
    assert typed(url, "views", "digest") == before
    assert "✓ sound: 3 events, 3 decisions" in typed(url, "verify", "--decisions")
    file, copy = str(tmp_path / "journal.ndjson"), str(tmp_path / "copy.db")
    assert "✓ exported: 3 events" in typed(url, "export", file)
    assert "✓ imported: 3 events" in typed(copy, "import", file)
    assert "was up to date" in typed(url, "journal", "migrate")
    found = json.loads(typed(url, "journal", "inspect", "--json"))
    rebuilt = "balances (version 1, candidate)"
    assert (found["head"], found["recent"], found["views"]["behind"]) == (3, 3, {"balances": 0, rebuilt: 0})
    assert found["size"]["engine"].startswith("PostgreSQL 1")
    assert {"events", "decisions"} <= {part["name"] for part in found["size"]["parts"]}
    assert typed(copy, "views", "digest") == before


def test_the_console_looks_at_it(url: str):
    with bank.open(url, actor="teller-7") as running:
        running.execute(Open(account="A-1", owner="Léa"))
        done = running.execute(Deposit(account="A-1", amount=Decimal("12.50")), reason="rent")
        running.wait_for(done.position)
        app = console({"bank": running})
        with TestClient(app, base_url="http://localhost") as client:
            app.house.searches["bank"].catch_up()
            for address, says in (
                ("/live", "12.50"),
                ("/search?q=rent", "Deposited"),
                ("/bank/events/2", "deposit@1"),
                ("/bank/things/Balance/A-1", "12.50"),
                ("/bank/explain/Balance/A-1/balance", "Exact."),
                ("/views", "up to date"),
                ("/bank/views/Balance", "Build beside"),
            ):
                answer = client.get(address)
                assert (address, answer.status_code, says in answer.text) == (address, 200, True)


def test_a_journal_goes_from_a_file_to_postgres_and_back_and_is_the_same_to_the_byte(url: str, tmp_path: Path):
    there, back = str(tmp_path / "there.db"), str(tmp_path / "back.db")
    with bank.open(there, actor="teller-7", follow=False) as running:
        running.execute(Open(account="A-1", owner="王小明"))
        for number in range(40):
            running.execute(Deposit(account="A-1", amount=Decimal(number + 1)), id=f"slip {number}")
    for source, target in ((there, url), (url, back)):
        assert "✓ copied and compared: 41 events, 41 decisions" in typed(source, "journal", "copy", source, target)
        assert "✓ sound: 41 events, 41 decisions" in typed(target, "verify", "--decisions")
    archives = [typed(place, "export", "-") for place in (there, url, back)]
    assert archives[0] == archives[1] == archives[2]
    with bank.open(url, actor="teller-7", follow=False) as running:
        assert running.execute(Deposit(account="A-1", amount=Decimal(1)), id="slip 0").repeated
        running.execute(Deposit(account="A-1", amount=Decimal(1)))
    assert "✓ copied and compared: 42 events" in typed(url, "journal", "copy", url, back)


def test_a_scenario_runs_on_it_beside_the_other_stores():
    given(bank, Opened(account="A-1", owner="Léa"), stores=(memory, sqlite, postgresql)).when(
        Deposit(account="A-1", amount=Decimal(5))
    ).then(Deposited(account="A-1", amount=Decimal(5)))


def test_the_demo_plays_on_it_and_the_commands_it_ends_with_work(url: str):
    demo = [sys.executable, "-m", "examples.demo", "--fast", "--journal", url]
    done = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical · identique" in done.stdout
    assert re.search(r"^deleted · supprimé +schema t\w+_views$", done.stdout, re.MULTILINE)
    commands = re.findall(r"^  (\S*actum .+)$", done.stdout, re.MULTILINE)
    assert len(commands) == 4
    settings = os.environ | {"ACTUM_APP": "examples.demo:bank", "ACTUM_JOURNAL": url}
    for command in commands:
        if not command.endswith("tail"):  # which follows for ever
            one = subprocess.run(
                command, shell=True, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120
            )
            assert one.returncode == 0, one.stdout + one.stderr
    again = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (again.returncode, "expected nothing at" in again.stderr) == (2, True)


def test_every_stated_balance_of_the_ledger_is_met(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, transactions = excerpt(tmp_path)
    assert ledger(["--data", str(folder), "--journal", url]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["balances_checked"] == transactions
    assert (figures["mismatches"], figures["refused"], figures["duplicates"]) == (0, 0, 0)
    assert figures["digests_equal"] is True


def test_views_of_a_journal_in_a_file_can_lie_in_it(url: str, tmp_path: Path):
    with bank.open(tmp_path / "bank.db", actor="teller-7", read_database=url) as running:
        running.execute(Open(account="A-1", owner="Léa"))
        running.wait_for(running.execute(Deposit(account="A-1", amount=Decimal(5))).position)
        assert running.view(Balance).get("A-1") == Balance(account="A-1", owner="Léa", balance=Decimal(5))


# Backup and restore.


@pytest.mark.parametrize("installation", installations(), ids=lambda each: f"postgres{each.major}")
def test_a_dump_that_is_restored_is_the_same_journal_and_goes_on(installation: Installation, tmp_path: Path):
    dump = str(tmp_path / "bank.dump")
    with postgres_server(installation) as server:
        url = with_journal(server.url, "bank")
        with bank.open(url, actor="teller-7") as running:
            running.execute(Open(account="A-1", owner="Léa"), id="form 1")
            running.wait_for(running.execute(Deposit(account="A-1", amount=Decimal(5))).position)
            server.run("pg_dump", "--format=custom", "--schema=bank", f"--file={dump}", "actum")
            running.execute(Deposit(account="A-1", amount=Decimal(6)))
        archive = typed(url, "export", "-")
        restored = with_journal(server.create_database("restored"), "bank")
        server.run("pg_restore", "--dbname=restored", "--exit-on-error", dump)
        assert "✓ sound: 2 events, 2 decisions" in typed(restored, "verify", "--decisions")
        assert typed(restored, "export", "-").splitlines()[:4] == archive.splitlines()[:4]
        with bank.open(restored, actor="teller-7") as running:
            assert running.execute(Open(account="A-1", owner="Léa"), id="form 1").repeated
            running.wait_for(running.execute(Deposit(account="A-1", amount=Decimal(7))).position)
            assert running.view(Balance).get("A-1").balance == Decimal(12)


# A standby.


def test_a_standby_serves_readers_and_projections_and_turns_writers_away():
    with postgres_server() as server:
        url = with_journal(server.url, "bank")
        with bank.open(url, actor="teller-7") as primary:
            primary.execute(Open(account="A-1", owner="Léa"))
            with standby_of(server) as following:
                there = with_journal(following.url, "bank")
                at = primary.execute(Deposit(account="A-1", amount=Decimal(5))).position
                primary.wait_for(at)
                with bank.open(there, actor="reader") as standby:
                    heard = next(one for one in standby.follow() if one.position == at)
                    assert heard.event == Deposited(account="A-1", amount=Decimal(5))
                    standby.wait_for(at)
                    assert standby.view(Balance).get("A-1").balance == Decimal(5)
                    _told(following.url, "SELECT pg_wal_replay_pause()")
                    at = primary.execute(Deposit(account="A-1", amount=Decimal(2))).position
                    with pytest.raises(Busy, match="this standby has not received position 3"):
                        standby.wait_for(at, timeout=0.1)
                    _told(following.url, "SELECT pg_wal_replay_resume()")
                    standby.wait_for(at)
                    assert standby.view(Balance).get("A-1").balance == Decimal(7)
                    with pytest.raises(ReadOnly, match=r"read-only standby.*name the primary"):
                        standby.execute(Deposit(account="A-1", amount=Decimal(1)))
                with bank.open(
                    there, actor="reader", read_database=with_journal(server.url, "elsewhere")
                ) as projecting:
                    projecting.wait_for(at)
                    assert projecting.view(Balance).get("A-1").balance == Decimal(7)
                assert "✓ sound: 3 events" in typed(there, "verify", "--decisions")
                assert "this server is a standby" in typed(there, "journal", "inspect", "--json")
            assert primary.head() == 3


def _told(url: str, statement: str) -> None:
    """Have a server do something."""
    with closing(psycopg.connect(address_of(with_journal(url, "bank")).conninfo, autocommit=True)) as connection:
        connection.execute(statement.encode())


# Roles and secrets.


def test_an_admitted_role_does_its_work_and_cannot_touch_an_event(tmp_path: Path):
    with postgres_server() as server:
        url = with_journal(server.url, "bank")
        server.run("createuser", "clerk")
        typed(url, "journal", "create", "--admit", "clerk")
        as_clerk = with_journal(server.address("actum", role="clerk"), "bank")
        with bank.open(as_clerk, actor="teller-7") as running:
            running.execute(Open(account="A-1", owner="Léa"))
            running.wait_for(running.execute(Deposit(account="A-1", amount=Decimal(5))).position)
            assert running.view(Balance).get("A-1").balance == Decimal(5)
        with closing(psycopg.connect(address_of(as_clerk).conninfo, autocommit=True)) as connection:
            for wrong in ("UPDATE bank.events SET data = ''", "DELETE FROM bank.events", "DELETE FROM bank.decisions"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(wrong.encode())
        assert "✓ sound: 2 events, 2 decisions" in typed(as_clerk, "verify", "--decisions")


SECRET = "sesame/open@42"


def test_a_password_is_found_in_its_file_and_appears_nowhere(tmp_path: Path):
    settings = {"log_statement": "all", "log_connections": "on", "log_min_duration_statement": "0"}
    with postgres_server(tcp=True, password=SECRET, settings=settings) as server:
        passes = tmp_path / "passes"
        passes.write_text(f"127.0.0.1:{server.port}:*:actum:{SECRET}\n")
        passes.chmod(0o600)
        url = f"postgresql://actum@127.0.0.1:{server.port}/actum?journal=bank"
        environment = os.environ | {
            "PGPASSFILE": str(passes), "ACTUM_JOURNAL": url, "ACTUM_APP": "tests.unit.cli.bank:bank", "ACTUM_ACTOR": "me",
        }  # fmt: skip
        said = ""
        for words in (["journal", "create"], ["send", "Open", "account=A-1", "owner=x"], ["journal", "inspect"]):
            command = [sys.executable, "-m", "actum.cli", *words]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            said += done.stdout + done.stderr
        with subprocess.Popen(
            [sys.executable, "-m", "actum.cli", "run"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr
            said += running.stderr.readline()
            processes = b"".join(
                path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)
            ).decode(errors="replace")
            running.terminate()
            said += running.stderr.read()
        assert "runs on postgresql://actum@127.0.0.1" in said
        for place, text in {"output": said, "the server's log": server.log, "processes": processes}.items():
            assert SECRET not in text, place
            assert "sesame" not in text, place
        assert "UPDATE" in server.log or "append" in server.log, "the log has seen nothing"


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("postgresql://actum:{}@127.0.0.1:{}/actum", "password"),
        ("postgresql://nobody:{}@127.0.0.1:{}/actum", "password"),
        ("postgresql://actum:{}@127.0.0.1:{}/nowhere", "password"),
        ("postgresql://actum:{}@127.0.0.1:{}/actum?sslmode=require", "SSL"),
        ("postgresql://actum:{}@127.0.0.1:{}/actum?no_such_option=1", "cannot be read"),
    ],
)
def test_what_goes_wrong_in_connecting_is_said_without_the_secret(wrong: str, says: str):
    with postgres_server(tcp=True, password="right") as server, pytest.raises(Exception, match=says) as raised:
        open_store(wrong.format("sesame-open", server.port))
    error: BaseException | None = raised.value
    while error is not None:
        assert "sesame" not in str(error) + repr(error)
        error = error.__cause__


CERTIFICATES = Path(__file__).parent / "certificates"
"""Two certificates for localhost that sign themselves, and their keys, which are secret to nobody."""


def test_a_connection_is_encrypted_and_the_server_proves_who_it_is():
    """On the newest PostgreSQL that was built with OpenSSL; the packaged version 17 is one."""
    able = next(each for each in installations() if re.search(r"--with-(openssl|ssl=openssl)", each.configured))
    with postgres_server(able, tcp=True, password="right") as server:
        server.encrypt(key=CERTIFICATES / "server.key", certificate=CERTIFICATES / "server.crt")
        url = server.address("actum").replace("127.0.0.1", "localhost")
        trusted = f"{url}?sslmode=verify-full&sslrootcert={CERTIFICATES / 'server.crt'}"
        with bank.open(trusted, actor="teller-7") as running:
            running.execute(Open(account="A-1", owner="Léa"))
            with closing(psycopg.connect(trusted, autocommit=True)) as connection:
                query = (
                    b"SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'actum'"
                )
                assert connection.execute(query).fetchall() == [(True,)]
        with pytest.raises(Unavailable, match="certificate verify failed"):
            open_store(f"{url}?sslmode=verify-full&sslrootcert={CERTIFICATES / 'other.crt'}")
