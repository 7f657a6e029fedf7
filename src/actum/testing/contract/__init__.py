"""The contract that every store of journals is held to, to subclass with pytest."""

from actum.testing.contract.case import Opener, StoreCase
from actum.testing.contract.durable import DurableContract
from actum.testing.contract.shared import SharedContract
from actum.testing.contract.store import EventStoreContract

__all__ = ["DurableContract", "EventStoreContract", "Opener", "SharedContract", "StoreCase"]
