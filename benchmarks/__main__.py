"""`python -m benchmarks [SECTION…]`: measure and print; README.md here says how to read it."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import apsw

from benchmarks import table
from benchmarks.ground import Ground

SECTIONS = (
    "commands",
    "enrolment",
    "replay",
    "rebuild",
    "followers",
    "lag",
    "appends",
    "traceability",
    "processes",
    "timers",
    "http",
    "gateway",
    "console",
    "memory",
    "postgres",
    "postgres_log",
)


def main(arguments: list[str]) -> int:
    """Run what was asked for. Figures never decide how it ends: the machine has a say in them."""
    asked = _asked(arguments)
    parent = asked.dir or Path(".build")
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        sections = [
            _measured(name, Ground(folder, asked.rounds, asked.quick, asked.long)) for name in asked.section or SECTIONS
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        asked.json.write_text(json.dumps([table.plain(one) for one in sections], indent=1), encoding="utf-8")
    for page in asked.write_readme:
        _write(page, sections, asked)
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="How fast actum is, beside a raw program.")
    parser.add_argument("section", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see that it runs")
    parser.add_argument(
        "--long", action="store_true", help="ten million events behind the console, not one; half an hour"
    )
    parser.add_argument("--rounds", type=int, help="how often each takes its turn (5; 1 with --quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--dir", type=Path, help="a folder on the disk to measure (.build)")
    parser.add_argument(
        "--write-readme", type=Path, nargs="*", default=[], metavar="PAGE", help="put the table in pages"
    )
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.section if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    asked.rounds = asked.rounds or (1 if asked.quick else 5)
    return asked


def _measured(name: str, ground: Ground) -> table.Section:
    measure: Callable[[Ground], table.Section] = import_module(f"benchmarks.{name}").measure
    if sys.stderr.isatty():
        print(f"{name} …", end="\r", file=sys.stderr, flush=True)
    section = measure(ground)
    print(table.text(section), flush=True)
    return section


def _write(page: Path, sections: list[table.Section], asked: argparse.Namespace) -> None:
    if not table.rewrite(page, table.markdown(sections, circumstances(asked.rounds))):
        sys.exit(f"{page} has no place for the table; put {table.BEGIN} and {table.END} where it shall stand")


def circumstances(rounds: int) -> str:
    """On what it was measured."""
    return (
        f"CPython {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, {platform.system()} {platform.machine()}; "
        f"medians of {rounds} rounds, contestants in turn. Absolute figures are one machine's; the ratios are what counts."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
