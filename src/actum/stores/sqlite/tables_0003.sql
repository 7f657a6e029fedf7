-- A read database, third version: a view is followed in shares, which workers hold by leases. Never edited.

-- Ranges of a view's 1024 slices: the event up to which everything of theirs is in the rows, and who holds them until when
-- (seconds since 1970 by this database's clock; '' and 0 for nobody). Every change of hands or range raises the epoch.
CREATE TABLE actum_shares (
    name     TEXT NOT NULL,
    low      INTEGER NOT NULL,
    high     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event    BLOB NOT NULL,
    epoch    INTEGER NOT NULL,
    owner    TEXT NOT NULL,
    until    REAL NOT NULL,
    PRIMARY KEY (name, low)
) STRICT, WITHOUT ROWID;

INSERT INTO actum_shares (name, low, high, position, event, epoch, owner, until)
SELECT name, 0, 1023, position, event, 0, '', 0 FROM actum_views;

ALTER TABLE actum_views DROP COLUMN position;

ALTER TABLE actum_views DROP COLUMN event;

-- Who works on which view, and until when they are believed to be alive.
CREATE TABLE actum_workers (
    name   TEXT NOT NULL,
    worker TEXT NOT NULL,
    until  REAL NOT NULL,
    PRIMARY KEY (name, worker)
) STRICT, WITHOUT ROWID;
