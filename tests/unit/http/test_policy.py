"""What no role says is denied."""

from __future__ import annotations

import pytest

from actum import Misdeclared
from actum.http.policy import Policy, Principal


@pytest.mark.parametrize(
    ("granted", "needed", "may"),
    [
        ("commands:Open", "commands:Open", True),
        ("commands:*", "commands:Open", True),
        ("*", "commands:Open", True),
        ("commands:Open", "commands:Opened", False),
        ("commands:*", "queries:Open", False),
        ("events:read", "events:read", True),
        ("views:*", "events:read", False),
        ("on-behalf-of", "on-behalf-of", True),
    ],
)
def test_a_permission_is_for_what_it_names_and_no_more(granted: str, needed: str, *, may: bool):
    assert Principal("x", frozenset((granted,))).may(needed) is may


def test_roles_add_up_and_one_that_is_not_there_gives_nothing():
    policy = Policy(roles={"a": ("views:A",), "b": ("views:B",)}, public=("views:P",))
    assert policy.permissions(["a", "b", "c"], ["views:X"]) == {"views:A", "views:B", "views:P", "views:X"}
    assert policy.permissions([]) == {"views:P"}


@pytest.mark.parametrize(
    "permission", ["", "Commands:Open", "commands:", "commands:Open:x", "**", "com mands:x", "a:*b"]
)
def test_what_can_be_no_permission_is_turned_down(permission: str):
    with pytest.raises(Misdeclared, match="is no permission"):
        Policy(roles={"a": (permission,)})
