"""`python -m demos.building`: a building that grows, in a page; with `--permits FILE`, the real permits to search beside it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from actum import Durability
from actum.service.searching import Searching
from demos.building.building import the_works, works
from demos.building.page import Pages
from demos.building.permits import imported, lines, permits
from demos.building.replay import build


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, import, and show; the exit code."""
    options = _options(arguments)
    with ExitStack() as stack:
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="actum-building-")))
        folder.mkdir(parents=True, exist_ok=True)
        running = stack.enter_context(works.open(folder / "works.actum", actor="architect"))
        refused = build(running, the_works())
        print(
            f"{running.head()} events, {refused} of them refusals · {running.head()} événements, dont {refused} refus"
        )
        log, search = None, None
        if options.permits:
            # The import can be repeated, so it need not wait for the disk.
            weak = Durability.LOSES_LAST_COMMITS_WITH_POWER
            log = stack.enter_context(permits.open(folder / "permits.actum", durability=weak))
            began = time.perf_counter()
            read, turned_down = imported(log, lines(options.permits))
            print(f"{read:,} lines of permits in {time.perf_counter() - began:.1f} s, {turned_down} refused")
            searching = stack.enter_context(Searching(log.store, folder / "permits.search.db"))
            searching.progress.wait(log.head(), timeout=60)
            log.wait_for(log.head(), timeout=60)
            search = searching.search
        _serve(Pages(running, log, search), options)
    return 0


def _serve(pages: Pages, options: argparse.Namespace) -> None:
    config = uvicorn.Config(pages.app(), host="127.0.0.1", port=options.port, log_level="warning")
    server = uvicorn.Server(config)
    seconds = options.seconds if options.seconds is not None else None if sys.stdin.isatty() else 60.0
    if seconds is not None:
        ending = threading.Timer(seconds, setattr, (server, "should_exit", True))
        ending.daemon = True
        ending.start()
    print(f"\n  http://127.0.0.1:{options.port}/\n", flush=True)
    server.run()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demos.building", description="A building that grows.")
    parser.add_argument("--permits", type=Path, help="the log of building permits, building-permits.csv.gz")
    parser.add_argument("--data", type=Path, help="where to keep it (a temporary folder)")
    parser.add_argument("--port", type=int, default=8001, help="where the page is (8001)")
    parser.add_argument("--for", dest="seconds", type=float, help="for how many seconds (until Ctrl-C)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
