-- An index for searching, first version. Never edited: the next version is a file of its own.

-- What the file says of itself: origin (the journal it is derived from), and how far it has come.
CREATE TABLE actum_search (
    origin   TEXT NOT NULL,
    position INTEGER NOT NULL,
    event    BLOB NOT NULL
) STRICT;

-- Events by the first half of an id. Those of UUIDv7 grow with time, so that new ones are written side by side.
CREATE TABLE actum_ids (
    half     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (half, position)
) STRICT, WITHOUT ROWID;

-- Events by the first half of their story's id.
CREATE TABLE actum_stories (
    half     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (half, position)
) STRICT, WITHOUT ROWID;

-- Events by the first half of their cause's id, where that is not their own command.
CREATE TABLE actum_causes (
    half     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (half, position)
) STRICT, WITHOUT ROWID;

-- The last position of each ten seconds in which something was recorded.
CREATE TABLE actum_clock (
    tick INTEGER PRIMARY KEY NOT NULL,
    last INTEGER NOT NULL
) STRICT;

-- How many events there are of each type.
CREATE TABLE actum_types (
    type  TEXT PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events by their words: only which ones, not where in them.
CREATE VIRTUAL TABLE actum_words USING fts5 (
    words, content = '', detail = none, columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
