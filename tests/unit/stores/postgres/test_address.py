"""What a PostgreSQL URL says, and what nobody may see of it."""

from __future__ import annotations

import pickle
import traceback

import msgspec
import pytest

from actum.journal.errors import Invalid
from actum.stores.postgres.address import address_of

SECRET = "hunter2!"


def test_an_address_is_a_database_and_the_schema_of_a_journal():
    address = address_of("postgresql://ann:pw@db.example:5433/shop?journal=orders")
    assert address.conninfo == "postgresql://ann:pw@db.example:5433/shop"
    assert (address.schema, address.pooled) == ("orders", False)
    assert str(address) == "postgresql://ann@db.example:5433/shop?journal=orders"


def test_a_journal_that_is_not_named_is_called_actum():
    assert address_of("postgres:///shop").schema == "actum"
    assert address_of("postgresql://").schema == "actum"


def test_what_is_for_libpq_reaches_it_as_it_was_written():
    address = address_of(
        "postgresql://h1:1,h2:2/d?sslmode=require&journal=x&options=-c%20geqo%3Doff&pooler=transaction"
    )
    assert address.conninfo == "postgresql://h1:1,h2:2/d?sslmode=require&options=-c%20geqo%3Doff"
    assert address.pooled


def test_a_read_database_lies_beside_its_journal():
    address = address_of("postgresql://ann:pw@h/d?journal=shop")
    assert address.views == msgspec.structs.replace(address, schema="shop_views")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@h/d?journal=shop",
        f"postgresql://h/d?user=ann&password={SECRET}",
        f"postgresql://ann:{SECRET}@/d?host=/var/run/x&sslpassword={SECRET}",
    ],
)
def test_a_password_is_never_shown(url: str):
    address = address_of(url)
    assert SECRET in address.conninfo
    assert SECRET not in f"{address} {address!r} {[address]} {address.views}"
    assert pickle.loads(pickle.dumps(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}/x@h/d",
        f"postgresql://ann:1/{SECRET}@h/d",
        f"postgresql://ann:{SECRET}@{SECRET}@h/d",
        f"postgresql://ann:%zz{SECRET}@h/d",
        f"postgresql://ann:{SECRET}@h:port/d",
        f"postgresql://ann:{SECRET}@h/d?nonsense=1",
        f"postgresql://ann:{SECRET}@h/d?journal=Not%20a%20name",
        f"postgresql://ann:{SECRET}@h/d?pooler=swimming",
        f"mysql://ann:{SECRET}@h/d",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_secrets(url: str):
    with pytest.raises(Invalid, match="expected") as caught:
        address_of(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "name",
    ["", "Shop", "1shop", "shop-1", "pg_shop", "public", "information_schema", "shop_views", "s" * 49, 'a"b', "é"],
)
def test_a_journal_cannot_be_called_what_is_no_plain_name_or_is_taken(name: str):
    with pytest.raises(Invalid, match="journal"):
        address_of(f"postgresql://h/d?journal={name}")
