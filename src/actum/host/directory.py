"""Where each service of a system is to be found just now, and whether it is worth waiting for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec

from actum.host.upstream import Upstream
from actum.service.control import PieceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from actum.service.control import Piece

SOON = 1
"""Seconds after which to come again, where it is not known better."""

_COMING = (PieceState.STARTING, PieceState.RELOADING)
_THERE = (PieceState.RUNNING, PieceState.EXTERNAL)


class Found(msgspec.Struct, frozen=True):
    """What became of looking for a service: some upstream, or why there is none and whether one is on its way."""

    upstream: Upstream | None
    coming: bool = False
    why: str = ""
    again: int = SOON


class Directory(Protocol):
    """Knows where services are."""

    def find(self, service: str) -> Found | None:
        """Somebody who does that service; None where there is no such service."""
        ...

    def pieces(self) -> tuple[Piece, ...]:
        """Every piece, as it is now."""
        ...

    def close(self) -> None:
        """Give up every connection."""
        ...


class Fixed:
    """A directory that somebody has written down: services elsewhere, each at one or several addresses."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = tuple(pieces)
        self._turns = _Turns()

    def find(self, service: str) -> Found | None:
        """See `Directory.find`."""
        there = [piece for piece in self._pieces if piece.name == service]
        return self._turns.find(service, [piece.url for piece in there if piece.url]) if there else None

    def pieces(self) -> tuple[Piece, ...]:
        """See `Directory.pieces`."""
        return self._pieces

    def close(self) -> None:
        """See `Directory.close`."""
        self._turns.close()


class Tended:
    """The directory of a supervisor: what its pieces were told to be. Told by one thread, asked by another's event loop."""

    def __init__(self, again: Callable[[str], float]) -> None:
        self._services: dict[str, dict[str, Piece]] = {}
        self._again = again
        self._turns = _Turns()

    def find(self, service: str) -> Found | None:
        """See `Directory.find`."""
        pieces = self._services.get(service)
        if pieces is None:
            return None
        there = [piece.url for piece in pieces.values() if piece.state in _THERE and piece.url is not None]
        if there:
            return self._turns.find(service, there)
        coming = any(piece.state in _COMING for piece in pieces.values())
        states = " and ".join(dict.fromkeys(piece.state.value for piece in pieces.values()))
        return Found(None, coming, f"{service} is {states}", max(SOON, round(self._again(service))))

    def pieces(self) -> tuple[Piece, ...]:
        """See `Directory.pieces`."""
        return tuple(piece for pieces in tuple(self._services.values()) for piece in pieces.values())

    def close(self) -> None:
        """See `Directory.close`."""
        self._turns.close()

    def changed(self, service: str, piece: Piece) -> None:
        """The piece is in another state: connections to what no longer answers are given up."""
        # The inner dictionary is replaced, never changed: whoever looks at the same time sees one or the other.
        self._services[service] = self._services.get(service, {}) | {piece.name: piece}
        if piece.url is None:
            return
        if piece.state is PieceState.RELOADING:
            self._turns.tell(piece.url, lambda upstream: upstream.let_go())
        elif piece.state not in _THERE:
            self._turns.tell(piece.url, lambda upstream: upstream.abandon(f"{piece.name} is {piece.state.value}"))

    def gone(self, service: str, name: str) -> None:
        """The piece is no longer one of the system."""
        left = {key: piece for key, piece in self._services.get(service, {}).items() if key != name}
        if left:
            self._services[service] = left
        else:
            self._services.pop(service, None)


class _Turns:
    """Upstreams by address, and whose turn it is."""

    def __init__(self) -> None:
        self._upstreams: dict[str, Upstream] = {}
        self._turn = 0

    def at(self, url: str) -> Upstream:
        """The upstream at an address."""
        found = self._upstreams.get(url)
        if found is None:
            parts = urlsplit(url)
            found = self._upstreams[url] = Upstream(parts.hostname or "127.0.0.1", parts.port or 80)
        return found

    def tell(self, url: str, what: Callable[[Upstream], object]) -> None:
        """Have something done to the upstream at an address, in its own event loop, if anybody has asked there."""
        upstream = self._upstreams.get(url)
        if upstream is not None and not upstream.loop.is_closed():
            upstream.loop.call_soon_threadsafe(what, upstream)

    def find(self, service: str, urls: list[str]) -> Found:
        """The next of those who do the service."""
        if not urls:
            return Found(None, False, f"{service} is nowhere")
        self._turn += 1
        return Found(self.at(urls[self._turn % len(urls)]))

    def close(self) -> None:
        """Give up every connection."""
        for upstream in self._upstreams.values():
            upstream.abandon("the gateway is about to stop")
