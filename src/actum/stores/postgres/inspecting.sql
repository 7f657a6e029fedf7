-- Named statements about a schema and its server as a whole.

-- name: engine
-- The server's version.
SELECT current_setting('server_version');

-- name: layout
-- Which layout the schema has. {schema} is its name, {about} the table in which it describes itself.
SELECT value FROM {schema}.{about} WHERE name = 'layout';

-- name: describes_itself
-- Whether the table is there in which it would.
SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND relname = %s);

-- name: parts
-- Each table: bytes with its indexes, bytes without them, rows that are waste, rows that are not.
SELECT pg_class.relname, pg_total_relation_size(pg_class.oid), pg_relation_size(pg_class.oid),
    coalesce(n_dead_tup, 0), coalesce(n_live_tup, 0)
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
LEFT JOIN pg_stat_all_tables ON relid = pg_class.oid
WHERE nspname = %s AND relkind IN ('r', 'p')
ORDER BY pg_total_relation_size(pg_class.oid) DESC, pg_class.relname;

-- name: oldest
-- Since how many seconds the oldest transaction of the server looks at things as they were; nothing of these is cleaned up.
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::bigint
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND backend_xmin IS NOT NULL;

-- name: connections
-- How many connections the server has, and how many it can have.
SELECT count(*), current_setting('max_connections')::integer FROM pg_stat_activity WHERE backend_type = 'client backend';

-- name: followers
-- The standbys that follow this server, and how many bytes each of them is behind.
SELECT coalesce(nullif(application_name, ''), 'a standby'), pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY 1;

-- name: standby
-- Whether this server follows another one.
SELECT pg_is_in_recovery();

-- name: behind
-- Since how many seconds a standby has replayed nothing of what its primary did.
SELECT coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::bigint;
