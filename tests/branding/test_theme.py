from __future__ import annotations

from datetime import datetime

from apps.branding.selectors import current_brand
from apps.branding.services import update_brand
from apps.branding.theme import mark_svg, theme_css
from apps.core.actor import Actor
from apps.tenants.models import Partner


def test_the_sheet_sets_what_the_framework_does_not_derive() -> None:
    css = theme_css(primary_color="#f2b705", accent_color="#0ca678", corner_radius=12)

    assert css == (
        ":root,:root[data-bs-theme]{--tblr-primary:#f2b705;--tblr-primary-fg:#111827;"
        "--tblr-link-color:light-dark(#967103,#f2b705);--tblr-link-hover-color:light-dark(#5a4402,#fbcb39);"
        "--ui-accent:#0ca678;--tblr-border-radius:12px;--tblr-border-radius-sm:10px;--tblr-border-radius-lg:16px;}\n"
    )


def test_it_is_served_under_its_hash_for_ever(partner: Partner, owner_actor: Actor, now: datetime, client) -> None:
    update_brand(actor=owner_actor, now=now, primary_color="#c92a2a")

    response = client.get(current_brand().theme_url)

    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"--tblr-primary:#c92a2a;" in response.content


def test_an_old_address_gets_the_present_sheet_for_a_minute(partner: Partner, client) -> None:
    response = client.get("/theme.0123456789abcdef.css")

    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=60"


def test_partners_have_different_sheets(partner: Partner, owner_actor: Actor, now: datetime, client) -> None:
    update_brand(actor=owner_actor, now=now, primary_color="#c92a2a")
    url = current_brand().theme_url

    there = client.get(url, headers={"host": "globex.localhost"})

    assert b"#c92a2a" not in there.content
    assert there["Cache-Control"] == "public, max-age=60"


def test_the_mark_shows_the_initials(partner: Partner, client) -> None:
    response = client.get(current_brand().favicon_url)

    assert response["Content-Type"] == "image/svg+xml"
    assert b'fill="#ffffff">A</text>' in response.content
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_documents_without_an_icon_of_their_own_get_the_partners(partner: Partner, client) -> None:
    response = client.get("/favicon.ico")

    assert (response.status_code, response["Location"]) == (302, current_brand().favicon_url)
    assert client.get(response["Location"])["Content-Type"] == "image/svg+xml"


def test_the_mark_holds_no_markup_of_a_name() -> None:
    from apps.branding.selectors import initials_of

    assert initials_of("<script> &amp; Söhne") == "S"
    assert mark_svg(initials="S", primary_color="#3b5bdb").count("<") == 5
