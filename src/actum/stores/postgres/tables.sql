-- Named statements of a read database's own tables; those of its views are made from their columns (table_sql.py).
-- {schema} is the schema of the read database, quoted.

-- name: exists
-- Whether the schema holds a read database. Not by to_regclass, which may remember that there was none a lock ago.
SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND relname = 'actum_views');

-- name: holds
-- Whether the schema holds anything at all.
SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = %s);

-- name: one_at_a_time
-- One process at a time makes the schema: a lock on its name, held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(%s, 7));

-- name: about
-- One thing the read database says of itself.
SELECT value FROM {schema}.actum_about WHERE name = %s;

-- name: say_about
-- Say one thing of the read database, unless it is said.
INSERT INTO {schema}.actum_about (name, value) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING;

-- name: say_layout
-- Which layout the read database has.
INSERT INTO {schema}.actum_about (name, value) VALUES ('layout', %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: among_makers
-- Hold off others who would make or drop tables, until the transaction ends; readers of a moment do not mind.
LOCK TABLE {schema}.actum_about IN SHARE ROW EXCLUSIVE MODE;

-- name: alone
-- Hold off everybody who looks at a moment, too: a table is about to go.
LOCK TABLE {schema}.actum_about IN ACCESS EXCLUSIVE MODE;

-- name: looking
-- Hold off whoever would take a table away, before the moment is chosen.
LOCK TABLE {schema}.actum_about IN ACCESS SHARE MODE;

-- name: kept
-- Whether a table of this very fold is kept.
SELECT true FROM {schema}.actum_views WHERE name = %s AND fingerprint = %s;

-- name: described
-- How a table of this very fold is described.
SELECT shape FROM {schema}.actum_views WHERE name = %s AND fingerprint = %s;

-- name: describe
-- It is described anew.
UPDATE {schema}.actum_views SET shape = %s WHERE name = %s AND fingerprint = %s;

-- name: mark
-- How far a view of this very fold has come: as far as the share that is furthest behind.
SELECT position, event FROM {schema}.actum_shares JOIN {schema}.actum_views USING (name)
WHERE name = %s AND fingerprint = %s ORDER BY position LIMIT 1;

-- name: marks
-- How far every view has come.
SELECT DISTINCT ON (name) name, position, event FROM {schema}.actum_shares ORDER BY name, position;

-- name: shares
-- The shares of a view of this very fold, and for how long each is still held.
SELECT low, high, position, event, epoch, owner,
    greatest(0, extract(epoch FROM until - clock_timestamp()))::double precision
FROM {schema}.actum_shares JOIN {schema}.actum_views USING (name) WHERE name = %s AND fingerprint = %s ORDER BY low;

-- name: tables
-- Every table, how it is made, how far it has come, and what it is among those of its name.
SELECT DISTINCT ON (name) shape, position, event, role
FROM {schema}.actum_views JOIN {schema}.actum_shares USING (name) ORDER BY name, position;

-- name: begin_anew
-- A table of another fold, or one that begins anew; what it was among those of its name, it stays.
INSERT INTO {schema}.actum_views (name, fingerprint, shape, called, role)
VALUES (%(name)s, %(fingerprint)s, %(shape)s, %(called)s,
    CASE WHEN EXISTS (SELECT 1 FROM {schema}.actum_views WHERE called = %(called)s AND role = 'live')
        THEN 'candidate' ELSE 'live' END)
ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, shape = excluded.shape
RETURNING role;

-- name: role
-- What a table is among those of its name, and the name.
SELECT role, called FROM {schema}.actum_views WHERE name = %s;

-- name: set_aside
-- The live table is live no more, if it is the one that was seen, and no further than that. Its shares stand still.
WITH still AS MATERIALIZED (SELECT position FROM {schema}.actum_shares WHERE name = %(name)s FOR UPDATE)
UPDATE {schema}.actum_views SET role = %(role)s
WHERE name = %(name)s AND fingerprint = %(fingerprint)s AND role = 'live'
    AND %(until)s >= (SELECT max(position) FROM still)
RETURNING true;

-- name: put_forward
-- A table is the live one of its name.
UPDATE {schema}.actum_views SET role = 'live' WHERE name = %s AND fingerprint = %s RETURNING true;

-- name: forget_shares
-- A view has no shares any more; which epochs they had.
DELETE FROM {schema}.actum_shares WHERE name = %s RETURNING epoch;

-- name: add_share
-- A share, held for so many seconds from now.
INSERT INTO {schema}.actum_shares (name, low, high, position, event, epoch, owner, until)
VALUES (%s, %s, %s, %s, %s, %s, %s, CASE WHEN %s > 0.0 THEN clock_timestamp() + %s * interval '1 second' ELSE 'epoch' END);

-- name: advance
-- Move a share on, if it still stands where it was seen, in the same hands or in nobody's. If not, it fails (22012): what was
-- sent behind it without waiting is then not done.
WITH moved AS (
    UPDATE {schema}.actum_shares SET position = %s, event = %s, epoch = epoch + %s
    WHERE name = %s AND low = %s AND high = %s AND epoch = %s AND position = %s AND event = %s
        AND (owner = %s OR until <= clock_timestamp())
        AND EXISTS (SELECT 1 FROM {schema}.actum_views WHERE actum_views.name = actum_shares.name AND fingerprint = %s)
    RETURNING true
)
SELECT 1 / count(*) FROM moved;

-- name: parked
-- The keys of a view of this very fold that are put aside.
SELECT key, position, event, error, trace, attempts FROM {schema}.actum_parked JOIN {schema}.actum_views USING (name)
WHERE name = %s AND fingerprint = %s ORDER BY position, key;

-- name: park
-- Put a key of a view aside, or further on.
INSERT INTO {schema}.actum_parked (name, key, position, event, error, trace, attempts) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (name, key) DO UPDATE SET position = excluded.position, event = excluded.event, error = excluded.error,
    trace = excluded.trace, attempts = excluded.attempts;

-- name: free
-- A key of a view is put aside no more.
DELETE FROM {schema}.actum_parked WHERE name = %s AND key = %s;

-- name: free_all
-- Nothing of a view is put aside any more.
DELETE FROM {schema}.actum_parked WHERE name = %s;

-- name: note
-- Keep an event until it is in the journal.
INSERT INTO {schema}.actum_notes (id, type, version, tags, data, metadata, salt) VALUES (%s, %s, %s, %s, %s, %s, %s);

-- name: notes
-- What is to go into the journal.
SELECT id, type, version, tags, data, metadata, salt FROM {schema}.actum_notes ORDER BY number;

-- name: noted
-- These events are in the journal.
DELETE FROM {schema}.actum_notes WHERE id = ANY (%s);

-- name: give_up_share
-- Take a share away as it was seen, if it is in these hands or in nobody's; where it stood.
DELETE FROM {schema}.actum_shares WHERE name = %s AND low = %s AND high = %s AND epoch = %s
    AND (owner = %s OR until <= clock_timestamp()) RETURNING position, event;

-- name: at_work
-- A worker of a view is alive for so many seconds from now.
INSERT INTO {schema}.actum_workers (name, worker, until)
VALUES (%s, %s, clock_timestamp() + %s * interval '1 second')
ON CONFLICT (name, worker) DO UPDATE SET until = excluded.until;

-- name: prolong
-- A worker holds its shares of a view for so many seconds from now. They are locked in the order in which they are moved.
WITH mine AS MATERIALIZED
    (SELECT name, low FROM {schema}.actum_shares WHERE name = %s AND owner = %s ORDER BY low FOR UPDATE)
UPDATE {schema}.actum_shares SET until = clock_timestamp() + %s * interval '1 second'
WHERE (name, low) IN (SELECT name, low FROM mine);

-- name: bury
-- Forget workers that have not been heard of in time; somebody else may be at it.
DELETE FROM {schema}.actum_workers WHERE (name, worker) IN
    (SELECT name, worker FROM {schema}.actum_workers WHERE until <= clock_timestamp() FOR UPDATE SKIP LOCKED);

-- name: workers
-- Who works on a view.
SELECT worker FROM {schema}.actum_workers WHERE name = %s AND until > clock_timestamp() ORDER BY worker;

-- name: let_go
-- A worker holds nothing any more; whoever takes its shares finds another epoch.
UPDATE {schema}.actum_shares SET owner = '', until = 'epoch', epoch = epoch + 1 WHERE owner = %s;

-- name: resign
-- A worker has gone.
DELETE FROM {schema}.actum_workers WHERE worker = %s;

-- name: forget
-- A view is no more.
DELETE FROM {schema}.actum_views WHERE name = %s;

-- name: has_schema
-- Whether there is such a schema.
SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = %s);

-- name: our_names_first
-- Names without a schema are looked for, and made, in this one first, until the transaction ends.
SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), true);

-- name: lend
-- Somebody else works in the transaction from here on.
SAVEPOINT actum_lent;

-- name: have_back
-- The transaction is as it was lent; an error where it was ended meanwhile.
RELEASE SAVEPOINT actum_lent;

-- name: where_names_are
-- Where names without a schema are looked for.
SELECT current_setting('search_path');

-- name: names_as_before
-- They are looked for there again.
SELECT set_config('search_path', %s, true);
