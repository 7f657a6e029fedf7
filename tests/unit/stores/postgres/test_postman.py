"""The thread that brings the news, without a server: what it does not depend on."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from actum.journal.bell import Bell
from actum.stores.postgres.address import address_of
from actum.stores.postgres.postman import Postman

SELECTABLE = 1024
"""What `select(2)` takes ends here."""


@pytest.fixture
def many_open_files() -> Iterator[None]:
    """Whatever is opened next has a descriptor beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * SELECTABLE)), hard))
    files = [os.open(os.devnull, os.O_RDONLY)]
    while files[-1] < SELECTABLE:
        files.append(os.dup(files[0]))
    yield
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_open_files")
def test_news_are_heard_also_in_a_process_with_thousands_of_open_files() -> None:
    postman = Postman(address_of("postgresql://nobody@localhost/nothing"), Bell(), timeout=1)
    assert postman._wakes.fileno() >= SELECTABLE
    assert postman._wait(None, 0.001) is False
    postman._wake.send(b"\0")
    assert postman._wait(None, 10) is True
    assert postman.untold() == 0
