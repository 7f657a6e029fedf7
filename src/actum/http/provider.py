"""Login at an OpenID Connect provider: authorization code with PKCE (RFC 7636), the ID token checked against its keys.

Specification: https://openid.net/specs/openid-connect-core-1_0.html, §3.1.
"""

from __future__ import annotations

import base64
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from actum.http.oidc import Oidc, Person
from actum.http.reach import is_loopback
from actum.http.sessions import LOGIN_LIFE, Login
from actum.journal.errors import Denied, Invalid, Unavailable
from actum.journal.event import checked_tag

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""How ID tokens may be signed: with keys that the provider alone has."""

LEEWAY = 60
"""Seconds that the provider's clock may differ."""

KEYS_KEPT = 600.0
"""Seconds after which the provider's description and keys are fetched anew."""


KEYS_KEPT_AT_LEAST = 5.0
"""Seconds for which they are not, although a token is signed by a key that is not among them."""

FetchedT = TypeVar("FetchedT")


class Described(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, §3), as much of it as is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Keys(msgspec.Struct, frozen=True):
    """Its keys (RFC 7517, §5)."""

    keys: tuple[dict[str, Any], ...]


def _is_safe(issuer: str) -> bool:
    """By TLS, or on this machine. A name that only begins like this machine's is another's."""
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _distrust(wrong: Exception) -> Denied:
    return Denied(f"the provider's answer cannot be trusted: {wrong}; begin again")


class Provider:
    """The provider, over the wire."""

    def __init__(self, oidc: Oidc) -> None:
        if not _is_safe(oidc.issuer):
            raise Invalid(f"expected an issuer by https, found {oidc.issuer!r}")
        self._oidc = oidc
        self._http = httpx2.AsyncClient(timeout=10, follow_redirects=False)
        self._described = Described("", "", "", "")
        self._keys: KeySet | None = None
        self._fetched = 0.0

    async def begin(self, back: str) -> tuple[str, Login]:
        """Where to send the browser, and what to remember meanwhile."""
        login = Login(
            expires=int(time.time()) + LOGIN_LIFE,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            back=back,
        )
        await self._know()
        challenge = base64.urlsafe_b64encode(sha256(login.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": self._oidc.redirect_uri,
            "scope": " ".join(self._oidc.scopes),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        there = self._described.authorization_endpoint
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}", login

    async def finish(self, login: Login, said: Mapping[str, str]) -> Person:
        """Whom the provider sends back. `Denied` where it vouches for nobody, or somebody else began this login."""
        if not secrets.compare_digest(said.get("state", "").encode(), login.state.encode()):
            raise Denied("this login was not begun here; begin again")
        if "code" not in said:
            raise Denied(f"the provider does not vouch for you: {said.get('error', 'no reason given'):.80}")
        await self._know()
        asked = {
            "grant_type": "authorization_code",
            "code": said["code"],
            "redirect_uri": self._oidc.redirect_uri,
            "code_verifier": login.verifier,
        }
        tokens = await self._fetch(self._described.token_endpoint, dict[str, Any], asked)
        return self._person(await self._claims(str(tokens.get("id_token", ""))), login)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    def _person(self, claims: dict[str, Any], login: Login) -> Person:
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), login.nonce.encode()):
            raise Denied("the provider's answer belongs to another login; begin again")
        subject = claims.get(self._oidc.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise Denied(f"the provider does not say who you are in the claim {self._oidc.subject_claim!r}")
        checked_tag(f"who:{subject}")
        roles = claims.get(self._oidc.roles_claim, [])
        said = [roles] if isinstance(roles, str) else cast("list[object]", roles) if isinstance(roles, list) else []
        return Person(subject, (*self._oidc.roles, *(role for role in said if isinstance(role, str))))

    async def _claims(self, token: str) -> dict[str, Any]:
        """What the ID token says, once it is known to be the provider's, for us, and of now. It may have new keys meanwhile."""
        try:
            return self._checked(token)
        except (InvalidKeyIdError, BadSignatureError):
            if time.monotonic() - self._fetched > KEYS_KEPT_AT_LEAST:
                await self._learn()
            try:
                return self._checked(token)
            except (JoseError, ValueError) as wrong:
                raise _distrust(wrong) from wrong
        except (JoseError, ValueError) as wrong:
            raise _distrust(wrong) from wrong

    def _checked(self, token: str) -> dict[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._described.issuer},
            aud={"essential": True, "value": self._oidc.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        assert self._keys is not None
        decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
        rules.validate(decoded.claims)
        return dict(decoded.claims)

    async def _know(self) -> None:
        """The provider's description and its keys, not too old."""
        if self._keys is None or time.monotonic() - self._fetched > KEYS_KEPT:
            await self._learn()

    async def _learn(self) -> None:
        described = await self._fetch(f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration", Described)
        if described.issuer != self._oidc.issuer:
            raise Unavailable(f"the provider calls itself {described.issuer!r}, expected {self._oidc.issuer!r}")
        keys: Any = await self._fetch(described.jwks_uri, Keys)
        try:
            known = KeySet.import_key_set(msgspec.to_builtins(keys))
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            raise Unavailable(f"the login provider has no keys that are understood: {wrong}") from wrong
        self._described, self._keys, self._fetched = described, known, time.monotonic()

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Who we are, for the provider: as headers or as fields of the form (RFC 6749, §2.3.1)."""
        id, secret = self._oidc.client_id, self._oidc.client_secret
        if secret is None:
            return {}, {"client_id": id}
        if "client_secret_basic" not in self._described.token_endpoint_auth_methods_supported:
            return {}, {"client_id": id, "client_secret": secret}
        pair = base64.b64encode(f"{quote_plus(id)}:{quote_plus(secret)}".encode()).decode()
        return {"authorization": f"Basic {pair}"}, {}

    async def _fetch(self, url: str, kind: type[FetchedT], form: dict[str, str] | None = None) -> FetchedT:
        headers, more = ({}, {}) if form is None else self._proof()
        method, data = ("GET", None) if form is None else ("POST", form | more)
        try:
            response = await self._http.request(method, url, data=data, headers=headers)
            if response.status_code == 400 and form is not None:
                raise Denied("the provider does not accept this login; begin again")
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=kind)
        except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError) as wrong:
            raise Unavailable(f"the login provider does not answer as it should: {wrong}") from wrong
