-- Named statements of a read database's own tables; those of its views are made from their columns (table_sql.py).

-- name: about
-- One thing the file says of itself.
SELECT value FROM actum_about WHERE name = ?;

-- name: say_about
-- Say one thing of the file, unless it is said.
INSERT INTO actum_about (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: mark
-- How far a view of this very fold has come.
SELECT position, event FROM actum_views WHERE name = ? AND fingerprint = ?;

-- name: marks
-- How far every view has come.
SELECT name, position, event FROM actum_views ORDER BY name;

-- name: begin_anew
-- A view at the beginning of the journal.
INSERT INTO actum_views (name, fingerprint, position, event) VALUES (?, ?, 0, x'')
ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, position = 0, event = x'';

-- name: advance
-- Move a view on, if it still stands where it was seen.
UPDATE actum_views SET position = ?, event = ? WHERE name = ? AND fingerprint = ? AND position = ? AND event = ?;

-- name: forget
-- A view is no more.
DELETE FROM actum_views WHERE name = ?;
