"""Stores keep the journal: each is one adapter of the ports on the ground floor."""
