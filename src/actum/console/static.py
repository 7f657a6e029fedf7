"""The console's own files: styles, scripts, and what is vendored, each called with its hash so that it is kept for ever."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from actum.console.answering import Sent
from actum.console.asked import Asked
from actum.journal.errors import Unknown

ASSETS = Path(__file__).parent / "assets"

KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """What there is, by name: the bytes and their hash."""
    found = {path.name: path.read_bytes() for path in ASSETS.iterdir() if path.suffix in KINDS}
    return {name: (data, sha256(data).hexdigest()[:12]) for name, data in found.items()}


def address_of(root: str, name: str) -> str:
    """Where a file of the console is."""
    return f"{root}/static/{name}?{_files()[name][1]}"


def static(asked: Asked) -> Sent:
    """`/static/{name}`: one of the files."""
    found = _files().get(asked.names["file"])
    if found is None:
        raise Unknown("file", asked.names["file"], tuple(sorted(_files())))
    return Sent(found[0], KINDS[Path(asked.names["file"]).suffix])
