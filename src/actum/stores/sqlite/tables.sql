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

-- name: tables
-- Every table, how it is made, how far it has come, and what it is among those of its name.
SELECT shape, position, event, role FROM actum_views WHERE shape IS NOT NULL ORDER BY name;

-- name: begin_anew
-- A table at the beginning of the journal; what it was among those of its name, it stays.
INSERT INTO actum_views (name, fingerprint, position, event, shape, called, role)
VALUES (?1, ?2, 0, x'', ?3, ?4, (SELECT iif(EXISTS (SELECT 1 FROM actum_views WHERE called = ?4 AND role = 'live'), 'candidate', 'live')))
ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, position = 0, event = x'', shape = excluded.shape;

-- name: nameless
-- A table of that name from before tables and names were told apart.
SELECT name FROM actum_views WHERE name = ? AND shape IS NULL;

-- name: role
-- What a table is among those of its name, and the name.
SELECT role, called FROM actum_views WHERE name = ?;

-- name: set_aside
-- The live table is live no more, if it is the one that was seen, and no further than that.
UPDATE actum_views SET role = ? WHERE name = ? AND fingerprint = ? AND role = 'live' AND position <= ?;

-- name: put_forward
-- A table is the live one of its name.
UPDATE actum_views SET role = 'live' WHERE name = ? AND fingerprint = ?;

-- name: advance
-- Move a view on, if it still stands where it was seen.
UPDATE actum_views SET position = ?, event = ? WHERE name = ? AND fingerprint = ? AND position = ? AND event = ?;

-- name: forget
-- A view is no more.
DELETE FROM actum_views WHERE name = ?;
