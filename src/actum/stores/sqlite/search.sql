-- Named statements of an index for searching.

-- name: begin
-- Say what it is derived from, unless it is said.
INSERT INTO actum_search (origin, position, event) SELECT ?, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM actum_search);

-- name: origin
-- What it is derived from.
SELECT origin FROM actum_search;

-- name: mark
-- How far it has come.
SELECT position, event FROM actum_search;

-- name: move
-- It has come further, from where it was.
UPDATE actum_search SET position = ?, event = ? WHERE position = ? AND event = ?;

-- name: add_id
-- An event by its id.
INSERT OR IGNORE INTO actum_ids (half, position) VALUES (?, ?);

-- name: add_story
-- An event by its story.
INSERT OR IGNORE INTO actum_stories (half, position) VALUES (?, ?);

-- name: add_cause
-- An event by its cause.
INSERT OR IGNORE INTO actum_causes (half, position) VALUES (?, ?);

-- name: add_tick
-- The last position of ten seconds so far.
INSERT INTO actum_clock (tick, last) VALUES (?, ?) ON CONFLICT (tick) DO UPDATE SET last = excluded.last;

-- name: add_type
-- So many more of a type.
INSERT INTO actum_types (type, count) VALUES (?, ?) ON CONFLICT (type) DO UPDATE SET count = count + excluded.count;

-- name: add_words
-- An event by its words.
INSERT INTO actum_words (rowid, words) VALUES (?, ?);

-- name: with_id
-- Where an event of that id may stand.
SELECT position FROM actum_ids WHERE half = ? ORDER BY position;

-- name: of_story_newest
-- Where events of that story may stand, the last ones first.
SELECT position FROM actum_stories WHERE half = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?;

-- name: of_story_oldest
-- Where events of that story may stand, the first ones first.
SELECT position FROM actum_stories WHERE half = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?;

-- name: caused_by_newest
-- Where events of that cause may stand, the last ones first.
SELECT position FROM actum_causes WHERE half = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?;

-- name: caused_by_oldest
-- Where events of that cause may stand, the first ones first.
SELECT position FROM actum_causes WHERE half = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?;

-- name: find_newest
-- Where events of these words stand, the last ones first.
SELECT rowid FROM actum_words WHERE actum_words MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid DESC LIMIT ?;

-- name: find_oldest
-- Where events of these words stand, the first ones first.
SELECT rowid FROM actum_words WHERE actum_words MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?;

-- name: last_until
-- The last position before ten seconds.
SELECT last FROM actum_clock WHERE tick < ? ORDER BY tick DESC LIMIT 1;

-- name: types
-- How many there are of each type.
SELECT type, count FROM actum_types ORDER BY type;

-- name: clear
-- Begin anew.
DELETE FROM actum_ids; DELETE FROM actum_stories; DELETE FROM actum_causes; DELETE FROM actum_clock;
DELETE FROM actum_types; INSERT INTO actum_words (actum_words) VALUES ('delete-all');
UPDATE actum_search SET position = 0, event = x'';
