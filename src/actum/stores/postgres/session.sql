-- Named statements about the server, the session and the schema: "-- name: verb", a comment, one statement.

-- name: begin_session
-- What every statement of ours counts on, whatever the user's defaults are. Compiling plans costs more than it brings, and
-- so does making a new one each time: there is one way to go about each statement, and it does not depend on what is asked.
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET jit = off;
SET plan_cache_mode = force_generic_plan;

-- name: schema_exists
-- Whether there is such a schema; whether the journal's own table is in it; whether anything else is.
SELECT
    EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
    EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname = 'journal' AND relkind = 'r'),
    EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname <> 'journal');

-- name: session
-- What the server says of itself and of this session.
SELECT pg_is_in_recovery(), current_setting('server_encoding'), current_setting('server_version_num')::integer;

-- name: lock_layout
-- One after the other, whoever makes a journal or brings it up to date.
SELECT pg_advisory_xact_lock($1);

-- name: make_schema
-- Make room for a journal. {schema} is its name.
CREATE SCHEMA {schema};

-- name: standby
-- Whether this server follows another one.
SELECT pg_is_in_recovery();

-- name: begin
-- A transaction, whatever isolation is the user's default.
BEGIN ISOLATION LEVEL READ COMMITTED;

-- name: end
-- The end of a transaction that has only held a lock.
ROLLBACK;
