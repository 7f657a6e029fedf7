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
    tag_bytes = tags.encode()
    envelope = sha256(b"%b%b%b%b" % (salt, len(tag_bytes).to_bytes(8, "big"), tag_bytes, metadata)).hexdigest()
    payload = sha256(salt + data).hexdigest()
    when = "" if effective is None else effective
    header = (
        f"\0{FORMAT}\n{origin}\n{position}\n{id.hex()}\n{type}\n{version}\n{recorded}\n{when}\n{envelope}\n{payload}\n"
    )
    return sha256(header.encode()).digest()
