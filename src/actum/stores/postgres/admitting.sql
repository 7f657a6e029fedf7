-- Named statements that let a role in beside a journal's owner. {schema} and {role} are names, quoted.

-- name: make_room
-- A schema for the read database, so that the role need not be allowed to make schemas.
CREATE SCHEMA IF NOT EXISTS {schema};

-- name: let_in
-- The role makes its tables there, and owns them.
GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};
