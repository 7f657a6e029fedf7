"""Who did it, for whom, why, caused by what, with which code: the part of the envelope that every commit shares.

Stored as JSON without the fields that say nothing. An event's correlation is its command's id unless another is named,
and so is its causation: the two are then not repeated.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from actum.journal.errors import Invalid

LONGEST_TEXT = 2000
"""The longest actor, reason or other text of the metadata, in characters."""


def checked_text(name: str, text: object) -> None:
    """`Invalid` where it is neither left out nor a text that can be kept."""
    if text is not None and not (isinstance(text, str) and 0 < len(text) <= LONGEST_TEXT):
        raise Invalid(f"metadata {name}: expected text of 1 to {LONGEST_TEXT} characters, found {text!r:.80}")


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The traceability of one event. Every event that a command caused names its actor and its command."""

    actor: str
    """Who asked: a pseudonym, never an e-mail address or another personal datum."""
    on_behalf_of: str | None = None
    """For whom the actor acted, where that is another."""
    tenant: str | None = None
    command_id: UUID | None = msgspec.field(default=None, name="command")
    command_type: str | None = msgspec.field(default=None, name="did")
    correlation: UUID | None = None
    """The story this belongs to, where it is not the command's own: see `correlation_id`."""
    causation: UUID | None = None
    """What directly caused it, where that is not the command: see `causation_id`."""
    reason: str | None = None
    producer: str | None = msgspec.field(default=None, name="by")
    """With what code: service@version+revision."""
    traceparent: str | None = None
    """W3C Trace Context, https://www.w3.org/TR/trace-context/."""
    tracestate: str | None = None
    extra: dict[str, str] = {}

    @property
    def correlation_id(self) -> UUID | None:
        """The id that all events of one story share, from the first click to the last effect."""
        return self.correlation or self.command_id

    @property
    def causation_id(self) -> UUID | None:
        """The id of the event or command that directly caused this one."""
        return self.causation or self.command_id

    def encode(self) -> bytes:
        """The bytes to store. Raises `Invalid` for empty or over-long text, and for what could not be read again."""
        for name in (
            "actor",
            "on_behalf_of",
            "tenant",
            "command_type",
            "reason",
            "producer",
            "traceparent",
            "tracestate",
        ):
            checked_text(name, getattr(self, name))
        for name in ("command_id", "correlation", "causation"):
            id = getattr(self, name)
            if id is not None and not isinstance(id, UUID):
                raise Invalid(f"metadata {name}: expected a UUID, found {id!r:.80}; UUID(…) makes one of its text")
        if not all(isinstance(text, str) for pair in self.extra.items() for text in pair):
            raise Invalid(f"metadata extra: expected texts by texts, found {self.extra!r:.80}")
        try:
            return _ENCODER.encode(self)
        except UnicodeEncodeError as wrong:
            raise Invalid(f"metadata: {wrong}") from wrong

    @classmethod
    def decode(cls, stored: bytes) -> Metadata:
        """The metadata of stored bytes. Fields of a newer actum are passed over: the bytes still hold them."""
        try:
            return _DECODER.decode(stored)
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise Invalid(f"stored metadata cannot be read: {wrong}") from wrong


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Metadata)
