-- A read database, first version. Never edited: the next version is a file of its own. {schema} is its schema, quoted.

-- What the read database says of itself: layout (its version) and origin (the name of the journal it is derived from).
-- Whoever makes or drops a table locks this one: see tables.sql.
CREATE TABLE {schema}.actum_about (
    name  text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

-- The views: the fold that their rows come from, and several tables of one name, one of them live.
CREATE TABLE {schema}.actum_views (
    name        text COLLATE "C" PRIMARY KEY,
    fingerprint bytea NOT NULL,
    shape       text NOT NULL,
    called      text COLLATE "C" NOT NULL,
    role        text NOT NULL CHECK (role IN ('live', 'candidate', 'kept'))
);

CREATE UNIQUE INDEX actum_views_live ON {schema}.actum_views (called) WHERE role = 'live';

-- Ranges of a view's 1024 slices: the event up to which everything of theirs is in the rows, and who holds them until when
-- by this server's clock ('' and 1970 for nobody). Every change of hands or range raises the epoch. A row moves at every
-- page, so there is room for the new version of a row beside the old one.
CREATE TABLE {schema}.actum_shares (
    name     text COLLATE "C" NOT NULL,
    low      integer NOT NULL,
    high     integer NOT NULL,
    position bigint NOT NULL,
    event    bytea NOT NULL,
    epoch    bigint NOT NULL,
    owner    text COLLATE "C" NOT NULL,
    until    timestamptz NOT NULL,
    PRIMARY KEY (name, low)
) WITH (fillfactor = 10);

-- Who works on which view, and until when they are believed to be alive.
CREATE TABLE {schema}.actum_workers (
    name   text COLLATE "C" NOT NULL,
    worker text COLLATE "C" NOT NULL,
    until  timestamptz NOT NULL,
    PRIMARY KEY (name, worker)
);
