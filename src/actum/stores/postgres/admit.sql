-- What an application needs to read the journal {schema} and to append to it, and nothing more: {role} can read every
-- table, can write what is remembered, and can write events through the journal's own functions only.
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT INSERT, UPDATE, DELETE ON {schema}.snapshots TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role};
