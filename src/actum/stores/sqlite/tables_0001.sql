-- A read database, first version. Never edited: the next version is a file of its own.

-- What the file says of itself: origin (the name of the journal it is derived from).
CREATE TABLE actum_about (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The views: the fold that their rows come from, and the event up to which everything is in them.
CREATE TABLE actum_views (
    name        TEXT PRIMARY KEY NOT NULL,
    fingerprint BLOB NOT NULL,
    position    INTEGER NOT NULL,
    event       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
