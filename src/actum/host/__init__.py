"""The host: runs the pieces of a system, each its own process behind one gateway or all in one, and sees what happens without some."""
