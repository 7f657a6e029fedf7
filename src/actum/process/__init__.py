"""A process reacts: what has happened leads to commands, timers and effects, each done once, whatever is killed when."""
