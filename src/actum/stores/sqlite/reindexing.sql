-- Named statements about the tag index as a whole.

-- name: reach
-- How far the index reaches, as the file says.
SELECT CAST(value AS INTEGER) FROM journal WHERE name = 'indexed';

-- name: reach_to
-- Say how far the index reaches.
UPDATE journal SET value = ? WHERE name = 'indexed';

-- name: newest
-- The newest position, 0 where there is none.
SELECT ifnull(max(position), 0) FROM events;

-- name: name_entries
-- Make what the index holds readable, for this connection alone.
CREATE VIRTUAL TABLE IF NOT EXISTS temp.tag_entries USING fts5vocab(main, tag_index, 'instance');

-- name: entries
-- What the index holds of the tokens in a range, up to a position.
SELECT term, doc FROM temp.tag_entries WHERE term >= ? AND term < ? AND doc <= ?;

-- name: tags
-- The tags of a page of events.
SELECT position, tags FROM events WHERE position > ? AND position <= ?;

-- name: mark_kinds
-- Write down the newest position of the type of each kind, up to a position.
UPDATE kinds SET last = newest.position
FROM (
    SELECT same.type AS type, max(events.position) AS position
    FROM events JOIN kinds AS same ON same.id = events.kind WHERE events.position <= ? GROUP BY same.type
) AS newest
WHERE newest.type = kinds.type;
