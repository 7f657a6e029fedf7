"""The same deposit with the recorder that `eventsourcing` 9.5 has for PostgreSQL and dynamic consistency boundaries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.application import DCBApplication

from benchmarks.bank import history
from benchmarks.ground import BATCH, chunks

if TYPE_CHECKING:
    from benchmarks.server import Field


class PeerBank:
    """Reads the account's events, decides, appends under the condition that none came since."""

    def __init__(self, field: Field) -> None:
        self._application = DCBApplication(
            {
                "PERSISTENCE_MODULE": "eventsourcing.dcb.postgres_tt",
                "POSTGRES_DBNAME": "actum",
                "POSTGRES_HOST": str(field.server.folder),
                "POSTGRES_PORT": str(field.server.port or 5432),
                "POSTGRES_USER": "actum",
                "POSTGRES_PASSWORD": "",
                "POSTGRES_POOL_SIZE": "20",
                "POSTGRES_MAX_OVERFLOW": "20",
            }
        )
        self._recorder = self._application.recorder
        for chunk in chunks(history(field.accounts), BATCH):
            self._recorder.append([_event(type(event).__name__, who, by, event) for who, by, event in chunk])

    def deposit(self, account: str, teller: str, amount: int, note: str) -> None:
        asked = DCBQuery([DCBQueryItem(types=["Opened", "Deposited"], tags=[f"account:{account}"])])
        found = self._recorder.read(asked)
        opened, balance = False, 0
        for one in found:
            content = json.loads(one.event.data)
            if one.event.type == "Opened":
                opened = True
            else:
                balance += content["amount"]
        if not opened or balance + amount < 0:
            raise ValueError("refused")
        content = {"account": account, "teller": teller, "amount": amount, "note": note}
        event = _event("Deposited", account, teller, content)
        self._recorder.append([event], DCBAppendCondition(asked, after=found.head))

    def close(self) -> None:
        self._application.close()


def _event(type: str, account: str, teller: str, content: object) -> DCBEvent:
    return DCBEvent(type, msgspec.json.encode(content), [f"account:{account}", f"teller:{teller}"])
