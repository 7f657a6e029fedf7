"""Audit proves that the journal is what it was, and that its decisions were right when they were made."""
