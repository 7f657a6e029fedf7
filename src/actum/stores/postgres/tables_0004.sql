-- A read database, fourth version: which tables a follower has made itself. {schema} is its schema, quoted. Never edited.

CREATE TABLE {schema}.actum_made (
    made text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL
);
