-- Named statements about tables that followers make themselves, and about the rooms beside a read database. {schema} is the
-- read database's schema, {room} that of a room, both quoted.

-- name: rooms
-- The definitions of a name whose tables are in rooms: what is live has shares here.
SELECT shape, role FROM {schema}.actum_views WHERE called = %s
    AND NOT EXISTS (SELECT 1 FROM {schema}.actum_shares WHERE actum_shares.name = actum_views.name) ORDER BY name;

-- name: has_room
-- Whether a definition is known.
SELECT true FROM {schema}.actum_views WHERE name = %s;

-- name: is_related
-- Whether a read database in another schema was derived from the same journal.
SELECT EXISTS (SELECT 1 FROM {room}.actum_about AS there JOIN {schema}.actum_about AS here USING (name, value) WHERE name = 'origin');

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

-- name: signature
-- How a function is told apart from others: by its name and the types of what it is given.
concat(proname, '(', (SELECT string_agg(typname, ',' ORDER BY nth) FROM unnest(proargtypes) WITH ORDINALITY AS given (kind, nth)
    JOIN pg_type ON pg_type.oid = kind), ')')

-- name: there
-- All that stands in a schema, and whether this transaction has made it, or holds it for itself alone: tables, views, sequences, functions by
-- their signatures, types; but for actum's own, for what belongs to a column, and for what belongs to an extension.
SELECT relname, pg_class.oid IN (SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock')
FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND relname NOT IN ('actum_about', 'actum_views', 'actum_shares', 'actum_workers', 'actum_parked', 'actum_notes', 'actum_made')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND classid = 'pg_class'::regclass
        AND (deptype = 'e' OR deptype IN ('a', 'i') AND refobjsubid > 0))
UNION ALL SELECT signature, age(pg_proc.xmin) <= 0 FROM pg_proc, LATERAL {signature} AS signature
WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s)
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND classid = 'pg_proc'::regclass AND deptype IN ('e', 'i'))
UNION ALL SELECT typname, age(pg_type.xmin) <= 0 FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s) AND (typtype IN ('e', 'd', 'r') OR relkind = 'c')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_type.oid AND classid = 'pg_type'::regclass AND deptype = 'e')
ORDER BY 1;

-- name: tables_among
-- Those of these names that have rows of their own.
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = %s AND relkind IN ('r', 'p') AND relname = ANY (%s) ORDER BY relname COLLATE "C";

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
-- How what has these names goes from one schema into another: functions first, which are told by the types that they are given.
SELECT statement FROM (
    SELECT 1, format('ALTER ROUTINE %%s SET SCHEMA %%I', pg_proc.oid::regprocedure, %(to)s::text)
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = %(from)s::text AND {signature} = ANY (%(names)s)
    UNION ALL SELECT 2, format('ALTER TYPE %%I.%%I SET SCHEMA %%I', nspname, typname, %(to)s::text)
    FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE nspname = %(from)s::text AND typname = ANY (%(names)s) AND (typtype IN ('e', 'd', 'r') OR relkind = 'c')
    UNION ALL SELECT 3, format('ALTER %%s %%I.%%I SET SCHEMA %%I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
        WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, %(from)s::text, relname, %(to)s::text)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %(from)s::text AND relname = ANY (%(names)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
) AS moves (turn, statement) ORDER BY turn;

-- name: names_taken
-- Indexes of the tables that come which are called like something in the other schema that belongs to nothing that goes.
SELECT index.relname FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS indexed ON indexed.oid = indrelid
JOIN pg_namespace ON pg_namespace.oid = indexed.relnamespace
WHERE nspname = %(from)s AND indexed.relname = ANY (%(come)s) AND EXISTS (
    SELECT 1 FROM pg_class AS other JOIN pg_namespace ON pg_namespace.oid = other.relnamespace LEFT JOIN pg_index ON indexrelid = other.oid
        LEFT JOIN pg_class AS its ON its.oid = indrelid
    WHERE nspname = %(to)s AND other.relname = index.relname AND NOT coalesce(its.relname, other.relname) = ANY (%(gone)s)
) ORDER BY 1;

-- name: stays
-- What is in a schema and no statement moves.
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend JOIN pg_namespace ON pg_namespace.oid = refobjid
WHERE refclassid = 'pg_namespace'::regclass AND deptype = 'n' AND nspname = %s
    AND classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass) ORDER BY 1;

-- name: leaning
-- What else depends on what has these names: views, keys, triggers and columns of others, which would go along with it.
WITH mine AS (
    SELECT pg_class.oid, reltype FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %(schema)s::text AND relname = ANY (%(names)s)
), meant AS (
    SELECT oid FROM mine UNION SELECT reltype FROM mine
    UNION SELECT pg_proc.oid FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = %(schema)s::text AND {signature} = ANY (%(names)s)
    UNION SELECT unnest(ARRAY[pg_type.oid, typarray]) FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE nspname = %(schema)s::text AND typname = ANY (%(names)s)
)
SELECT DISTINCT pg_describe_object('pg_class'::regclass, whose, 0) FROM pg_depend
    LEFT JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid
    LEFT JOIN pg_constraint ON classid = 'pg_constraint'::regclass AND pg_constraint.oid = objid
    LEFT JOIN pg_attrdef ON classid = 'pg_attrdef'::regclass AND pg_attrdef.oid = objid
    LEFT JOIN pg_trigger ON classid = 'pg_trigger'::regclass AND pg_trigger.oid = objid
    LEFT JOIN pg_index ON classid = 'pg_class'::regclass AND indexrelid = objid
    LEFT JOIN pg_class ON classid = 'pg_class'::regclass AND pg_class.oid = objid AND relkind IN ('r', 'p', 'f'),
    LATERAL coalesce(ev_class, nullif(conrelid, 0), adrelid, tgrelid, indrelid, pg_class.oid) AS whose
WHERE refobjid IN (SELECT oid FROM meant) AND whose IS NOT NULL AND whose NOT IN (SELECT oid FROM mine) ORDER BY 1;

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
