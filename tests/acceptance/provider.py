"""A real OpenID Connect provider, Django with django-oauth-toolkit, as a process: `python provider.py FOLDER REDIRECT_URI`.

Prints its issuer once it answers. Knows one person (ada, role teller) and one client (bank, public, with PKCE demanded).
"""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.wsgi import get_wsgi_application

PASSWORD = "a password of ada's"
CLIENT = "bank"

folder, redirect_uri = Path(sys.argv[1]), sys.argv[2]


class Quiet(WSGIRequestHandler):
    """Says nothing of every request."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


server = make_server("127.0.0.1", 0, None, handler_class=Quiet)  # type: ignore[arg-type]
issuer = f"http://127.0.0.1:{server.server_port}/o"
key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    AUTH_PASSWORD_VALIDATORS=[],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    LOGIN_URL="/login/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": issuer,
        "OIDC_RSA_PRIVATE_KEY": key.decode(),
        "OAUTH2_VALIDATOR_CLASS": "__main__.Validator",
        "PKCE_REQUIRED": True,
        "SCOPES": {"openid": "who you are"},
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http"],
    },
    ROOT_URLCONF="__main__",
    SECRET_KEY="of no consequence here",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"registration/login.html": "<form method=post>{% csrf_token %}{{ form }}</form>"},
                    )
                ],
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django is set up first
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


class Validator(OAuth2Validator):
    """Says in the ID token which roles somebody has."""

    oidc_claim_scope = None  # whatever the client asked for

    def get_additional_claims(self, request: object) -> dict[str, object]:
        """See django-oauth-toolkit."""
        return {"roles": ["teller", "no such role"]}


urlpatterns = [
    path("login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]

call_command("migrate", verbosity=0)
User.objects.create_user("ada", password=PASSWORD)
Application.objects.create(
    client_id=CLIENT,
    client_type=Application.CLIENT_PUBLIC,
    authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    redirect_uris=redirect_uri,
    algorithm=Application.RS256_ALGORITHM,
    skip_authorization=True,
)
server.set_app(get_wsgi_application())
print(issuer, flush=True)
server.serve_forever()
