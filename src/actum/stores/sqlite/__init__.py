"""The embedded journal: one SQLite file, several processes."""
