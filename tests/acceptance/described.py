"""A program that knows only the description asks everything in it, as it is allowed and as it is not: schemathesis.

Once at an open door, once at one that knows who comes and lets them do everything. Run by `test_http_description.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from actum.http import security as guarding
from actum.http.asgi import asgi
from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security
from tests.unit.http.bank import bank

guarding.STRANGERS = guarding.STRANGERS_AT_ONCE = (
    1e9  # it also comes with wrong tokens, more often than strangers are answered
)
ENDLESS = "^/(feed|live/)"
KNOWN = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def good_answers(*more: int) -> schemathesis.Config:
    """What the rules refuse, and an id that stands for something else, are good requests with the answer 422; what does
    not fit is 400, and that no request may be which the description allows. At the entrance nobody knows the password.
    """
    good = ["2xx", "3xx", 404, 409, 422, *more]
    entering = {"include-path-regex": "^/log(in|out)", "checks": accepting([*good, 401, 429])}
    return schemathesis.Config.from_dict({"checks": accepting(good), "operations": [entering]})


def accepting(good: list[Any]) -> dict[str, Any]:
    return {"positive_data_acceptance": {"expected-statuses": good}}


FOLDER = Path(tempfile.mkdtemp(prefix="actum-described-"))
SECURITY = Security(Policy(roles={"admin": ("*",)}), str(FOLDER / "identities.db"), str(FOLDER / "access.db"))

with Identities(FOLDER / "identities.db") as known:
    TOKEN = {"Authorization": f"Bearer {known.issue('schemathesis', roles=['admin'], actor='test')}"}

OPEN = schemathesis.openapi.from_asgi(
    "/openapi.json", asgi(bank, bank.open("memory:", actor="schemathesis")), config=good_answers()
)
# Who says that somebody else acts is told that they may not.
SECURED = schemathesis.openapi.from_asgi(
    "/openapi.json", asgi(bank, bank.open("memory:"), security=SECURITY), config=good_answers(403), headers=TOKEN
)


@OPEN.exclude(path_regex=ENDLESS).parametrize()
@KNOWN
def test_what_the_description_says_holds(case: Any):
    case.call_and_validate()


@SECURED.exclude(path_regex=ENDLESS).parametrize()
@KNOWN
def test_it_holds_where_one_has_to_say_who_one_is(case: Any):
    case.call_and_validate(headers=TOKEN)
