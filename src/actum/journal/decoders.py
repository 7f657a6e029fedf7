"""Decoders of types, each made once, and all of them one after another.

msgspec looks a class over when it is first decoded, and keeps what it finds in the class itself, also while it is not done yet (0.22):
two threads that decode a class for the first time at once, or two classes that hold a third one, end the process. So what threads
decode, they decode by what is made here, or after it was made here.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

KindT = TypeVar("KindT")

FIRST_USE = threading.RLock()
"""Held by whoever has msgspec look classes over."""

_made: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder_for(kind: type[KindT]) -> msgspec.json.Decoder[KindT]:
    """The decoder of a type that stands for itself in JSON. After this, any thread may decode or convert to it in its own way."""
    found: msgspec.json.Decoder[KindT] | None
    try:
        found = _made.get(kind)
    except TypeError:  # marks of a type may hold what has no hash
        with FIRST_USE:
            return msgspec.json.Decoder(kind)
    if found is None:
        with FIRST_USE:
            found = _made.setdefault(kind, msgspec.json.Decoder(kind))
    return found
