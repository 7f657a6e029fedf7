"""A process that reads all rows of a table in one query, again and again, until its input says something.

`python -m tests.fault.looking VIEWS ROWS`, where the views are a file or the URL of a PostgreSQL database.

Each row says which version made it. It says so whenever another version answers than before, and at the end, as JSON,
every answer that was not all rows of one version.
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
    shown, torn = None, []
    while not select.select([sys.stdin], [], [], 0)[0]:
        answer = ask()
        if [count for _, count, _ in answer] != [rows]:
            torn.append(answer)
        elif answer[0][0] != shown:
            shown = answer[0][0]
            print(shown, flush=True)
    print(json.dumps(torn[:5]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], rows=int(sys.argv[2]))
