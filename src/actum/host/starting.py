"""A piece begun from what somebody said: on a command line, or as a host says it to its pieces."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import msgspec

from actum.host.child import Teller
from actum.host.control import ControlClient
from actum.host.folder import default_folder
from actum.host.piece import Around, run_piece
from actum.host.secured import Secured
from actum.journal.errors import ActumError
from actum.service.named import load_system

ASKED = "ACTUM_PIECE"
"""The environment variable with what a host says, as JSON: it has secrets in it, which the list of processes would show."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of a piece's surroundings, in words. See `Around`."""

    target: str
    data: str | None = None
    store: str | None = None
    security: Secured | None = None
    actor: str | None = None
    gateway: str | None = None
    key: str | None = None
    token: str | None = None


def around_of(asked: Asked, *, supervised: bool = False) -> Around:
    """What it stands for. `Invalid` where something that is named is not there."""
    system = load_system(asked.target)
    folder = Path(asked.data) if asked.data else default_folder(system.name)
    return Around(
        system=system,
        places=system.places(folder, store=asked.store or None),
        gateway=asked.gateway,
        key=asked.key,
        token=asked.token or None,
        security=None if asked.security is None else asked.security.load(data=folder),
        actor=asked.actor,
        data=folder,
        control=ControlClient(folder) if supervised else None,
    )


def start(name: str, asked: Asked, *, host: str, port: int) -> None:
    """Have the piece work in this process until it is told to stop. Whoever began it is told how it goes."""
    teller = Teller()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("uvicorn.error", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        around = around_of(asked, supervised=teller.supervised)
    except ActumError as wrong:
        teller.failed(str(wrong))
        raise
    run_piece(name, around, host=host, port=port, teller=teller)


def asked_here() -> Asked:
    """What the host says in this process's environment, where it says it once."""
    return msgspec.json.decode(os.environ.pop(ASKED), type=Asked)
