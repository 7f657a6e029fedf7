-- A read database, fifth version: which tables a follower has made itself. Never edited.

CREATE TABLE actum_made (
    made TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
