"""How fast actum is, beside a raw program that does the same writes and beside `eventsourcing`: see README.md."""
