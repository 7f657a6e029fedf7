-- The journal's file, first version. Never edited: the next version is a file of its own.

-- What the file says of itself: origin (the journal's name for ever), indexed (how far tag_index reaches).
CREATE TABLE journal (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Event types and schema versions, each named once. "last" is the newest position of the kind up to "indexed".
CREATE TABLE kinds (
    id      INTEGER PRIMARY KEY,
    type    TEXT NOT NULL,
    version INTEGER NOT NULL,
    last    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (type, version)
) STRICT;

-- The events. Times are microseconds since 1970; tags are joined by line feeds; data and metadata are verbatim.
CREATE TABLE events (
    position  INTEGER PRIMARY KEY,
    kind      INTEGER NOT NULL REFERENCES kinds (id),
    id        BLOB NOT NULL,
    recorded  INTEGER NOT NULL,
    effective INTEGER,
    tags      TEXT NOT NULL,
    data      BLOB NOT NULL,
    metadata  BLOB NOT NULL,
    salt      BLOB NOT NULL,
    leaf      BLOB NOT NULL
) STRICT;

-- Which events carry a tag: a document per event, a token per tag (64 bits of its hash). Derived, and a little behind:
-- events beyond "indexed" are found in the memory of whoever has the journal open.
CREATE VIRTUAL TABLE tag_index USING fts5 (
    tokens, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
);

-- Rules that decided, and the shapes of the conditions they decided under, each named once.
CREATE TABLE handlers (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE shapes (
    id    INTEGER PRIMARY KEY,
    shape TEXT NOT NULL UNIQUE
) STRICT;

-- One row a decision: the command it answers, the condition it rested on, the events it led to.
CREATE TABLE decisions (
    command BLOB PRIMARY KEY NOT NULL,
    digest  BLOB NOT NULL,
    handler INTEGER NOT NULL REFERENCES handlers (id),
    shape   INTEGER REFERENCES shapes (id),
    tags    TEXT,
    after   INTEGER,
    first   INTEGER NOT NULL,
    count   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Remembered folds: a cache, may be emptied at any time.
CREATE TABLE snapshots (
    key         TEXT PRIMARY KEY NOT NULL,
    position    INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    data        BLOB NOT NULL
) STRICT, WITHOUT ROWID;
