"""The leaf commitment: 32 bytes that stand for one stored event, computed from the bytes as they are stored.

```
header = "actum/event/v1" LF origin LF position LF id LF type LF version LF recorded LF effective LF
         hex(envelope commitment) LF hex(payload commitment) LF
payload commitment  = SHA-256(salt || data)
envelope commitment = SHA-256(salt || length of tags, 8 bytes big-endian || tags || metadata)
leaf                = SHA-256(0x00 || header)                                    (RFC 6962 §2.1)
```

Salted, so that whoever holds headers cannot guess a short payload, and data with its salt can be destroyed while
every proof stays valid. No field of the header can contain a line feed, so no two events share one header.
"""

from __future__ import annotations

from hashlib import sha256

from actum.journal.clock import Microseconds

FORMAT = "actum/event/v1"


def leaf(
    origin: str,
    *,
    position: int,
    id: bytes,
    type: str,
    version: int,
    recorded: Microseconds,
    effective: Microseconds | None,
    tags: str,
    metadata: bytes,
    data: bytes,
    salt: bytes,
) -> bytes:
    """The 32-byte commitment of one event of the journal `origin`; the format is this module's docstring."""
    kind = kind_lines(type, version, recorded=recorded, effective=effective)
    return seal(first_lines(origin), position, id, kind, tags, metadata, data, salt)


def first_lines(origin: str) -> str:
    """How the headers of all events of one journal begin."""
    return f"\0{FORMAT}\n{origin}\n"


def kind_lines(type: str, version: int, *, recorded: Microseconds, effective: Microseconds | None) -> str:
    """What the headers of events share that are of one kind and taken down at one moment."""
    return f"{type}\n{version}\n{recorded}\n{'' if effective is None else effective}\n"


def seal(
    first: str, position: int, id: bytes, kind: str, tags: str, metadata: bytes, data: bytes, salt: bytes
) -> bytes:
    """The same as `leaf`, for many events: what their headers share is written once, by the two functions above."""
    tag_bytes = tags.encode()
    envelope = sha256(salt + len(tag_bytes).to_bytes(8, "big") + tag_bytes + metadata).hexdigest()
    payload = sha256(salt + data).hexdigest()
    return sha256(f"{first}{position}\n{id.hex()}\n{kind}{envelope}\n{payload}\n".encode()).digest()
