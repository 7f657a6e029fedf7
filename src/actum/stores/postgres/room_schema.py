"""The schema of a room: what is done in it finds its own tables first, then the live ones, of which it can change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors

from actum.journal.errors import Busy, Misdeclared
from actum.stores.postgres import made
from actum.stores.postgres.trouble import translated
from actum.stores.postgres.views_schema import ViewsSchema, value_of

if TYPE_CHECKING:
    import psycopg

    from actum.journal.readmodel import Work
    from actum.stores.postgres.address import Address
    from actum.stores.postgres.connecting import Connection


class RoomSchema(ViewsSchema):
    """The schema of a room beside that of a read database, `live`. One that is gone is not made anew: whoever opened it is to look
    again.
    """

    def __init__(self, address: Address, *, live: ViewsSchema) -> None:
        _, origin, timeout = live.terms
        self.live = live.names.schema
        super().__init__(address, origin=origin, timeout=timeout)

    def _make_room(self, connection: Connection) -> None:
        """See `ViewsSchema`. `Misdeclared` where the role may make no schema: nothing can be built beside then."""
        try:
            super()._make_room(connection)
        except errors.InsufficientPrivilege as wrong:
            raise Misdeclared(
                f"{self.address} cannot be made, so nothing is built beside: {wrong.diag.message_primary}; GRANT CREATE ON DATABASE to the role"
            ) from wrong

    def is_made_anew(self, wrong: psycopg.Error) -> bool:
        """See `ViewsSchema.is_made_anew`."""
        if not isinstance(wrong, errors.UndefinedTable | errors.InvalidSchemaName):
            return False
        with translated(self.address), self.connections.lend() as connection:
            if self.is_there(connection):
                return False
        raise Busy(f"{self.address} is not there any more: somebody has switched to it, or given it up") from wrong

    def walled(self, work: Work, name: str) -> Work:
        """Work that changes nothing outside of the room. `Misdeclared` where it does, and then it is undone."""
        ours, here = made.sql(""), (self.bare,)

        def walled(db: Connection) -> None:
            before: dict[int, str] = dict(db.execute(ours["outside"], here).fetchall())
            work(db)
            gone = value_of(db.execute(ours["dropped"], (list(before),)))
            outside = value_of(db.execute(ours["changed_outside"], here)) if gone is None else before[gone]
            if outside is not None:
                raise Misdeclared(
                    f"the projection {name} is built beside itself, and would change the table {outside}, which its begin does not "
                    "make there: let begin make every table that the handler writes to, and name tables without a schema"
                )

        return walled
