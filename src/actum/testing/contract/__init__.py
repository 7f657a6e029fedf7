"""The contracts that every store of journals, every read database and every target is held to, to subclass with pytest."""

from actum.testing.contract.case import Opener, StoreCase
from actum.testing.contract.durable import DurableContract
from actum.testing.contract.shared import SharedContract
from actum.testing.contract.store import EventStoreContract
from actum.testing.contract.tables import DurableTablesContract, ReadDatabaseContract, TablesOpener
from actum.testing.contract.targets import TargetContract

__all__ = [
    "DurableContract",
    "DurableTablesContract",
    "EventStoreContract",
    "Opener",
    "ReadDatabaseContract",
    "SharedContract",
    "StoreCase",
    "TablesOpener",
    "TargetContract",
]
