"""History retells how a value came to be, and what it was at any moment."""
