-- Named statements about tables that followers make themselves, and about the rooms beside a read database. {schema} is the
-- read database's schema, {room} that of a room, both quoted.

-- name: rooms
-- The definitions of a name whose tables are in rooms: what is live has shares here.
SELECT shape, role FROM {schema}.actum_views WHERE called = %s
    AND NOT EXISTS (SELECT 1 FROM {schema}.actum_shares WHERE actum_shares.name = actum_views.name) ORDER BY name;

-- name: has_room
-- Whether a definition is known.
SELECT true FROM {schema}.actum_views WHERE name = %s;

-- name: add_room
-- A definition whose tables are in a room.
INSERT INTO {schema}.actum_views (name, fingerprint, shape, called, role) VALUES (%s, %s, %s, %s, 'candidate');

-- name: made
-- The tables that a follower has made.
SELECT made FROM {schema}.actum_made WHERE name = %s ORDER BY made;

-- name: makers
-- Who has made tables of these names, and what is called so by a view.
SELECT made FROM {schema}.actum_made WHERE made = ANY (%(names)s)
UNION SELECT called FROM {schema}.actum_views WHERE called = ANY (%(names)s) AND called != %(but)s;

-- name: make
-- A follower has made tables.
INSERT INTO {schema}.actum_made (made, name) SELECT made, %s FROM unnest(%s::text[]) AS made
ON CONFLICT (made) DO UPDATE SET name = excluded.name;

-- name: unmake
-- A follower has made nothing.
DELETE FROM {schema}.actum_made WHERE name = %s;

-- name: there
-- All tables, views and sequences of a schema, but for actum's own, and for sequences that belong to a column.
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = %s AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT starts_with(relname, 'actum_')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i') AND refobjsubid > 0
        AND classid = 'pg_class'::regclass) ORDER BY relname;

-- name: tables_among
-- Those of these names that have rows of their own.
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = %s AND relkind IN ('r', 'p') AND relname = ANY (%s) ORDER BY relname COLLATE "C";

-- name: just_made
-- What this transaction has made, or holds for itself alone, in a schema.
SELECT DISTINCT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock' AND nspname = %s
    AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT starts_with(relname, 'actum_');

-- name: changed_outside
-- What this transaction changes, or may change, outside of a schema.
SELECT nspname || '.' || relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'SIReadLock')
    AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname != %s AND nspname != 'information_schema'
    AND NOT starts_with(nspname, 'pg_') ORDER BY relname LIMIT 1;

-- name: outside
-- All that there is outside of a schema.
SELECT pg_class.oid, nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname != %s AND NOT starts_with(nspname, 'pg_') AND nspname != 'information_schema';

-- name: dropped
-- Which of these relations this transaction has dropped.
SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
    AND relation = ANY (%s::oid[]) AND NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = relation) LIMIT 1;

-- name: columns
-- The columns of a table, their types, and at which place of its primary key they are.
SELECT attname, atttypid IN (20, 21, 23), coalesce(array_position(indkey::smallint[], attnum), -1)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
WHERE nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- name: told_alike
-- Whatever is told as text is told alike to everybody, until the transaction ends.
SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'iso_8601', true),
    set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true);

-- name: moves
-- How relations go from one schema into another, with the types of their columns and the functions of their triggers.
WITH mine AS (
    SELECT pg_class.oid, relname, relkind FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %(from)s::text AND relname = ANY (%(names)s)
)
SELECT format('ALTER %%s %%I.%%I SET SCHEMA %%I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, %(from)s::text, relname, %(to)s::text) FROM mine
UNION ALL SELECT DISTINCT format('ALTER TYPE %%I.%%I SET SCHEMA %%I', nspname, kind.typname, %(to)s::text)
    FROM mine JOIN pg_attribute ON attrelid = mine.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type AS cell ON cell.oid = atttypid JOIN pg_type AS kind ON kind.oid IN (cell.oid, cell.typelem)
    JOIN pg_namespace ON pg_namespace.oid = kind.typnamespace
    WHERE nspname = %(from)s::text AND kind.typtype IN ('e', 'd')
UNION ALL SELECT DISTINCT format('ALTER FUNCTION %%s SET SCHEMA %%I', pg_proc.oid::regprocedure, %(to)s::text)
    FROM mine JOIN pg_trigger ON tgrelid = mine.oid AND NOT tgisinternal JOIN pg_proc ON pg_proc.oid = tgfoid
    JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = %(from)s::text;

-- name: still
-- A follower stands still until the transaction ends; whether it is there.
SELECT true FROM {room}.actum_shares WHERE name = %s FOR UPDATE;

-- name: bring_definition
-- A definition goes into a room, where there is no other.
INSERT INTO {room}.actum_views (name, fingerprint, shape, called, role)
SELECT name, fingerprint, shape, called, 'live' FROM {schema}.actum_views WHERE name = %s;

-- name: put_shares
-- How far it has come, goes along; in nobody's hands, and under another epoch.
INSERT INTO {room}.actum_shares (name, low, high, position, event, epoch, owner, until)
SELECT name, low, high, position, event, epoch + 1, '', 'epoch' FROM {schema}.actum_shares WHERE name = %s;

-- name: bring_shares
-- The same, out of a room.
INSERT INTO {schema}.actum_shares (name, low, high, position, event, epoch, owner, until)
SELECT name, low, high, position, event, epoch + 1, '', 'epoch' FROM {room}.actum_shares WHERE name = %s;

-- name: put_parked
-- What is put aside goes along.
INSERT INTO {room}.actum_parked SELECT * FROM {schema}.actum_parked WHERE name = %s;

-- name: bring_parked
-- The same, out of a room.
INSERT INTO {schema}.actum_parked SELECT * FROM {room}.actum_parked WHERE name = %s;

-- name: bring_notes
-- What is to go into the journal comes out of a room.
INSERT INTO {schema}.actum_notes (id, type, version, tags, data, metadata, salt)
SELECT id, type, version, tags, data, metadata, salt FROM {room}.actum_notes ORDER BY number;
