"""A street with a console that looks at it, and somebody who looks at the console."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from actum.console import console
from tests.unit.console.street import Street, build, open_street


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a street in which everything has happened."""
    folder = tmp_path_factory.mktemp("street")
    build(folder)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A street of one's own."""
    return Path(shutil.copytree(built, tmp_path / "street"))


@pytest.fixture
def street(folder: Path) -> Iterator[Street]:
    with open_street(folder) as street:
        yield street


@pytest.fixture
def client(street: Street) -> Iterator[TestClient]:
    """Somebody on this machine, once everything can be searched."""
    app = console(street.contexts, name="street")
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False) as client:
        for search in app.house.searches.values():
            search.catch_up()
        yield client
