"""A subscription follows the journal: first what was, then what comes, in order and without a gap."""
