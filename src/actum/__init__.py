"""A journal for systems that must explain themselves."""
