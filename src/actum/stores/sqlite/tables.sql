-- Named statements of a read database's own tables; those of its views are made from their columns (table_sql.py).

-- name: about
-- One thing the file says of itself.
SELECT value FROM actum_about WHERE name = ?;

-- name: say_about
-- Say one thing of the file, unless it is said.
INSERT INTO actum_about (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: kept
-- Whether a table of this very fold is kept.
SELECT 1 FROM actum_views WHERE name = ? AND fingerprint = ?;

-- name: describe
-- A table of this very fold is described anew.
UPDATE actum_views SET shape = ?1 WHERE name = ?2 AND fingerprint = ?3 AND shape IS NOT NULL AND shape != ?1;

-- name: mark
-- How far a view of this very fold has come: as far as the share that is furthest behind.
SELECT position, event FROM actum_shares JOIN actum_views USING (name)
WHERE name = ? AND fingerprint = ? ORDER BY position LIMIT 1;

-- name: marks
-- How far every view has come.
SELECT name, min(position), event FROM actum_shares GROUP BY name ORDER BY name;

-- name: shares
-- The shares of a view of this very fold, and for how long each is still held.
SELECT low, high, position, event, epoch, owner, max(0.0, until - unixepoch('subsec'))
FROM actum_shares JOIN actum_views USING (name) WHERE name = ? AND fingerprint = ? ORDER BY low;

-- name: tables
-- Every table, how it is made, how far it has come, and what it is among those of its name.
SELECT shape, min(position), event, role FROM actum_views JOIN actum_shares USING (name)
WHERE shape IS NOT NULL GROUP BY name ORDER BY name;

-- name: begin_anew
-- A table at the beginning of the journal; what it was among those of its name, it stays.
INSERT INTO actum_views (name, fingerprint, shape, called, role)
VALUES (?1, ?2, ?3, ?4, (SELECT iif(EXISTS (SELECT 1 FROM actum_views WHERE called = ?4 AND role = 'live'), 'candidate', 'live')))
ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, shape = excluded.shape;

-- name: nameless
-- A table of that name from before tables and names were told apart.
SELECT name FROM actum_views WHERE name = ? AND shape IS NULL;

-- name: role
-- What a table is among those of its name, and the name.
SELECT role, called FROM actum_views WHERE name = ?;

-- name: set_aside
-- The live table is live no more, if it is the one that was seen, and no further than that.
UPDATE actum_views SET role = ? WHERE name = ? AND fingerprint = ? AND role = 'live'
AND ? >= (SELECT max(position) FROM actum_shares WHERE actum_shares.name = actum_views.name);

-- name: put_forward
-- A table is the live one of its name.
UPDATE actum_views SET role = 'live' WHERE name = ? AND fingerprint = ?;

-- name: next_epoch
-- The epoch of whoever begins a view anew.
SELECT coalesce(max(epoch) + 1, 0) FROM actum_shares WHERE name = ?;

-- name: forget_shares
-- A view has no shares any more.
DELETE FROM actum_shares WHERE name = ?;

-- name: add_share
-- A share, held for so many seconds from now.
INSERT INTO actum_shares (name, low, high, position, event, epoch, owner, until)
VALUES (?, ?, ?, ?, ?, ?, ?, unixepoch('subsec') + ?);

-- name: advance
-- Move a share on, if it still stands where it was seen, in the same hands or in nobody's.
UPDATE actum_shares SET position = ?, event = ?, epoch = epoch + ?
WHERE name = ? AND low = ? AND high = ? AND epoch = ? AND position = ? AND event = ?
AND (owner = ? OR until <= unixepoch('subsec'))
AND EXISTS (SELECT 1 FROM actum_views WHERE actum_views.name = actum_shares.name AND fingerprint = ?);

-- name: parked
-- The keys of a view of this very fold that are put aside.
SELECT key, position, event, error, trace, attempts FROM actum_parked JOIN actum_views USING (name)
WHERE name = ? AND fingerprint = ? ORDER BY position, key;

-- name: park
-- Put a key of a view aside, or further on.
INSERT INTO actum_parked (name, key, position, event, error, trace, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name, key) DO UPDATE SET position = excluded.position, event = excluded.event, error = excluded.error,
trace = excluded.trace, attempts = excluded.attempts;

-- name: free
-- A key of a view is put aside no more.
DELETE FROM actum_parked WHERE name = ? AND key = ?;

-- name: free_all
-- Nothing of a view is put aside any more.
DELETE FROM actum_parked WHERE name = ?;

-- name: note
-- Keep an event until it is in the journal.
INSERT INTO actum_notes (id, type, version, tags, data, metadata, salt) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: notes
-- What is to go into the journal.
SELECT id, type, version, tags, data, metadata, salt FROM actum_notes ORDER BY number;

-- name: noted
-- An event is in the journal.
DELETE FROM actum_notes WHERE id = ?;

-- name: give_up_share
-- Take a share away as it was seen, if it is in these hands or in nobody's; where it stood.
DELETE FROM actum_shares WHERE name = ? AND low = ? AND high = ? AND epoch = ?
AND (owner = ? OR until <= unixepoch('subsec')) RETURNING position, event;

-- name: at_work
-- A worker of a view is alive for so many seconds from now.
INSERT INTO actum_workers (name, worker, until) VALUES (?, ?, unixepoch('subsec') + ?)
ON CONFLICT (name, worker) DO UPDATE SET until = excluded.until;

-- name: prolong
-- A worker holds its shares of a view for so many seconds from now.
UPDATE actum_shares SET until = unixepoch('subsec') + ? WHERE name = ? AND owner = ?;

-- name: bury
-- Forget workers that have not been heard of in time.
DELETE FROM actum_workers WHERE until <= unixepoch('subsec');

-- name: workers
-- Who works on a view.
SELECT worker FROM actum_workers WHERE name = ? AND until > unixepoch('subsec') ORDER BY worker;

-- name: let_go
-- A worker holds nothing any more; whoever takes its shares finds another epoch.
UPDATE actum_shares SET owner = '', until = 0, epoch = epoch + 1 WHERE owner = ?;

-- name: resign
-- A worker has gone.
DELETE FROM actum_workers WHERE worker = ?;

-- name: forget
-- A view is no more.
DELETE FROM actum_views WHERE name = ?;

-- name: lend
-- Somebody else works in the transaction from here on.
SAVEPOINT actum_lent;

-- name: have_back
-- The transaction is as it was lent; an error where it was ended meanwhile.
RELEASE SAVEPOINT actum_lent;
