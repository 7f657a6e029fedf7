"""A cookie is believed only where it was sealed here, and for as long as it says."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actum.http.sessions import Keeper, Login, Session, carried, cookie, key_in
from actum.journal.errors import Denied, Unavailable

KEEPER = Keeper(b"k" * 32)


def test_what_is_sealed_is_opened_again():
    session = KEEPER.new("zoé", roles=("teller",), tenant="acme")
    assert KEEPER.open(KEEPER.seal(session), Session) == session


@given(st.integers(0, 400), st.characters(codec="ascii", min_codepoint=33))
def test_a_cookie_of_which_one_character_is_another_is_not_believed(place: int, character: str):
    sealed = KEEPER.seal(KEEPER.new("ada"))
    place %= len(sealed)
    changed = sealed[:place] + character + sealed[place + 1 :]
    if changed != sealed:
        with pytest.raises(Denied):
            KEEPER.open(changed, Session)


@given(st.text(max_size=50))
def test_whatever_a_cookie_holds_is_turned_down(text: str):
    with pytest.raises(Denied):
        KEEPER.open(text, Session)


def test_a_cookie_sealed_with_another_key_or_for_another_purpose_is_not_believed():
    session = KEEPER.new("ada")
    with pytest.raises(Denied):
        Keeper(b"x" * 32).open(KEEPER.seal(session), Session)
    with pytest.raises(Denied):
        KEEPER.open(KEEPER.seal(session), Login)


def test_a_session_is_over_when_its_time_is():
    session = msgspec.structs.replace(KEEPER.new("ada"), expires=int(time.time()) - 1)
    with pytest.raises(Denied, match="the session is over"):
        KEEPER.open(KEEPER.seal(session), Session)


def test_the_csrf_token_belongs_to_one_session():
    assert KEEPER.check_csrf("one", KEEPER.csrf("one"))
    assert not KEEPER.check_csrf("two", KEEPER.csrf("one"))
    assert not KEEPER.check_csrf("one", None)
    assert not KEEPER.check_csrf("one", "é")


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "key"
    key = key_in(path)
    assert (len(key), key_in(path), stat.S_IMODE(path.stat().st_mode)) == (32, key, 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_a_key_that_is_too_short_is_turned_down():
    with pytest.raises(Unavailable, match="32 bytes"):
        Keeper(b"short")


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites_and_over_tls_of_neighbours():
    kept = "=b; Max-Age=9; Path=/; HttpOnly; SameSite=Lax"
    assert cookie("a", "b", secure=False, seconds=9) == f"a{kept}"
    assert cookie("a", "b", secure=True, seconds=9) == f"__Host-a{kept}; Secure"
    assert cookie("a", "b", secure=True, seconds=9, path="/in") == f"__Secure-a{kept}; Secure".replace("/;", "/in;")
    assert carried({"a": "plain", "__Secure-a": "x", "__Host-a": "y"}, "a", secure=True) == "y"
    assert carried({"a": "plain"}, "a", secure=True) is None
