from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from apps.tenants.models import Partner

HOSTS = ["acme.localhost", "localhost"]


@pytest.mark.parametrize("host", HOSTS)
def test_known_hosts_are_alive_and_ready(partner: Partner, host: str) -> None:
    browser = Client(headers={"host": host})

    alive, ready = browser.get("/.well-known/health"), browser.get("/.well-known/ready")

    assert (alive.status_code, alive.content) == (200, b"ok\n")
    assert (ready.status_code, ready.content) == (200, b"ready\n")
    assert "no-store" in alive["Cache-Control"]


def test_an_unknown_host_is_not(partner: Partner) -> None:
    assert Client(headers={"host": "nobody.example.org"}).get("/.well-known/health").status_code == 404


def test_readiness_names_what_is_missing(partner: Partner, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no cache")

    monkeypatch.setattr(cache, "set", refuse)

    response = client.get("/.well-known/ready")

    assert (response.status_code, response.content) == (503, b"not ready: cache\n")
    assert client.get("/.well-known/health").status_code == 200


def test_missing_pages_wear_the_brand(partner: Partner, client: Client) -> None:
    response = client.get("/no-such-page/")

    assert response.status_code == 404
    assert "Acme" in response.content.decode()
