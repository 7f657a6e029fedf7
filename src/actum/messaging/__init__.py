"""Messaging: what a context publishes, others hear, each event once: no shared table, no dual write, no broker needed."""
