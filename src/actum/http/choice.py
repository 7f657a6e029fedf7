"""Which events somebody wants: by type, tag, actor and story. Knows nothing of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from actum.http.said import uuid_in
from actum.journal.errors import Invalid
from actum.journal.query import Query

if TYPE_CHECKING:
    from actum.http.parameters import Parameters
    from actum.journal.event import SequencedEvent

FILTERS = ("type", "tag", "actor", "correlation")
"""Parameters that choose events. Types and tags are found by the journal's index, the others by looking."""


class Choice(msgspec.Struct, frozen=True):
    """Which events somebody wants."""

    query: Query
    actors: frozenset[str]
    correlations: frozenset[UUID]

    @property
    def by_index(self) -> bool:
        """Whether the journal finds them by itself."""
        return not self.actors and not self.correlations

    def wants(self, event: SequencedEvent) -> bool:
        """Whether the event, which the query matches, is one of them."""
        if self.by_index:
            return True
        try:
            metadata = event.metadata
        except Invalid:
            return False
        return (not self.actors or metadata.actor in self.actors) and (
            not self.correlations or metadata.correlation_id in self.correlations
        )


def choice_in(parameters: Parameters) -> Choice:
    """What the parameters choose: one of the types, all of the tags, one of the actors, one of the stories."""
    types, tags = parameters.all("type"), parameters.all("tag")
    query = Query.of(types=types, tags=tags) if types or tags else Query.all()
    stories = [(text, uuid_in(text)) for text in parameters.all("correlation")]
    for text, found in stories:
        if found is None:
            raise Invalid(f"correlation: expected a UUID, found {text!r:.80}", where=".correlation")
    return Choice(query, frozenset(parameters.all("actor")), frozenset(found for _, found in stories if found))
