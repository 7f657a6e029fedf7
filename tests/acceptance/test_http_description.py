"""A program that knows only the description asks everything in it, as it is allowed and as it is not: schemathesis."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from actum.http.asgi import asgi
from tests.unit.http.bank import bank

EXAMPLES = 15

# What the rules refuse, and an id that stands for something else, are good requests with the answer 422; what does not
# fit is 400, and that no request may be which the description allows.
CHECKS = {"positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 404, 409, 422]}}

CONFIG = schemathesis.Config.from_dict({"checks": CHECKS})
SCHEMA = schemathesis.openapi.from_asgi(
    "/openapi.json", asgi(bank, bank.open("memory:", actor="schemathesis")), config=CONFIG
)


@SCHEMA.exclude(path_regex="^/(feed|live/)").parametrize()  # their answers have no end
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_description_says_holds(case: Any):
    case.call_and_validate()
