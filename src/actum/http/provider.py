"""Login at an OpenID Connect provider: authorization code with PKCE (RFC 7636), the ID token checked against its keys.

Specification: https://openid.net/specs/openid-connect-core-1_0.html, §3.1.
"""

from __future__ import annotations

import base64
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from actum.http.oidc import Oidc, Person
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


class Provider:
    """The provider, over the wire."""

    def __init__(self, oidc: Oidc) -> None:
        if not oidc.issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise Invalid(f"expected an issuer by https, found {oidc.issuer!r}")
        self._oidc = oidc
        self._http = httpx2.AsyncClient(timeout=10, follow_redirects=False)
        self._described: dict[str, Any] = {}
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
        return f"{self._described['authorization_endpoint']}?{urlencode(asked)}", login

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
            "client_id": self._oidc.client_id,
            "code_verifier": login.verifier,
        }
        if self._oidc.client_secret is not None:
            asked["client_secret"] = self._oidc.client_secret
        tokens = await self._fetch(self._described["token_endpoint"], asked)
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
        """What the ID token says, once it is known to be the provider's, for us, and of now."""
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._described["issuer"]},
            aud={"essential": True, "value": self._oidc.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            assert self._keys is not None
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            rules.validate(decoded.claims)
        except (JoseError, ValueError) as wrong:
            raise Denied(f"the provider's answer cannot be trusted: {wrong}; begin again") from wrong
        return dict(decoded.claims)

    async def _know(self) -> None:
        """The provider's description and its keys, not too old."""
        if self._keys is not None and time.monotonic() - self._fetched < KEYS_KEPT:
            return
        described = await self._fetch(f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self._oidc.issuer:
            raise Unavailable(f"the provider calls itself {described.get('issuer')!r}, expected {self._oidc.issuer!r}")
        keys: Any = await self._fetch(str(described["jwks_uri"]))
        self._described, self._keys, self._fetched = described, KeySet.import_key_set(keys), time.monotonic()

    async def _fetch(self, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            response = await self._http.request("GET" if form is None else "POST", url, data=form)
            if response.status_code == 400 and form is not None:
                raise Denied("the provider does not accept this login; begin again")
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=dict[str, Any])
        except (httpx2.HTTPError, msgspec.DecodeError) as wrong:
            raise Unavailable(f"the login provider does not answer as it should: {wrong}") from wrong
