"""A `Security` by its name, with what is said beside it of the way to it: on a command line, or by a host to its pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actum.service.named import load

if TYPE_CHECKING:
    from pathlib import Path

    from actum.http.security import Security


class Secured(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `module:attribute` names, with another public address and other proxies where those are said."""

    name: str
    public_url: str | None = None
    proxies: tuple[str, ...] = ()

    def load(self, *, data: Path | None = None) -> Security:
        """What it stands for; journals that it names without a folder lie in `data`, which a system may write.

        `Invalid` where there is no such thing, `Misdeclared` for what is no address.
        """
        from actum.http.security import Security  # noqa: PLC0415 - comes with the extra `http`

        found = load(self.name, Security)
        said = {
            "public_url": self.public_url,
            "proxies": self.proxies or None,
            "identities": _within(data, found.identities),
            "access": _within(data, found.access),
        }
        return msgspec.structs.replace(found, **{key: value for key, value in said.items() if value is not None})

    @property
    def arguments(self) -> list[str]:
        """The same on a command line."""
        proxies = [word for proxy in self.proxies for word in ("--proxy", proxy)]
        public = [] if self.public_url is None else ["--public-url", self.public_url]
        return ["--security", self.name, *public, *proxies]


def _within(folder: Path | None, journal: str) -> str | None:
    """Where a journal lies that is a file; None where the folder has no say."""
    return None if folder is None or journal == "memory:" or "://" in journal else str(folder / journal)
