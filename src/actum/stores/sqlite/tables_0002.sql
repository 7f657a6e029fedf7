-- Several tables of one name, one of them live. A table from before has no shape, and is made anew.

ALTER TABLE actum_views ADD COLUMN shape TEXT;
ALTER TABLE actum_views ADD COLUMN called TEXT NOT NULL DEFAULT '';
ALTER TABLE actum_views ADD COLUMN role TEXT NOT NULL DEFAULT 'kept';

CREATE UNIQUE INDEX actum_views_live ON actum_views (called) WHERE role = 'live';
