from __future__ import annotations

from datetime import datetime

import pytest

from apps.audit.models import AuditEvent
from apps.branding.brand import NEUTRAL_BRAND, LegalLink
from apps.branding.models import BrandSettings
from apps.branding.selectors import current_brand
from apps.branding.services import UnableToUpdateBrand, reset_brand, update_brand
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.core.planes import public_plane, tenant_plane
from apps.tenants.models import Partner


def test_it_works(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    update_brand(
        actor=owner_actor, now=now, display_name=" Northwind Traders ", primary_color="#0B7285",
        support_email="help@northwind.example", privacy_url="https://northwind.example/privacy",
    )  # fmt: skip

    brand = current_brand()
    assert (brand.name, brand.initials, brand.primary_color) == ("Northwind Traders", "NT", "#0b7285")
    assert (brand.primary_text_color, brand.mail_from_name) == ("#ffffff", "Northwind Traders")
    assert brand.legal_links == (LegalLink("Privacy", "https://northwind.example/privacy"),)
    event = AuditEvent.objects.get(action="brand.updated")
    assert (event.before["primary_color"], event.after["primary_color"]) == ("#3b5bdb", "#0b7285")


def test_a_partner_that_set_nothing_has_its_name(partner: Partner, now: datetime) -> None:
    brand = current_brand()

    assert (brand.name, brand.initials, brand.primary_color, brand.logo_url) == ("Acme", "A", "#3b5bdb", "")
    assert BrandSettings.objects.count() == 0


def test_partners_do_not_share_a_brand(partner: Partner, other_partner: Partner, owner_actor: Actor, now) -> None:
    update_brand(actor=owner_actor, now=now, display_name="Northwind")

    with tenant_plane(other_partner.schema_name):
        assert current_brand().name == "Globex"
    assert current_brand().name == "Northwind"


def test_public_is_neutral(db: None) -> None:
    with public_plane():
        assert current_brand() is NEUTRAL_BRAND
    assert NEUTRAL_BRAND.name == ""


def test_a_change_shows_at_once(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    first = current_brand().theme_url
    update_brand(actor=owner_actor, now=now, primary_color="#c92a2a")

    assert current_brand().primary_color == "#c92a2a"
    assert current_brand().theme_url != first


@pytest.mark.parametrize(
    "field, value, suggestion",
    [
        ("primary_color", "#7a7a7a", "#767676"),
        ("accent_color", "#ffffff", "#d2d2d2"),
        ("primary_color", "#fff;}body{display:none", ""),
        ("primary_color", "blue", ""),
        ("support_url", "javascript:alert(1)", ""),
        ("support_email", "nobody", ""),
        ("display_name", "  ", ""),
        ("corner_radius", 99, ""),
        ("mail_from_name", "Acme\nBcc: everyone@example.com", ""),
        ("sign_in_text", "x" * 201, ""),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    partner: Partner, owner_actor: Actor, now: datetime, field: str, value: object, suggestion: str
) -> None:
    with pytest.raises(UnableToUpdateBrand) as refusal:
        update_brand(actor=owner_actor, now=now, **{field: value})

    assert (refusal.value.field, refusal.value.suggestion) == (field, suggestion)
    assert BrandSettings.objects.count() == 0


def test_a_viewer_may_not(partner: Partner, now: datetime) -> None:
    viewer = Actor(ActorKind.USER, "v", "Vera", frozenset({"customers.view"}), scope=None)

    with pytest.raises(NotPermitted):
        update_brand(actor=viewer, now=now, display_name="Mine")
    assert BrandSettings.objects.count() == 0


def test_reset_gives_the_first_look_back_and_keeps_contacts(partner: Partner, owner_actor: Actor, now) -> None:
    update_brand(
        actor=owner_actor, now=now, display_name="Northwind", primary_color="#c92a2a", corner_radius=12,
        support_email="help@northwind.example",
    )  # fmt: skip

    reset_brand(actor=owner_actor, now=now)

    brand = current_brand()
    assert (brand.primary_color, brand.corner_radius) == ("#3b5bdb", 6)
    assert (brand.name, brand.support_email) == ("Northwind", "help@northwind.example")
