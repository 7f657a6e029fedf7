-- Named statements of the journal's file: "-- name: verb", a comment, one statement.

-- name: head
-- The newest position and its time of recording; how far the index reaches.
SELECT position, recorded, (SELECT value FROM journal WHERE name = 'indexed')
FROM events ORDER BY position DESC LIMIT 1;

-- name: newest
-- The newest position.
SELECT max(position) FROM events;

-- name: describe
-- One thing the file says of itself.
SELECT value FROM journal WHERE name = ?;

-- name: write_description
-- Say one thing of the file.
INSERT INTO journal (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2;

-- name: describe_once
-- Say one thing of the file, unless it is said.
INSERT INTO journal (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: kinds
-- All kinds of events, and where the newest of each stood when the index was written.
SELECT id, type, version, last FROM kinds;

-- name: add_kind
-- Name a kind.
INSERT INTO kinds (id, type, version) VALUES (?, ?, ?);

-- name: mark_kinds
-- Write down the newest position of each kind; a JSON array of [id, position].
UPDATE kinds SET last = marks.position
FROM (SELECT value ->> 0 AS id, value ->> 1 AS position FROM json_each(?)) AS marks
WHERE kinds.id = marks.id;

-- name: read_forwards
-- A page of all events.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?;

-- name: read_backwards
-- A page of all events, newest first.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position > ? AND position <= ? ORDER BY position DESC LIMIT ?;

-- name: read_types_forwards
-- A page of the events of some types, as a JSON array of names: one snapshot knows every version there is.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position > ? AND position <= ?
AND kind IN (SELECT id FROM kinds WHERE type IN (SELECT value FROM json_each(?4)))
ORDER BY position LIMIT ?3;

-- name: read_types_backwards
-- The same, newest first.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position > ? AND position <= ?
AND kind IN (SELECT id FROM kinds WHERE type IN (SELECT value FROM json_each(?4)))
ORDER BY position DESC LIMIT ?3;

-- name: skim
-- Of a page of the events of some types what a fold needs.
SELECT position, kind, id, tags, data FROM events WHERE position > ? AND position <= ?
AND kind IN (SELECT id FROM kinds WHERE type IN (SELECT value FROM json_each(?4)))
ORDER BY position LIMIT ?3;

-- name: read_kinds_backwards
-- A page of the events of some kinds, newest first; their ids as a JSON array.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position > ? AND position <= ? AND kind IN (SELECT value FROM json_each(?4))
ORDER BY position DESC LIMIT ?3;

-- name: read_positions
-- The events at some positions, as a JSON array.
SELECT position, kind, id, recorded, effective, tags, data, metadata, salt, leaf
FROM events WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position;

-- name: read_tagged
-- The events that the index finds for an expression.
SELECT e.position, e.kind, e.id, e.recorded, e.effective, e.tags, e.data, e.metadata, e.salt, e.leaf
FROM tag_index AS t CROSS JOIN events AS e ON e.position = t.rowid
WHERE t.tag_index MATCH ? AND t.rowid > ? AND t.rowid <= ? ORDER BY t.rowid;

-- name: find_forwards
-- Where the index finds an expression.
SELECT rowid FROM tag_index WHERE tag_index MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?;

-- name: find_backwards
-- The same, newest first.
SELECT rowid FROM tag_index WHERE tag_index MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid DESC LIMIT ?;

-- name: recent
-- What the window in memory keeps of each event.
SELECT position, kind, tags FROM events WHERE position > ? AND position <= ? ORDER BY position;

-- name: index_tags
-- Add events to the index behind a position; an array of their tokens, empty for one without tags.
INSERT INTO tag_index (rowid, tokens) SELECT ? + rowid, value FROM carray(?) WHERE value != '';

-- name: empty_index
-- Forget the index, to write it anew.
INSERT INTO tag_index (tag_index) VALUES ('delete-all');

-- name: id_at
-- The id of the event at a position.
SELECT id FROM events WHERE position = ?;

-- name: handlers
-- All rules that ever decided.
SELECT id, name FROM handlers;

-- name: add_handler
-- Name a rule.
INSERT INTO handlers (id, name) VALUES (?, ?);

-- name: shapes
-- All shapes of conditions.
SELECT id, shape FROM shapes;

-- name: add_shape
-- Name a shape.
INSERT INTO shapes (id, shape) VALUES (?, ?);

-- name: decision
-- The decision on a command.
SELECT d.command, d.digest, h.name, s.shape, d.tags, d.after, d.first, d.count
FROM decisions AS d JOIN handlers AS h ON h.id = d.handler LEFT JOIN shapes AS s ON s.id = d.shape
WHERE d.command = ?;

-- name: decided
-- The decisions on several commands, as a JSON array of hexadecimal ids.
SELECT d.command, d.digest, h.name, s.shape, d.tags, d.after, d.first, d.count
FROM decisions AS d JOIN handlers AS h ON h.id = d.handler LEFT JOIN shapes AS s ON s.id = d.shape
WHERE d.command IN (SELECT unhex(value) FROM json_each(?));

-- name: decisions
-- A page of the decisions behind a position and a command.
SELECT d.command, d.digest, h.name, s.shape, d.tags, d.after, d.first, d.count
FROM decisions AS d JOIN handlers AS h ON h.id = d.handler LEFT JOIN shapes AS s ON s.id = d.shape
WHERE (d.first, d.command) > (?, ?) ORDER BY d.first, d.command LIMIT ?;

-- name: snapshot
-- A remembered fold.
SELECT position, fingerprint, data FROM snapshots WHERE key = ?;

-- name: remember
-- Remember a fold.
INSERT INTO snapshots (key, position, fingerprint, data) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (key) DO UPDATE SET position = ?2, fingerprint = ?3, data = ?4;
