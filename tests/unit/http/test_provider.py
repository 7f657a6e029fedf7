"""Providers differ: what one may say is understood, and what nobody may say is turned down. `test_http_login.py` has a real one."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from actum.http.oidc import Oidc
from actum.http.provider import Provider
from actum.http.sessions import Login
from actum.journal.errors import Invalid, Unavailable

OLD, NEW = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("old", "new"))
SECRET = "a secret: of & ours"


class Saying:
    """What the provider says just now."""

    def __init__(self) -> None:
        self.described: dict[str, Any] = {}
        self.keys: Any = {"keys": [OLD.as_dict(private=False)]}
        self.signs, self.nonce = OLD, ""
        self.heard: list[tuple[str, str]] = []

    def token(self, client: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.described["issuer"],
            "aud": client,
            "sub": "1",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
        }
        return jwt.encode({"alg": "RS256", "kid": self.signs.kid}, claims, self.signs)


@contextmanager
def provided() -> Iterator[Saying]:
    """A provider on a port of this machine."""
    saying = Saying()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(saying.described if "openid-configuration" in self.path else saying.keys)

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["content-length"])).decode()
            saying.heard.append((self.headers.get("authorization", ""), form))
            self._say({"id_token": saying.token("bank")})

        def _say(self, said: Any) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        ends = {
            "authorization_endpoint": f"{url}/auth?p=B2C",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
        }
        saying.described = {"issuer": url, **ends}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield saying
        server.shutdown()


def provider_of(saying: Saying) -> Provider:
    return Provider(Oidc(issuer=saying.described["issuer"], client_id="bank", redirect_uri="x", client_secret=SECRET))


async def login(provider: Provider, saying: Saying) -> str:
    address, begun = await provider.begin("/")
    assert address.count("?") == 1
    assert "p=B2C&response_type=code" in address
    saying.nonce = begun.nonce
    return (await provider.finish(begun, {"state": begun.state, "code": "x"})).subject


def test_keys_may_change_and_the_secret_is_shown_as_the_provider_wants_it():
    async def story(saying: Saying) -> None:
        provider = provider_of(saying)
        assert await login(provider, saying) == "1"
        pair = base64.b64decode(saying.heard[-1][0].removeprefix("Basic ")).decode()
        assert (pair, "secret" in saying.heard[-1][1]) == ("bank:a+secret%3A+of+%26+ours", False)
        saying.keys, saying.signs = {"keys": [{"kty": "newer than us"}, NEW.as_dict(private=False)]}, NEW
        provider._fetched -= 10  # the keys are not fetched anew for every token
        saying.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        assert await login(provider, saying) == "1"
        await login(provider, saying)
        assert (saying.heard[-1][0], "client_secret=a+secret" in saying.heard[-1][1]) == ("", True)
        await provider.close()

    with provided() as saying:
        asyncio.run(story(saying))


@pytest.mark.parametrize("missing", ["jwks_uri", "token_endpoint", "authorization_endpoint", "issuer", "keys"])
def test_a_provider_that_does_not_say_what_it_must_is_said_to_be_so(missing: str):
    async def begin(saying: Saying) -> Login:
        provider = provider_of(saying)
        if missing == "keys":
            saying.keys = {"keys": [{"kty": "newer than us"}]}
        else:
            del saying.described[missing]
        try:
            return (await provider.begin("/"))[1]
        finally:
            await provider.close()

    with provided() as saying, pytest.raises(Unavailable, match="the login provider"):
        asyncio.run(begin(saying))


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://login.example",
        "login.example",
        "https://[",
    ],
)
def test_an_issuer_is_reached_by_tls_or_is_this_machine(issuer: str):
    with pytest.raises(Invalid, match="by https"):
        Provider(Oidc(issuer=issuer, client_id="bank", redirect_uri="x"))
