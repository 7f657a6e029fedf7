"""The command line: one verb a module, every answer also as JSON."""
