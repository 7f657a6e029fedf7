"""actum for one aggregate inside FastAPI, Litestar and Django projects, beside their ordinary tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from starlette.testclient import TestClient

from examples.shop import fastapi_shop, litestar_shop

RECEIVE = {"article": "pen", "count": 3}
ORDER = {"id": "o-1", "customer": "Zoé", "article": "pen", "count": 2}


def test_in_fastapi_its_own_routes_give_commands_and_the_door_stands_beside_them(tmp_path: Path):
    with TestClient(fastapi_shop.shop(tmp_path)) as client:
        assert client.post("/stock/commands/Receive", json=RECEIVE).status_code == 200
        first, again = (client.post("/orders", json=ORDER) for _ in range(2))
        assert first.json() == again.json() == {"position": 2}
        assert client.get("/articles/pen", params={"after": 2}).json() == {"left": 1}
        refused = client.post("/orders", json=ORDER | {"id": "o-2"})
        assert (refused.status_code, refused.json()) == (409, {"detail": "not enough on hand"})
        events = client.get("/stock/events", params={"tag": "order:o-1"}).json()["events"]
        assert [(event["type"], event["metadata"]["reason"]) for event in events] == [("Reserved", "web order")]
        assert client.get("/stock/views/OnHand/pen").json()["count"] == 1
        assert client.get("/stock/openapi.json").json()["servers"] == [{"url": "/stock"}]


def test_in_litestar_the_door_is_mounted_and_opens_by_itself(tmp_path: Path):
    with TestClient(litestar_shop.shop(tmp_path)) as client:
        assert client.get("/").json() == {"shop": "open"}
        done = client.post("/stock/commands/Receive", json=RECEIVE)
        assert (done.status_code, done.json()["position"]) == (200, 1)
        row = client.get("/stock/views/OnHand/pen", params={"wait_for": 1})
        assert row.json() == {"article": "pen", "count": 3}
        assert client.get("/stock/states/OnHand/pen?at=0").json()["state"]["count"] == 0


DJANGO = """
import sys, pathlib
from starlette.testclient import TestClient
from examples.shop.django_shop import shop
app, running = shop(pathlib.Path(sys.argv[1]))
with running:
    client = TestClient(app)
    order = {"id": "o-1", "customer": "Zoé", "article": "pen", "count": 2}
    assert client.post("/stock/commands/Receive", json={"article": "pen", "count": 3}).status_code == 200
    assert [client.post("/orders", json=order).json() for _ in range(2)] == [{"position": 2}] * 2
    assert client.get("/articles/pen?after=2").json() == {"left": 1, "orders": 1}
    assert client.post("/orders", json=order | {"id": "o-2"}).status_code == 409
    assert client.get("/stock/views/OnHand/pen").json()["count"] == 1
print("sold")
"""


def test_in_django_blocking_views_give_commands_beside_a_model(tmp_path: Path):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "sold\n"), done.stderr
