"""Letting programs and people in from the command line; secrets are shown once, or read from a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from actum.cli.main import main
from actum.http.identities import Identities
from actum.http.policy import Policy


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "identities.db")


def run(*words: str, typed: str | None = None) -> str:
    result = CliRunner().invoke(main, words, input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_token_is_shown_once_listed_without_its_secret_and_revoked(path: str):
    common = ("--identities", path, "--actor", "boss")
    token = run("tokens", "create", "till-7", "--role", "teller", "--days", "3", *common).strip()
    said = json.loads(run("tokens", "create", "audit-1", "--permission", "events:read", *common, "--json"))
    with Identities(path) as known:
        assert known.bearer(token, Policy(roles={"teller": ("views:*",)})).permissions == {"views:*"}
    listed = run("tokens", "list", "--identities", path)
    assert "till-7" in listed
    assert token.split("_", 2)[2] not in listed
    run("tokens", "revoke", said["id"], *common)
    rows = [json.loads(line) for line in run("tokens", "list", "--identities", path, "--json").splitlines()]
    assert {row["name"]: row["revoked"] for row in rows} == {"till-7": False, "audit-1": True}
    assert not any("digest" in row for row in rows)


def test_a_user_is_added_with_a_password_from_a_pipe_listed_and_removed(path: str):
    common = ("--identities", path, "--actor", "boss")
    run("users", "add", "ada", "--role", "teller", *common, typed="correct horse battery\n")
    with Identities(path) as known:
        assert known.check("ada", "correct horse battery").roles == ("teller",)
    run("users", "password", "ada", *common, typed="another horse battery\n")
    with Identities(path) as known:
        known.check("ada", "another horse battery")
    assert run("users", "list", "--identities", path) == "ada  teller\n"
    assert json.loads(run("users", "list", "--identities", path, "--json")) == {
        "user": "ada",
        "roles": ["teller"],
        "tenant": None,
    }
    run("users", "remove", "ada", *common)
    assert run("users", "list", "--identities", path) == ""


def test_a_password_that_is_too_short_is_said_to_be_so(path: str):
    words = ["users", "add", "ada", "--identities", path, "--actor", "boss"]
    result = CliRunner().invoke(main, words, input="short\n")
    assert result.exit_code == 2
    assert "12 to 1000 characters, found 5" in result.stderr
