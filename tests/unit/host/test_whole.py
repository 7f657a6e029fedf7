"""A whole system in one process answers at the addresses that it has behind a gateway."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from actum.host.piece import Around
from actum.host.whole import opened, whole
from tests.unit.host.shop import system

ACTOR = {"Actum-Actor": "me"}


def test_contexts_stand_under_their_names_and_hear_each_other(tmp_path: Path):
    around = Around(system=system, places=system.places(tmp_path))
    with (
        opened(system, around) as contexts,
        TestClient(whole(system, contexts, around), base_url="http://localhost") as client,
    ):
        assert client.post("/shop/commands/Stock", json={"item": "I", "count": 3}, headers=ACTOR).status_code == 200
        done = client.post("/shop/commands/Order", json={"order": "O", "item": "I", "count": 2}, headers=ACTOR)
        assert done.headers["location"].startswith("/shop/decisions/")
        assert client.get(done.headers["location"]).status_code == 200
        shown = client.get("/shop/views/Item/I", params={"wait_for": done.json()["position"]})
        assert shown.json() == {"item": "I", "left": 1, "orders": 1}
        sold = next(event for event in contexts["ledger"].follow() if event.type == "Sold")
        shown = client.get("/ledger/views/Account/I", params={"wait_for": sold.position})
        assert shown.json() == {"account": "I", "sold": 2}
        names = [piece["name"] for piece in client.get("/services").json()["services"]]
        assert names[:2] == ["shop/commands", "shop/projections"]
        assert client.get("/nowhere").json()["detail"].endswith("there are /shop/, /ledger/, /console/, /services")
        assert client.get("/console/").status_code == 200
        assert client.get("/health").json() == {"status": "ok"}
