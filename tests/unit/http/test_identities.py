"""Tokens and users: kept without their secrets, on record with who let them in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actum import Invalid, Refused
from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.register import TokenIssued, User
from actum.journal.errors import Denied

POLICY = Policy(roles={"teller": ("commands:*",)})


def test_a_token_opens_what_its_roles_and_permissions_say_until_it_is_revoked():
    with Identities("memory:") as known:
        token = known.issue("till-7", roles=["teller"], permissions=["views:Balance"], tenant="acme", actor="boss")
        known.running.catch_up()
        found = known.bearer(token, POLICY)
        assert (found.id, found.tenant, found.permissions) == ("till-7", "acme", {"commands:*", "views:Balance"})
        known.revoke(token.split("_")[1], actor="boss")
        known.running.catch_up()
        with pytest.raises(Denied):
            known.bearer(token, POLICY)


def test_a_token_is_nowhere_kept_and_who_gave_it_is_on_record(tmp_path: Path):
    path = tmp_path / "identities.db"
    with Identities(path) as known:
        token = known.issue("till-7", actor="boss")
        (event,) = known.running.events()
        assert (event.metadata.actor, type(event.event)) == ("boss", TokenIssued)
    assert token.split("_", 2)[2].encode() not in path.read_bytes()


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.upper(), lambda t: t.replace("actum", "other")]
)
def test_a_token_that_was_changed_opens_nothing(change: object):
    with Identities("memory:") as known:
        token = known.issue("till-7", actor="boss")
        known.running.catch_up()
        known.bearer(token, POLICY)
        with pytest.raises(Denied):
            known.bearer(change(token), POLICY)  # type: ignore[operator]


def test_a_token_is_good_until_it_expires():
    with Identities("memory:") as known:
        known.issue("till-7", days=1, actor="boss")
        (token,) = known.tokens()
        assert token.good(datetime.now(UTC))
        assert not token.good(datetime.now(UTC) + timedelta(days=1, seconds=1))


@pytest.mark.parametrize("days", [0, 367, -1])
def test_a_token_for_too_long_is_not_given(days: int):
    with Identities("memory:") as known, pytest.raises(Invalid, match="expected 1 to 366"):
        known.issue("till-7", days=days, actor="boss")


def test_a_permission_that_can_be_none_is_turned_down():
    with Identities("memory:") as known, pytest.raises(Invalid, match="is no permission"):
        known.issue("till-7", permissions=["Everything"], actor="boss")


def test_a_user_is_known_by_a_password_that_is_kept_as_argon2id_alone(tmp_path: Path):
    path = tmp_path / "identities.db"
    with Identities(path) as known:
        known.add_user("ada", "correct horse battery", roles=["teller"], actor="boss")
        known.running.catch_up()
        assert known.check("ada", "correct horse battery").roles == ("teller",)
        for name, password in (("ada", "correct horse"), ("ada", ""), ("bob", "correct horse battery"), ("", "")):
            with pytest.raises(Denied, match="the name or the password is wrong"):
                known.check(name, password)
        (kept,) = known.users()
        assert isinstance(kept, User)
        assert kept.password.startswith("$argon2id$")
        known.set_password("ada", "another horse battery", actor="boss")
        known.running.catch_up()
        with pytest.raises(Denied):
            known.check("ada", "correct horse battery")
        known.check("ada", "another horse battery")
        known.remove_user("ada", actor="boss")
        assert known.users() == []
        with pytest.raises(Denied):
            known.check("ada", "another horse battery")
    assert b"horse" not in path.read_bytes()


def test_what_does_not_fit_is_refused():
    with Identities("memory:") as known:
        known.add_user("ada", "correct horse battery", actor="boss")
        with pytest.raises(Refused, match="there is such a user already"):
            known.add_user("ada", "correct horse battery", actor="boss")
        with pytest.raises(Refused, match="there is no such user"):
            known.set_password("bob", "correct horse battery", actor="boss")
        with pytest.raises(Refused, match="there is no such token"):
            known.revoke("x", actor="boss")
        with pytest.raises(Invalid, match="a password has 12 to 1000 characters, found 5"):
            known.add_user("bob", "short", actor="boss")
