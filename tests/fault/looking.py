"""A process that reads all rows of a table in one query, again and again, until its input says something.

`python -m tests.fault.looking VIEWS ROWS`, where the views are a file or the URL of a PostgreSQL database.

Each row says which version made it. At the end it says, as JSON, how often it read, which versions it saw, and every
answer that was not all rows of one version.
"""

from __future__ import annotations

import json
import select
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import psycopg

from actum.stores.postgres.address import address_of

ALL = "SELECT made_by, count(*), sum(changes) FROM balances GROUP BY made_by"


def asking(views: str) -> Callable[[], list[tuple[Any, ...]]]:
    """What asks that question once."""
    if "://" not in views:
        file = sqlite3.connect(f"file:{views}?mode=ro", uri=True, timeout=30)
        return lambda: file.execute(ALL).fetchall()
    address = address_of(views).views
    server = psycopg.connect(address.conninfo, autocommit=True)
    server.execute(f"SET search_path TO {address.schema}".encode())
    return lambda: server.execute(ALL).fetchall()


def main(views: str, *, rows: int) -> None:
    ask = asking(views)
    reads, turns, torn = 0, 0, []
    seen: list[str] = []
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        answer = ask()
        reads += 1
        if [count for _, count, _ in answer] != [rows]:
            torn.append(answer)
            continue
        made_by = answer[0][0]
        if not seen or seen[-1] != made_by:
            turns += 1
            seen = [*seen[-1:], made_by]
    print(json.dumps({"reads": reads, "turns": turns, "torn": torn[:5]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], rows=int(sys.argv[2]))
