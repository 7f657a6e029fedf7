"""A decision reads the journal and appends to it under a condition."""
