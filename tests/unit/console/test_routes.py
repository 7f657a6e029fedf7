"""Every page, in both languages: what it says, that nothing stored can become a script, and that nothing is inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from actum.console import console
from actum.console.routes import ROUTES
from actum.journal.errors import Invalid
from tests.unit.console.street import STORY, Street, open_street
from tests.unit.history.wealth import Moved

PAGES = {
    "/": ("Live", "Deposited", "le loyer", "there is no such account"),
    "/live?q=account:A-1": ("Deposited", "1234.50"),
    "/search": ("Search", "Opened", "Sent"),
    "/search?q=loyer": ("1234.50", 'value="loyer"'),
    "/search?q=nothing-like-it": ("Nothing was found",),
    "/things": ("Balance", "Account, by id", "Assets"),
    "/bank/things/Balance": ("Léa Dupré", "1,234.50", "Why is balance 1,234.50?"),
    "/bank/things/Account": ("It is a state",),
    "/bank/things/Balance/A-1": ("balance", "1,234.50", "This event", "data-scrub="),
    "/bank/things/Balance/A-1?at=1": ("the past", "owner"),
    "/bank/things/Balance/nobody": ("Nothing is known of it",),
    "/bank/things/Account/A-1": ("open", "yes"),
    f"/bank/things/Balance/{quote('A/2 é', safe='')}": ("A/2 é",),
    "/bank/compare/Balance/A-1?from=1&to=3": ("Between two moments", "1,234.50"),
    "/bank/explain/Balance/A-1/balance": ("Why is it what it is?", "+1,234.50", "Exact."),
    "/wealth/explain/Assets/C-1/total": ("-58,477.89", "current account", "PEA", "a house", "sum of the parts"),
    "/wealth/explain/Assets/C-1/total?at=1": ("-51,567.98",),
    "/views": ("Projections", "Balance", "up to date"),
    "/bank/views/Balance": ("Tables, side by side", "this program", "Build beside"),
    "/parked": ("Payout/bad", "bad payout", "Try again"),
    "/processes": ("Payout/doubtful", "overdue", "SendMoney"),
    "/map": ("Services", "journal", "What if this were off"),
    "/map?off=bank/commands": ("Foretold", "Nobody can write to bank"),
    "/bank/events/3": ("Deposited", "The envelope", "le loyer", "deposit@1", "account:A-1", "refused"),
    "/bank/events/4": ("Causes above, effects below", "Deposited"),
    "/wealth/events/1": ("No rule decided it",),
    f"/stories/{STORY}": ("2 acts", "1 refused", "Deposit"),
    "/looks": ("Nobody is known here",),
    "/login": ("Log in",),
}


@pytest.fixture(scope="module")
def looking(built: Path) -> Iterator[TestClient]:
    """Somebody who only looks, at a console that stays open."""
    with open_street(built) as street:
        app = console(street.contexts, name="street")
        with TestClient(
            app, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False
        ) as client:
            for search in app.house.searches.values():
                search.catch_up()
            yield client


@pytest.mark.parametrize("address", PAGES)
def test_a_page_says_what_it_is_for(looking: TestClient, address: str):
    answer = looking.get(address)
    assert answer.status_code == 200
    text = re.sub(r"&#34;", '"', answer.text)
    assert [said for said in PAGES[address] if said not in text] == []
    check_harmless(answer.text)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_there_in_french_too(looking: TestClient, address: str):
    answer = looking.get(address, headers={"accept-language": "fr-FR,fr;q=0.9,en;q=0.5"})
    assert answer.status_code == 200
    assert '<html lang="fr"' in answer.text
    assert "English" in answer.text
    check_harmless(answer.text)


def check_harmless(html: str) -> None:
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", html)
    assert "<script>alert" not in html
    assert not re.search(r'(src|href|action)="(https?:)?//', html)


def test_amounts_are_written_as_in_the_readers_language(looking: TestClient):
    found = looking.get("/wealth/explain/Assets/C-1/total", headers={"accept-language": "fr"}).text
    assert "-58\u202f477,89" in found
    assert "compte courant" in found


def test_what_is_not_there_is_said_with_what_there_is(looking: TestClient):
    for address, status, says in (
        ("/nothing", 404, "there is no page"),
        ("/nowhere/events/1", 404, "bank"),
        ("/bank/events/99", 404, "1 to 4"),
        ("/bank/events/x", 400, "the position of an event"),
        ("/bank/things/Nobody", 404, "Account"),
        ("/bank/explain/Balance/A-1/blance", 404, "balance"),
        ("/bank/things/Balance/A-1?at=99", 400, "from the future"),
        ("/stories/x", 400, "a UUID"),
        (f"/stories/{STORY.int + 1:032x}", 404, "story"),
        ("/search?q=after:noon", 400, "expected a day"),
        ("/search?before=x", 400, "expected a place"),
        ("/live?span=2w", 404, "15m"),
        ("/static/secret.py", 404, "console.css"),
        ("/map?off=nothing/here", 404, "bank/commands"),
    ):
        answer = looking.get(address)
        assert (address, answer.status_code, says in answer.text) == (address, status, True)
    assert looking.post("/live", data={"csrf": "x"}).status_code == 405


def test_a_page_that_is_not_there_says_so_in_its_readers_language(looking: TestClient):
    answer = looking.get("/bank/events/99", headers={"accept-language": "fr"}).text
    assert "Rien ici ne s’appelle ainsi" in answer
    assert "Revenez en arrière" in answer
    assert '<p lang="en">no event is called' in answer


def test_every_answer_forbids_what_no_page_needs(looking: TestClient):
    for address in ("/", "/static/console.js", "/nothing", "/bank/events/1/json"):
        headers = looking.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_an_event_is_found_by_its_id_and_given_as_json(looking: TestClient):
    event = next(looking.app.house.running("bank").events(after=2))  # type: ignore[attr-defined]
    assert looking.get(f"/events/{event.id}").headers["location"] == "/bank/events/3"
    whole = looking.get("/bank/events/3/json").json()
    assert (whole["id"], whole["data"]["amount"], whole["metadata"]["reason"]) == (str(event.id), "1234.50", "le loyer")


def test_pages_go_on_where_the_last_one_ended(client: TestClient, street: Street):
    street.wealth.append(*(Moved(customer="C-2", amount=Decimal(number)) for number in range(130)))
    for search in client.app.house.searches.values():  # type: ignore[attr-defined]
        search.catch_up()
    for asked, count in (("customer:C-2", 130), ("type:Moved", 131), ("", None)):
        seen: list[str] = []
        address = f"/search?q={asked}"
        while address:
            page = client.get(address).text
            seen += re.findall(r'id="(e-[^"]+)"', page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following[1].replace("&amp;", "&") if following else ""
        everything = sum(running.head() for running in street.contexts.values())
        assert len(seen) == len(set(seen)) == (everything if count is None else count)


def test_it_is_mounted_under_any_path(street: Street):
    app = console(street.contexts)
    with TestClient(app, base_url="http://localhost", root_path="/console") as client:
        page = client.get("/console/bank/things/Balance/A-1")
        assert page.status_code == 200
        assert 'href="/console/views"' in page.text
        assert client.get("/console/static/console.css").status_code == 200


def test_a_page_that_a_script_asks_for_is_its_middle_only(looking: TestClient):
    for answer in (
        looking.get("/wealth/explain/Assets/C-1/total?part=1"),
        looking.get("/views", headers={"hx-request": "true"}),
    ):
        assert "<html" not in answer.text
        assert "<h" in answer.text


def test_a_table_that_is_behind_is_explained_as_it_is_and_that_is_said(client: TestClient, street: Street):
    street.wealth.append(Moved(customer="C-1", amount=Decimal(1)))
    page = client.get("/wealth/explain/Assets/C-1/current").text
    assert "which is 1 event behind the journal" in page
    assert "-51,566.98" not in page
    assert "-51,566.98" in client.get("/wealth/explain/Assets/C-1/current?at=3").text


def test_a_context_goes_by_its_own_name(street: Street):
    with pytest.raises(Invalid, match="by its own name"):
        console({"another": street.bank})


def test_every_route_is_looked_at_here():
    looked = {pattern(address) for address in PAGES} | {
        "/live/feed",
        "/events/{id}",
        "/{context}/events/{position}/json",
        "/{context}/views",
        "/static/{file}",
        "/live",
    }
    assert {route.path for route in ROUTES if route.method == "GET"} <= looked


def pattern(address: str) -> str:
    """The route that an address belongs to."""
    from actum.console.routes import find

    return find("GET", [part for part in address.partition("?")[0].split("/") if part])[0].path


def test_an_index_is_kept_in_the_folder_that_is_named(street: Street, tmp_path: Path):
    app = console(street.contexts, search=tmp_path)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/search").status_code == 200
    assert sorted(path.name for path in tmp_path.glob("*.search.db")) == [
        "bank.search.db",
        "payouts.search.db",
        "wealth.search.db",
    ]


def test_the_console_of_a_street_that_is_built_anew_is_the_same(folder: Path):
    with open_street(folder) as street, TestClient(console(street.contexts), base_url="http://localhost") as client:
        assert client.get("/bank/events/1").status_code == 200
