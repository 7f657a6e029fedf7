"""Who is let into the bank where its door asks, with `make demo ARGS=--login`: two people, and the programs that work for it.

Each has as little as it needs. Their journal, and that of all who came, lie beside the bank's own.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from msgspec import Struct

from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security

LOOKS = ("page:look", "views:*", "states:*", "queries:*", "events:read", "console:look")

ROLES: dict[str, tuple[str, ...]] = {
    "guest": LOOKS,
    "guide": (
        *LOOKS, "commands:Deposit", "commands:Withdraw", "console:operate", "console:control", "console:accesses", "services:read",
    ),
    "counter": ("commands:*", "on-behalf-of", "views:Assets", "events:read"),
    "contexts": ("events:read",),
}  # fmt: skip
"""What people may, who look or go through the tour; and what programs may: the counter, and the contexts that hear each other."""

SECURITY = "demos.bank.entrance:security"
PEOPLE = ("guide", "guest")
IDENTITIES = "identities.db"

security = Security(Policy(roles=ROLES), identities=IDENTITIES, access="access.db")
"""How the door knows who asks, and what they may."""


class Keys(Struct, frozen=True):
    """With what they come in: passwords by name, and two tokens."""

    passwords: dict[str, str] = {}
    counter: str | None = None
    contexts: str | None = None


def let_in(folder: Path) -> Keys:
    """Have everybody known there, with new passwords and new tokens."""
    with Identities(folder / IDENTITIES) as known:
        there = {user.user for user in known.users()}
        passwords = {name: secrets.token_urlsafe(9) for name in PEOPLE}
        for name, password in passwords.items():
            if name in there:
                known.set_password(name, password, actor="bank")
            else:
                known.add_user(name, password, roles=[name], actor="bank")
        counter, contexts = (known.issue(name, roles=[name], days=1, actor="bank") for name in ("counter", "contexts"))
        return Keys(passwords, counter, contexts)
