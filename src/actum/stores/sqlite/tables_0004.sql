-- A read database, fourth version: events that cannot be taken in are put aside, and what was done is noted. Never edited.

-- Keys whose events are not taken in: the first of them, and what it failed over.
CREATE TABLE actum_parked (
    name     TEXT NOT NULL,
    key      TEXT NOT NULL,
    position INTEGER NOT NULL,
    event    BLOB NOT NULL,
    error    TEXT NOT NULL,
    trace    TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;

-- Events on their way into the journal.
CREATE TABLE actum_notes (
    number   INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE,
    type     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    tags     TEXT NOT NULL,
    data     BLOB NOT NULL,
    metadata BLOB NOT NULL,
    salt     BLOB NOT NULL
) STRICT;
