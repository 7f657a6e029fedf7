"""What an address may be, and what is said of one that is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from actum.journal.errors import Invalid
from actum.service.opening import open_store

WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from actum.service.opening import open_store, open_read_database
for opens in (lambda url: open_store(url), lambda url: open_read_database(url, journal=url, origin="x")):
    try:
        opens("postgresql://ann:pssst@h/d")
    except Exception as wrong:
        print(type(wrong).__name__, wrong)
"""


def test_without_a_driver_it_is_said_what_to_install_and_nothing_that_is_secret():
    ran = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True)
    assert ran.stdout.count("Misdeclared") == ran.stdout.count("pip install 'actum[postgres]'") == 2
    assert "pssst" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("address", ["mysql://ann:pssst@h/d", "http://ann:pssst@h/d"])
def test_an_address_that_no_store_understands_is_named_by_its_scheme_alone(address: str):
    with pytest.raises(Invalid, match=r"found (mysql|http)://…") as caught:
        open_store(address)
    assert "pssst" not in str(caught.value)
