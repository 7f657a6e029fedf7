"""A bank in three contexts, with a customer's page whose total is wrong until somebody finds out why."""

from demos.bank.system import bank

__all__ = ["bank"]
