"""What a page answers with: a template and its values, another page to go to, or bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeAlias

import msgspec

from actum.console.asked import Asked


class Shown(msgspec.Struct, frozen=True):
    """A page, by its template."""

    template: str
    title: str
    values: dict[str, Any] = {}
    status: int = 200
    here: str = ""
    """Which entry of the menu it belongs to."""


class Moved(msgspec.Struct, frozen=True):
    """Go there. `cookies` are kept by the browser for a year."""

    to: str
    cookies: dict[str, str] = {}


class Sent(msgspec.Struct, frozen=True):
    """Bytes of a type."""

    body: bytes
    kind: str


class Streamed(msgspec.Struct, frozen=True):
    """Server-sent events, for as long as somebody listens."""

    chunks: AsyncGenerator[str, None]


Answer: TypeAlias = Shown | Moved | Sent | Streamed

Answering: TypeAlias = Callable[[Asked], Answer]
