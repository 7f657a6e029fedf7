"""The door to other programs: commands in, answers and events out, over HTTP."""
