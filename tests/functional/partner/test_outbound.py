"""The page with the list of hosts that connections may call."""

from __future__ import annotations

from django.test import Client

from apps.connectors.models import Connection
from apps.connectors.outbound import allowed_hosts
from tests.functional.partner.scene import Scene

PAGE = "/manage/settings/outbound/"


def test_a_list_is_saved_and_shown(owner: Client, partner: object) -> None:
    saved = owner.post(PAGE, {"hosts": "api.example.com\n*.example.org\n"})
    page = owner.get(PAGE)

    assert saved["Location"] == PAGE
    assert allowed_hosts() == ("*.example.org", "api.example.com")
    assert page.context["form"]["hosts"].value() == "*.example.org\napi.example.com"
    assert "call the hosts below and nothing else" in page.content.decode()


def test_what_would_be_cut_off_is_told_at_the_field(owner: Client, scene: Scene) -> None:
    Connection.objects.filter(customer=scene.customer).update(settings={"base_url": "https://erp.example.net"})

    response = owner.post(PAGE, {"hosts": "api.example.com"})

    assert "erp.example.net" in response.context["form"].errors["hosts"][0]
    assert allowed_hosts() == ()
