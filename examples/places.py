"""Where a journal lies, in a file or in PostgreSQL, and its read database beside it, which may be deleted at any time."""

from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


class FilePlace:
    """A journal in a file."""

    def __init__(self, path: Path) -> None:
        self.journal: str | Path = path

    def __str__(self) -> str:
        return str(self.journal)

    def is_taken(self) -> bool:
        """Whether there is something already."""
        return Path(self.journal).exists()

    def delete_views(self) -> list[str]:
        """Delete the read database; what was deleted."""
        path = Path(self.journal)
        files = sorted(path.parent.glob(f"{path.stem}.views.db*"))
        for file in files:
            file.unlink()
        return [file.name for file in files]


class PostgresPlace:
    """A journal in a PostgreSQL database: a schema of its own, and its read database another one."""

    def __init__(self, url: str) -> None:
        self.journal: str | Path = url
        self._schema = dict(parse_qsl(urlsplit(url).query)).get("journal", "actum")

    def __str__(self) -> str:
        return str(self.journal)

    def is_taken(self) -> bool:
        """Whether there is something already."""
        return self._ask("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", self._schema)

    def delete_views(self) -> list[str]:
        """Delete the read database; what was deleted."""
        schema = f"{self._schema}_views"
        self._ask(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        return [f"schema {schema}"]

    def _ask(self, statement: str, *bound: str) -> bool:
        # Whoever uses PostgreSQL has its driver; whoever does not, needs none.
        import psycopg  # noqa: PLC0415

        from actum.stores.postgres.address import address_of  # noqa: PLC0415

        with closing(psycopg.connect(address_of(str(self.journal)).conninfo, autocommit=True)) as connection:
            done = connection.execute(statement.encode(), bound or None)
            row = done.fetchone() if done.description else None
            return bool(row and row[0])


Place = FilePlace | PostgresPlace


def place_of(journal: str) -> Place:
    """The place that the text names: a path, or postgresql://…"""
    return PostgresPlace(journal) if journal.startswith(("postgresql://", "postgres://")) else FilePlace(Path(journal))
