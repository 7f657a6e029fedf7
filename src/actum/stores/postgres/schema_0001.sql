-- The journal in PostgreSQL, first version. Never edited: the next version is a file of its own.
-- {schema} is the journal's schema, {key} the number of its lock.

-- What the journal says of itself: layout (the version of this schema), origin (the journal's name for ever).
CREATE TABLE {schema}.journal (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- Every kind of event there is.
CREATE TABLE {schema}.kinds (
    type    text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (type, version)
);

-- The events. Times are microseconds since 1970; tags are joined by line feeds; data and metadata are verbatim.
-- A position is the head plus one, under the journal's lock; that it is the key holds even where the lock would not.
CREATE TABLE {schema}.events (
    position  bigint PRIMARY KEY,
    recorded  bigint NOT NULL,
    effective bigint,
    version   integer NOT NULL,
    type      text COLLATE "C" NOT NULL,
    id        bytea NOT NULL,
    salt      bytea NOT NULL,
    leaf      bytea NOT NULL,
    tags      text COLLATE "C" NOT NULL,
    data      bytea NOT NULL,
    metadata  bytea NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- Payloads stay in their row where they fit.
ALTER TABLE {schema}.events ALTER COLUMN data SET STORAGE MAIN;

-- Tags and types in one index. Without the list of what is yet to be indexed, which every reader would have to search.
CREATE INDEX events_keys ON {schema}.events
USING gin (array_append(string_to_array(tags, E'\n'), E'\x01' || type)) WITH (fastupdate = off);

-- Rules that decided, and the shapes of the conditions they decided under, each named once. Hashed: a shape may be long.
CREATE TABLE {schema}.handlers (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    EXCLUDE USING hash (name WITH =)
);

CREATE TABLE {schema}.shapes (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    EXCLUDE USING hash (name WITH =)
);

-- One row a decision: the command it answers, the condition it rested on, the events it led to. That its numbers have names
-- is seen to by `append`, once a batch: a foreign key would lock a row of names for each decision.
CREATE TABLE {schema}.decisions (
    first   bigint NOT NULL,
    after   bigint,
    count   integer NOT NULL,
    handler integer NOT NULL,
    shape   integer,
    command bytea NOT NULL,
    digest  bytea NOT NULL,
    tags    text COLLATE "C",
    CONSTRAINT decided_once PRIMARY KEY (command)
);

-- Decisions lie in the order of their positions: a few bytes for each hundred pages are enough to find them by it.
CREATE INDEX decisions_first ON {schema}.decisions USING brin (first) WITH (autosummarize = on);

-- Remembered folds: a cache, may be emptied at any time.
CREATE TABLE {schema}.snapshots (
    key         text COLLATE "C" PRIMARY KEY,
    position    bigint NOT NULL,
    fingerprint bytea NOT NULL,
    data        bytea NOT NULL
);

-- For people and their tools: times, tags and contents as they read them.
CREATE VIEW {schema}.readable AS
SELECT
    position, to_timestamp(recorded / 1000000.0) AS recorded, to_timestamp(effective / 1000000.0) AS effective, type, version,
    encode(id, 'hex')::uuid AS id, string_to_array(tags, E'\n') AS tags, convert_from(data, 'UTF8')::jsonb AS data,
    convert_from(metadata, 'UTF8')::jsonb AS metadata
FROM {schema}.events;

-- Write events and decisions behind the position `expected`, all of them or none. The answer is what stands there already:
-- no row, where the batch was written; otherwise nothing was written, and these are the next events of others.
-- Whoever calls has checked every condition up to `expected` and computed every leaf for the positions behind it, and for
-- the journal's name `origin`, which an empty journal may have changed meanwhile. `patience` is how many milliseconds to
-- wait for the journal's lock; NULL where it is held already, on another connection, for the one who calls.
CREATE FUNCTION {schema}.append(
    expected bigint, origin text, durable boolean, patience integer,
    types text[], versions integer[], ids bytea[], recordeds bigint[], effectives bigint[], tagss text[],
    datas bytea[], metadatas bytea[], salts bytea[], leaves bytea[],
    new_types text[], new_versions integer[],
    firsts bigint[], afters bigint[], counts integer[], handlers integer[], shapes integer[],
    commands bytea[], digests bytea[], tags_asked text[]
) RETURNS TABLE (at bigint, kind text, about text, since bigint, sealed bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head bigint;
BEGIN
    -- Any other level would look at the journal as it was before the lock was got.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append needs the isolation level read committed, found %', current_setting('transaction_isolation')
        USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NOT durable THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience::text, true);
        -- A statement of its own, so that those behind it see everything that was committed before the lock was got.
        PERFORM pg_advisory_xact_lock({key});
    END IF;
    SELECT e.position INTO head FROM {schema}.events AS e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    IF head > expected THEN
        RETURN QUERY
        SELECT e.position, e.type, e.tags, e.recorded, e.leaf FROM {schema}.events AS e
        WHERE e.position > expected ORDER BY e.position LIMIT 1000;
        RETURN;
    END IF;
    IF head < expected THEN
        RAISE EXCEPTION 'the journal ends at position %, and ended at % before', head, expected
        USING ERRCODE = 'data_corrupted';
    END IF;
    IF expected = 0 AND origin <> (SELECT j.value FROM {schema}.journal AS j WHERE j.name = 'origin') THEN
        RAISE EXCEPTION 'the journal has taken on another name' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF cardinality(new_types) > 0 THEN
        INSERT INTO {schema}.kinds (type, version) SELECT * FROM unnest(new_types, new_versions) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO {schema}.events (
        position, recorded, effective, version, type, id, salt, leaf, tags, data, metadata
    )
    SELECT expected + u.n, u.recorded, u.effective, u.version, u.type, u.id, u.salt, u.leaf, u.tags, u.data, u.metadata
    FROM unnest(recordeds, effectives, versions, types, ids, salts, leaves, tagss, datas, metadatas)
    WITH ORDINALITY AS u (recorded, effective, version, type, id, salt, leaf, tags, data, metadata, n);
    IF cardinality(commands) > 0 THEN
        IF EXISTS (SELECT FROM unnest(handlers) AS n (id) WHERE NOT EXISTS (SELECT FROM {schema}.handlers AS h WHERE h.id = n.id))
        OR EXISTS (SELECT FROM unnest(shapes) AS n (id) WHERE n.id IS NOT NULL
            AND NOT EXISTS (SELECT FROM {schema}.shapes AS s WHERE s.id = n.id)) THEN
            RAISE EXCEPTION 'a decision names a rule or a shape that has no name' USING ERRCODE = 'foreign_key_violation';
        END IF;
        INSERT INTO {schema}.decisions (first, after, count, handler, shape, command, digest, tags)
        SELECT * FROM unnest(firsts, afters, counts, handlers, shapes, commands, digests, tags_asked);
    END IF;
END $$;

-- Be alone with the journal until the transaction ends: for whoever must not be overtaken any more.
CREATE FUNCTION {schema}.take_turn(patience integer) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('lock_timeout', patience::text, true);
    PERFORM pg_advisory_xact_lock({key});
END $$;

-- The number of a rule's name, which is written where it is new.
CREATE FUNCTION {schema}.number_handler(wanted text) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.handlers (name) VALUES (wanted) ON CONFLICT DO NOTHING;
    RETURN (SELECT h.id FROM {schema}.handlers AS h WHERE h.name = wanted);
END $$;

-- The number of a condition's shape, which is written where it is new.
CREATE FUNCTION {schema}.number_shape(wanted text) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.shapes (name) VALUES (wanted) ON CONFLICT DO NOTHING;
    RETURN (SELECT s.id FROM {schema}.shapes AS s WHERE s.name = wanted);
END $$;

-- An empty journal takes on the name of the one that is restored into it.
CREATE FUNCTION {schema}.take_on(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({key});
    IF EXISTS (SELECT FROM {schema}.events) THEN
        RAISE EXCEPTION 'a journal that has events keeps its origin' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    UPDATE {schema}.journal AS j SET value = take_on.name WHERE j.name = 'origin';
END $$;

-- Nobody may call these unless told so: see admit.sql.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
