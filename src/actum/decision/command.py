"""A command: what somebody asks for, in the imperative; and its identity, by which it is decided once."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import ClassVar, dataclass_transform
from uuid import UUID

import msgspec

from actum.journal.errors import Invalid
from actum.journal.event import Kind, MessageType


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Command(msgspec.Struct, metaclass=MessageType):
    """Something asked for: `class Deposit(Command): account: AccountId; amount: Decimal`. Typed and named like events."""

    __kind__: ClassVar[Kind]


def digest_of(kind: Kind, content: bytes) -> bytes:
    """8 bytes that tell one command's content from another's under the same id: of SHA-256 over name and JSON."""
    return sha256(_heading(kind) + content).digest()[:8]


@cache
def _heading(kind: Kind) -> bytes:
    return f"{kind}\n".encode()


def command_id_of(name: UUID | str) -> bytes:
    """The 16 bytes of a command's id. A text becomes the UUIDv8 of its SHA-256, so the same text is the same command."""
    if isinstance(name, UUID):
        return name.bytes
    if not isinstance(name, str) or not 0 < len(name) <= 1000:
        raise Invalid(f"a command's id is a UUID or a text of 1 to 1000 characters, found {name!r:.80}")
    try:
        value = int.from_bytes(sha256(b"actum/command/v1\n" + name.encode()).digest()[:16], "big")
    except UnicodeEncodeError as wrong:
        raise Invalid(f"a command's id cannot be written as UTF-8: {wrong}") from wrong
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return value.to_bytes(16, "big")
