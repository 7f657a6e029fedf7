"""A bank in three contexts, with a customer's page whose total is wrong until somebody finds out why."""
