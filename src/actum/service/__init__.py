"""A service hosts it all: the one place where ports meet adapters."""
