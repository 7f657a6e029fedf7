"""Projections fold the journal into tables that are made for reading."""
