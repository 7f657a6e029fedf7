-- A read database, second version: events that cannot be taken in are put aside, and what was done is noted. Never edited.

-- Keys whose events are not taken in: the first of them, and what it failed over.
CREATE TABLE {schema}.actum_parked (
    name     text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event    bytea NOT NULL,
    error    text NOT NULL,
    trace    text NOT NULL,
    attempts integer NOT NULL,
    PRIMARY KEY (name, key)
);

-- Events on their way into the journal.
CREATE TABLE {schema}.actum_notes (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       bytea NOT NULL UNIQUE,
    type     text NOT NULL,
    version  integer NOT NULL,
    tags     text NOT NULL,
    data     bytea NOT NULL,
    metadata bytea NOT NULL,
    salt     bytea NOT NULL
);
