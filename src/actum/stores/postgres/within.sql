-- Named statements for whoever appends in somebody's own transaction. {schema} is the journal's schema.

-- name: tell
-- Once they commit, let other processes know of the head.
SELECT pg_notify('{schema}', $1);
