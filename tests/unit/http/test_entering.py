"""Where one goes after a login is a page of this site, however a browser reads it."""

from __future__ import annotations

import pytest

from actum.http.entering import is_own


@pytest.mark.parametrize("back", ["/", "/console/live?q=a+b%20c&x=/%0d", "/accounts/views/Balance/%C3%A9"])
def test_a_page_of_this_site_is_one(back: str):
    assert is_own(back)


@pytest.mark.parametrize(
    "back",
    [
        "",
        "page",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "/\r\nset-cookie: x=y",
        "/\x00",
        "/é€",
        "/a b",
        "http://[",
    ],
)
def test_what_a_browser_may_take_for_another_site_or_a_header_may_not_hold_is_none(back: str):
    assert not is_own(back)
