"""The same account in `eventsourcing` 9.5 on SQLite, which commits as durably (`synchronous` is FULL unless told otherwise)."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

os.environ.setdefault("EVENTSOURCING_DISABLE_REDEFINITION_WARNING", "y")

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Account(Aggregate):
    def __init__(self, name: str, teller: str) -> None:
        self.name = name
        self.teller = teller
        self.balance = 0

    @staticmethod
    def create_id(name: str) -> UUID:
        return uuid5(NAMESPACE_URL, name)

    @event("Deposited")
    def deposit(self, teller: str, amount: int, note: str) -> None:
        if self.balance + amount < 0:
            raise ValueError("refused")
        self.teller = teller
        self.balance += amount


class PeerBank(Application):
    """`kept`: aggregates are kept between commands and trusted until a save collides, its fastest setting."""

    def __init__(self, path: Path, *, kept: bool) -> None:
        environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        if kept:
            environment |= {
                "AGGREGATE_CACHE_MAXSIZE": "10000",
                "AGGREGATE_CACHE_FASTFORWARD": "n",
                "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
            }
        super().__init__(environment)

    def deposit(self, name: str, teller: str, amount: int, note: str) -> None:
        account: Account = self.repository.get(Account.create_id(name))
        account.deposit(teller, amount, note)
        self.save(account)
