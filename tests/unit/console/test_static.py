"""What is vendored is what its makers published; every file is called with its hash."""

from __future__ import annotations

import tomllib
from hashlib import sha256

from starlette.testclient import TestClient

from actum.console.static import ASSETS, KINDS, address_of

OURS = {"console.css", "console.js", "explain-cell.css", "explain-cell.js", "mark.svg", "telling.css"}


def test_every_vendored_file_has_its_source_its_licence_and_its_hash():
    told = tomllib.loads((ASSETS / "VENDORED.toml").read_text(encoding="utf-8"))
    assert {path.name for path in ASSETS.iterdir() if path.suffix in KINDS} == {*told, *OURS}
    for name, one in told.items():
        assert sha256((ASSETS / name).read_bytes()).hexdigest() == one["sha256"], name
        assert one["licence"] in ("0BSD", "MIT")
        assert (ASSETS / f"{one['package'].removesuffix('.org').replace('uplot', 'uPlot')}.LICENSE").exists()


def test_a_file_is_kept_for_ever_under_its_hash(client: TestClient):
    answer = client.get(address_of("", "console.js"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")


def test_nothing_of_a_page_comes_from_elsewhere():
    for name in OURS:
        text = (ASSETS / name).read_text(encoding="utf-8")
        assert "https://" not in text, name
        assert "eval(" not in text, name
