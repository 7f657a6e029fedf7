"""A small bank in front of your eyes: `python -m examples.demo`, or `make demo`. It needs nothing from outside."""

from examples.demo.bank import bank

__all__ = ["bank"]
