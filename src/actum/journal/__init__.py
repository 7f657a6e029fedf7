"""The words of the journal and the ports of its stores. Pure: no file, no socket, no driver."""
