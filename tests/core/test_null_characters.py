"""An address, a cookie or a form with a null character is a bad request, whoever sends it; it never reaches the database."""

from __future__ import annotations

import pytest

from tests.browsing import Browser


@pytest.mark.parametrize(
    "address", ["/hooks/%00/", "/connect/%00/", "/manage/records/?q=a%00b", "/api/v1/records?q=%00"]
)
def test_it_is_refused(partner: object, client: Browser, address: str) -> None:
    answer = client.post(address, {}) if address.startswith("/hooks") else client.get(address)

    assert answer.status_code == 400
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_form_with_one_is_refused_too(partner: object, client: Browser) -> None:
    for given in ({"login": "a\x00b"}, {"a\x00b": "c"}):
        assert client.post("/accounts/login/", given).status_code == 400
    assert client.post("/accounts/login/", {"login": "ab"}).status_code == 200


def test_a_cookie_that_spells_one_is_refused_too(partner: object, client: Browser) -> None:
    """A session is looked up by what its cookie says, and quoted cookies may say it in octal digits."""
    for host in ("acme.localhost", "localhost"):
        asked = {"host": host, "cookie": 'sessionid="\\000aaaaaaaaaaaa"'}
        assert client.get("/accounts/login/", headers=asked).status_code == 400
