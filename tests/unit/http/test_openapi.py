"""The description is made from the types, and says the truth."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from actum.http.openapi import describe
from actum.http.problem import TYPES
from actum.http.routes import ENTRANCES, ROUTES, SECURED
from tests.unit.http.bank import bank


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_route_is_described(document: dict[str, Any]):
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "2"
    described = set(document["paths"])
    for name in bank.commands:
        assert f"/commands/{name}" in described
    for name in bank.queries:
        assert f"/queries/{name}" in described
    for name in bank.views:
        assert f"/views/{name}" in described
    assert {"/views/Balance/{account}", "/states/Account/{id}", "/states/Total"} <= described
    fixed = {route.path for route in ROUTES if "{name}" not in route.path and route.path != "/openapi.json"}
    assert fixed <= described


def test_the_entrances_are_described_where_there_are_some(document: dict[str, Any]):
    entrances = {route.path: route for route in SECURED}
    assert not set(entrances) & set(document["paths"])
    secured = msgspec.json.decode(describe(bank, session="__Host-actum_session"))
    assert secured["components"]["securitySchemes"]["session"]["name"] == "__Host-actum_session"
    for path, route in entrances.items():
        described = secured["paths"][path][route.method.lower()]
        assert (described.get("security") == []) == (path in ENTRANCES), path
        assert "401" in described["responses"]


def test_the_example_of_every_command_is_accepted_as_it_stands(document: dict[str, Any], client: TestClient):
    for path, route in document["paths"].items():
        if "post" in route:
            example = route["post"]["requestBody"]["content"]["application/json"]["example"]
            answer = client.post(path, json=example)
            assert answer.status_code in (200, 422), answer.text
            assert "refused" in answer.text or answer.status_code == 200


def test_every_type_of_problem_is_named(document: dict[str, Any]):
    assert set(document["components"]["responses"]) == set(TYPES)
    assert document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"] == [
        each.urn for each in TYPES.values()
    ]


def test_what_a_command_is_for_is_what_its_class_says(document: dict[str, Any]):
    assert document["paths"]["/commands/Open"]["post"]["summary"] == "Open an account."
    assert document["paths"]["/commands/Deposit"]["post"]["summary"] == "Have Deposit decided"


def test_the_answer_of_a_query_is_described_by_what_its_function_returns(document: dict[str, Any]):
    def schema(query: str) -> Any:
        return document["paths"][f"/queries/{query}"]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]

    assert schema("Richest") == {"$ref": "#/components/schemas/Page_Balance_"}
    assert schema("Owners") == {"type": "array", "items": {"type": "string"}}
    assert schema("OwnerOf") == {"anyOf": [{"type": "string"}, {"type": "null"}]}
