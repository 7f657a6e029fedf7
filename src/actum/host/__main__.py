"""How a host begins its pieces: `python -m actum.host NAME PORT`, with the rest in the environment; `actum piece` is for people."""

from __future__ import annotations

import sys

from actum.host.starting import asked_here, start
from actum.journal.errors import ActumError


def main(name: str, port: str) -> int:
    """Begin the piece; the exit code."""
    try:
        start(name, asked_here(), host="127.0.0.1", port=int(port))
    except ActumError as wrong:
        sys.stderr.write(f"{name}: {wrong}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
