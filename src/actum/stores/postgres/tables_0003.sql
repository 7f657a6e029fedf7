-- A table may also be one that was live and was taken back. {schema} is the schema of the read database, quoted. Never edited.

ALTER TABLE {schema}.actum_views DROP CONSTRAINT actum_views_role_check;
ALTER TABLE {schema}.actum_views ADD CONSTRAINT actum_views_role_check
    CHECK (role IN ('live', 'candidate', 'kept', 'taken back'));
