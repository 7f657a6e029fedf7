"""A cell of a running application explained: as of what its table shows, and compared with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from actum.decision.state import State
from actum.history.as_of import position_at
from actum.history.explain import explain
from actum.history.timeline import Subject
from actum.journal.errors import ActumError
from actum.projection.view import View

if TYPE_CHECKING:
    from actum.decision.state import Identity
    from actum.history.as_of import Moment
    from actum.history.explain import Explanation
    from actum.journal.store import JournalStore
    from actum.service.declared import Declared
    from actum.service.views import Views

StateT = TypeVar("StateT", bound=State)


def explained(
    app: Declared,
    store: JournalStore,
    views: Views,
    state: type[StateT],
    identity: tuple[Identity, ...],
    column: str,
    *,
    at: Moment | None,
    since: Moment | None,
    last: int | None,
    language: str,
) -> Explanation:
    """See `Running.explain`."""
    subject = Subject(state, *identity)
    shows = at is None and issubclass(state, View) and app.views.get(state.__name__) is state
    until = views.shown(state) if shows and issubclass(state, View) else position_at(store, at)
    found = explain(
        subject,
        column,
        store=store,
        codec=app.codec,
        since=0 if since is None else position_at(store, since, what="since"),
        until=until,
        last=last,
        language=language,
    )
    return _compared(views, state, subject.ids, found) if shows and issubclass(state, View) else found


def _compared(views: Views, view: type[View], ids: tuple[Identity, ...], found: Explanation) -> Explanation:
    """With what the table shows, where that is as of the same position and can be read."""
    try:
        row = views.table(view).get(*ids)
        moved_on = views.shown(view) != found.position
    except ActumError:
        return found
    shown = getattr(row, found.column) if row is not None else found.value
    return found if moved_on or shown == found.value else found.doubted(shown)
