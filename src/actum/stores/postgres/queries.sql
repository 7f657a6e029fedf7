-- Named statements of the journal: "-- name: verb", a comment, one statement. {schema} is the journal's schema.
-- {event} are the columns of an event, {keys} what its index holds, {order} the direction of reading.

-- name: described
-- What the journal says of itself.
SELECT name, value FROM {schema}.journal;

-- name: describe
-- Say one thing of the journal.
INSERT INTO {schema}.journal (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2;

-- name: newest
-- The newest event: position, time of recording, commitment.
SELECT position, recorded, leaf FROM {schema}.events ORDER BY position DESC LIMIT 1;

-- name: head
-- The newest position.
SELECT position FROM {schema}.events ORDER BY position DESC LIMIT 1;

-- name: now
-- What the clock says that is given, or else the server's, which is one for all; never earlier than what is on record.
SELECT greatest(
    (SELECT recorded FROM {schema}.events ORDER BY position DESC LIMIT 1),
    coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
);

-- name: leaf_at
-- The commitment of the event at a position.
SELECT leaf FROM {schema}.events WHERE position = $1;

-- name: recent
-- What the window in memory keeps of each event, when it was recorded, and its commitment.
SELECT position, type, tags, recorded, leaf FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2;

-- name: append
-- See the function.
SELECT at, kind, about, since, sealed FROM {schema}.append(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24
);

-- name: take_turn
-- See the function.
SELECT {schema}.take_turn($1);

-- name: take_on
-- See the function.
SELECT {schema}.take_on($1);

-- name: number_handler
-- See the function.
SELECT {schema}.number_handler($1);

-- name: number_shape
-- See the function.
SELECT {schema}.number_shape($1);

-- name: kinds
-- All kinds of events.
SELECT type, version FROM {schema}.kinds;

-- name: read
-- A page of all events.
SELECT {event} FROM {schema}.events AS e
WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position {order} LIMIT $3;

-- name: read_types
-- A page of the events of some types, by going through all of a stretch.
SELECT {event} FROM {schema}.events AS e
WHERE e.position > $1 AND e.position <= $2 AND e.type = ANY ($4::text[]) ORDER BY e.position {order} LIMIT $3;

-- name: skim
-- Of a page of the events of some types what a fold needs.
SELECT e.position, e.type, e.version, e.id, e.tags, e.data FROM {schema}.events AS e
WHERE e.position > $1 AND e.position <= $2 AND e.type = ANY ($4::text[]) ORDER BY e.position LIMIT $3;

-- name: find
-- A page of the events that carry all of some keys and are of one of some types, where any are named. What is added to
-- the position, also where it orders, keeps the planner on the index of the keys: it would walk through all events.
SELECT {event} FROM {schema}.events AS e
WHERE {keys} @> $4::text[] AND ($5::text[] IS NULL OR e.type = ANY ($5)) AND e.position + 0 > $1 AND e.position + 0 <= $2
ORDER BY e.position + 0 {order} LIMIT $3;

-- name: find_any
-- The same for several sets of keys, each joined by line feeds: an event is found that carries all of one of them. The
-- offset keeps the planner from looking at every event for each of them.
SELECT {event} FROM {schema}.events AS e
WHERE e.position = ANY (ARRAY(
    SELECT DISTINCT found.position
    FROM unnest($4::text[], $5::text[]) AS asked (keys, types)
    CROSS JOIN LATERAL (
        SELECT e.position FROM {schema}.events AS e
        WHERE {keys} @> string_to_array(asked.keys, E'\n')
        AND (asked.types IS NULL OR e.type = ANY (string_to_array(asked.types, E'\n')))
        OFFSET 0
    ) AS found
    WHERE found.position > $1 AND found.position <= $2
    ORDER BY found.position {order} LIMIT $3
)) ORDER BY e.position {order};

-- name: load
-- For each set of keys, all events behind its own position, and the head as of the same moment.
SELECT (SELECT coalesce(max(position), 0) FROM {schema}.events), asked.number, found.*
FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS asked (keys, types, after, number)
LEFT JOIN LATERAL (
    SELECT {event} FROM {schema}.events AS e
    WHERE {keys} @> string_to_array(asked.keys, E'\n')
    AND (asked.types IS NULL OR e.type = ANY (string_to_array(asked.types, E'\n')))
    AND e.position + 0 > asked.after
) AS found ON true;

-- name: decision
-- The decision on a command.
SELECT d.command, d.digest, h.name, s.name, d.tags, d.after, d.first, d.count
FROM {schema}.decisions AS d JOIN {schema}.handlers AS h ON h.id = d.handler
LEFT JOIN {schema}.shapes AS s ON s.id = d.shape
WHERE d.command = $1;

-- name: decided
-- The decisions on several commands.
SELECT d.command, d.digest, h.name, s.name, d.tags, d.after, d.first, d.count
FROM {schema}.decisions AS d JOIN {schema}.handlers AS h ON h.id = d.handler
LEFT JOIN {schema}.shapes AS s ON s.id = d.shape
WHERE d.command = ANY ($1::bytea[]);

-- name: decisions
-- The decisions whose first event stands in a stretch.
SELECT d.command, d.digest, h.name, s.name, d.tags, d.after, d.first, d.count
FROM {schema}.decisions AS d JOIN {schema}.handlers AS h ON h.id = d.handler
LEFT JOIN {schema}.shapes AS s ON s.id = d.shape
WHERE d.first > $1 AND d.first <= $2 ORDER BY d.first;

-- name: snapshot
-- A remembered fold.
SELECT position, fingerprint, data FROM {schema}.snapshots WHERE key = $1;

-- name: remember
-- Remember a fold.
INSERT INTO {schema}.snapshots (key, position, fingerprint, data) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET position = $2, fingerprint = $3, data = $4;

-- name: listen
-- Hear of what other processes append.
LISTEN {schema};

-- name: notify
-- Tell other processes of the head, without waiting for the disk.
SELECT pg_notify('{schema}', $1), set_config('synchronous_commit', 'off', true);
