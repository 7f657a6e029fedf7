"""A thing of very many events: its page begins at once, the rest comes after it, and what is too much says so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from actum.console.lengthy import LONG, bounded
from actum.http.problem import Problem
from tests.unit.console.street import Street
from tests.unit.history.wealth import Moved

C7 = Moved(customer="C-7", amount=Decimal("0.50"))


def test_what_is_made_of_very_many_events_is_shown_at_once_and_explained_after(street: Street, client: TestClient):
    street.wealth.append(*[C7] * (LONG + 1), reason="often")
    street.wealth.catch_up()
    for address in (
        "/wealth/things/Assets/C-7",
        "/wealth/explain/Assets/C-7/current",
        "/wealth/compare/Assets/C-7?from=3&to=4",
    ):
        first = client.get(address, headers={"accept-language": "fr"})
        assert first.status_code == 200
        assert "que l’on est en train de lire" in first.text
        assert "1\u202f000,50" in first.text
        later = first.text.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0].replace("&amp;", "&")
        assert later.startswith(address)
        whole = client.get(later)
        assert "http-equiv" not in whole.text
    explained = client.get("/wealth/explain/Assets/C-7/current?whole=1").text
    assert "2,001 movements" in explained
    assert "Exact." in explained


def test_nobody_reads_without_end(street: Street):
    store = street.wealth.store
    assert len(list(bounded(store, most=2).read(limit=2))) == 2
    with pytest.raises(Problem, match="more than 1 events") as wrong:
        list(bounded(store, most=1).read())
    assert wrong.value.type.name == "too-costly"
