"""What a door is told of an OpenID Connect provider at which people log in, and what it hears back of a person."""

from __future__ import annotations

import msgspec


class Oidc(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and how it knows this door.

    `redirect_uri` is this door's `/login/oidc/callback` as browsers reach it. `roles_claim` names the claim of the ID token
    that lists a person's roles; those of it that the policy does not have give nothing. `subject_claim` names the one that is
    the actor: a pseudonym, never an e-mail address.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid",)
    roles_claim: str = "roles"
    subject_claim: str = "sub"
    roles: tuple[str, ...] = ()


class Person(msgspec.Struct, frozen=True):
    """Whom the provider has vouched for."""

    subject: str
    roles: tuple[str, ...]
