-- Named statements about tables that followers make themselves, and about the rooms beside a read database. {from} is the schema
-- of a file that is attached.

-- name: rooms
-- The definitions of a name whose tables are in rooms: what is live has shares here.
SELECT shape, role FROM actum_views WHERE called = ? AND shape IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM actum_shares WHERE actum_shares.name = actum_views.name) ORDER BY name;

-- name: names
-- What a file holds.
SELECT name FROM sqlite_schema;

-- name: has_room
-- Whether a definition is known.
SELECT 1 FROM actum_views WHERE name = ?;

-- name: add_room
-- A definition whose tables are in a room.
INSERT INTO actum_views (name, fingerprint, shape, called, role) VALUES (?, ?, ?, ?, 'candidate');

-- name: made
-- The tables that a follower has made.
SELECT made FROM actum_made WHERE name = ? ORDER BY made;

-- name: maker
-- Which follower has made a table.
SELECT name FROM actum_made WHERE made = ?;

-- name: make
-- A follower has made a table.
INSERT INTO actum_made (made, name) VALUES (?, ?) ON CONFLICT (made) DO UPDATE SET name = excluded.name;

-- name: unmake
-- A follower has made nothing.
DELETE FROM actum_made WHERE name = ?;

-- name: there
-- All tables of a file, and what kind each of them is, but for those that SQLite and actum keep for themselves.
SELECT name, type, wr FROM pragma_table_list WHERE schema = ? AND type IN ('table', 'virtual', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
AND name NOT IN ('actum_about', 'actum_views', 'actum_shares', 'actum_workers', 'actum_parked', 'actum_notes', 'actum_made')
ORDER BY type = 'view', name;

-- name: shadows
-- The tables in which a virtual one keeps what it holds: named after it, and after none whose own name begins alike.
SELECT name FROM pragma_table_list AS shadow WHERE schema = ?1 AND type = 'shadow' AND substr(name, 1, length(?2) + 1) = ?2 || '_' COLLATE NOCASE
AND NOT EXISTS (SELECT 1 FROM pragma_table_list AS other WHERE other.schema = ?1 AND other.type = 'virtual' AND length(other.name) > length(?2)
    AND substr(shadow.name, 1, length(other.name) + 1) = other.name || '_' COLLATE NOCASE) ORDER BY name;

-- name: belonging
-- What these tables and views are called, and their indexes and triggers.
SELECT name FROM sqlite_schema WHERE tbl_name IN (SELECT value FROM json_each(?)) AND name NOT LIKE 'sqlite\_%' ESCAPE '\';

-- name: staying
-- What is called like one of these, by SQLite's own sameness, and belongs to none of those that go.
SELECT name FROM sqlite_schema WHERE tbl_name NOT IN (SELECT value FROM json_each(?1))
AND EXISTS (SELECT 1 FROM json_each(?2) WHERE value = name COLLATE NOCASE) ORDER BY name;

-- name: columns
-- The columns of a table: which can be written, and at which place of the key they are (0 for none).
SELECT name, hidden = 0, pk FROM pragma_table_xinfo(?, ?) WHERE hidden != 1 ORDER BY cid;

-- name: bring_definition
-- A definition comes along; in a room there is no other.
INSERT INTO main.actum_views (name, fingerprint, shape, called, role)
SELECT name, fingerprint, shape, called, 'live' FROM {from}.actum_views WHERE name = ?;

-- name: bring_shares
-- How far it has come, comes along; in nobody's hands, and under another epoch.
INSERT INTO main.actum_shares (name, low, high, position, event, epoch, owner, until)
SELECT name, low, high, position, event, epoch + 1, '', 0 FROM {from}.actum_shares WHERE name = ?;

-- name: bring_parked
-- What is put aside comes along.
INSERT INTO main.actum_parked SELECT * FROM {from}.actum_parked WHERE name = ?;

-- name: bring_notes
-- What is to go into the journal comes along.
INSERT INTO main.actum_notes (id, type, version, tags, data, metadata, salt)
SELECT id, type, version, tags, data, metadata, salt FROM {from}.actum_notes ORDER BY number;

-- name: bring_numbers
-- The numbers that were given last come along.
INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM {from}.sqlite_sequence WHERE name = ?;

-- name: forget_numbers
-- What SQLite has noted when rows were written.
DELETE FROM main.sqlite_sequence WHERE name = ?;

-- name: has_numbers
-- Whether numbers are given in a file.
SELECT 1 FROM {from}.sqlite_schema WHERE name = 'sqlite_sequence';

-- name: definitions
-- How a table or view was made, and then its indexes and triggers.
SELECT sql FROM {from}.sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY name != ?1;
