from __future__ import annotations

from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.services import appoint, create_person
from apps.branding.models import BrandImage, BrandSettings
from apps.core.planes import tenant_plane
from apps.notifications.services import send_mail
from apps.tenants.models import Partner
from tests.branding.test_images import SCRIPT, picture

PAGE = "/manage/settings/brand/"
VALUES = {
    "display_name": "Northwind", "primary_color": "#0b7285", "accent_color": "#e8590c", "corner_radius": "12",
    "support_email": "help@northwind.example",
}  # fmt: skip


@pytest.fixture
def owner(partner: Partner, now: datetime) -> Client:
    user = create_person(email="olive@acme.example", name="Olive", password="correct horse battery", now=now)
    appoint(user=user, role="owner", now=now)
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/accounts/login/", {"login": "olive@acme.example", "password": "correct horse battery"})
    return browser


def test_saving_shows_on_every_page(owner: Client) -> None:
    logo = SimpleUploadedFile("logo.png", picture(), content_type="image/png")

    assert owner.post(PAGE, {**VALUES, "logo": logo}).status_code == 302

    sign_in = Client(headers={"host": "acme.localhost"}).get("/accounts/login/").content.decode()
    with tenant_plane("p_acme"):
        image = BrandImage.objects.get()
    assert f'src="{image.url}" alt="Northwind"' in sign_in
    assert "<title>Sign in · Northwind</title>" in sign_in
    assert "mailto:help@northwind.example" in sign_in
    assert "interlace" not in sign_in.lower()


def test_an_unreadable_color_is_refused_with_the_nearest_readable_one(owner: Client) -> None:
    response = owner.post(PAGE, {**VALUES, "primary_color": "#7a7a7a"})

    assert response.status_code == 422
    assert "The nearest readable color is #767676." in response.content.decode()
    with tenant_plane("p_acme"):
        assert BrandSettings.objects.count() == 0


def test_a_hostile_logo_is_refused_and_nothing_is_saved(owner: Client) -> None:
    logo = SimpleUploadedFile("logo.png", b"<svg>" + SCRIPT + b"</svg>", content_type="image/png")

    response = owner.post(PAGE, {**VALUES, "logo": logo})

    assert response.status_code == 422
    assert "SVG pictures can carry scripts" in response.content.decode()
    with tenant_plane("p_acme"):
        assert (BrandSettings.objects.count(), BrandImage.objects.count()) == (0, 0)


def test_the_preview_follows_the_form_without_saving(owner: Client) -> None:
    response = owner.post(PAGE + "preview/", {**VALUES, "display_name": "<b>New", "primary_color": "#7a7a7a"})

    body = response.content.decode()
    assert "preview.css?primary_color=%237a7a7a&amp;accent_color=%23e8590c&amp;corner_radius=12" in body
    assert "&lt;b&gt;New" in body
    assert 'data-copy="#767676"' in body
    assert "style=" not in body
    with tenant_plane("p_acme"):
        assert BrandSettings.objects.count() == 0


@pytest.mark.parametrize(
    "color, shown",
    [("%230b7285", "--tblr-primary:#0b7285;"), ("red;}body{display:none", "--tblr-primary:#3b5bdb;")],
)
def test_the_preview_sheet_holds_only_colors(owner: Client, color: str, shown: str) -> None:
    response = owner.get(f"{PAGE}preview.css?primary_color={color}&accent_color=%23e8590c&corner_radius=12")

    css = response.content.decode()
    assert css.startswith(".brand-stage,.brand-stage[data-bs-theme]{")
    assert shown in css
    assert "body" not in css


def test_resetting(owner: Client) -> None:
    owner.post(PAGE, VALUES)
    owner.post(PAGE + "reset/")

    with tenant_plane("p_acme"):
        settings = BrandSettings.objects.get()
    assert (settings.primary_color, settings.corner_radius, settings.display_name) == ("#3b5bdb", 6, "Northwind")


def test_sent_mail_is_listed_and_shown_in_a_sandbox(owner: Client, now: datetime) -> None:
    with tenant_plane("p_acme"):
        mail = send_mail(
            kind="accounts.verification_code", recipient="ann@example.com", template="verification_code",
            context={"code": "ABCD-1234"}, now=now,
        )  # fmt: skip

    listing = owner.get("/manage/settings/mail/").content.decode()
    assert "Your confirmation code" in listing
    assert "Waiting" in listing
    assert "ann@example.com" not in owner.get("/manage/settings/mail/?state=sent").content.decode()
    assert "ann@example.com" not in owner.get("/manage/settings/mail/?q=bob").content.decode()
    detail = owner.get(f"/manage/settings/mail/{mail.pk}/").content.decode()
    assert "Enter this code on the page" in detail
    shown = owner.get(f"/manage/settings/mail/{mail.pk}/as-sent/")
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "script-src" not in shown["Content-Security-Policy"]


def test_a_mail_with_a_code_is_for_its_recipient_alone(owner: Client, now: datetime) -> None:
    with tenant_plane("p_acme"):
        mail = send_mail(
            kind="accounts.verification_code", recipient="ann@example.com", template="verification_code",
            context={"code": "ABCD-1234"}, now=now, is_secret=True,
        )  # fmt: skip

    assert "ABCD-1234" not in owner.get("/manage/settings/mail/").content.decode()
    detail = owner.get(f"/manage/settings/mail/{mail.pk}/").content.decode()
    assert "only its recipient may read it" in detail
    assert "ABCD-1234" not in detail
    assert owner.get(f"/manage/settings/mail/{mail.pk}/as-sent/").status_code == 404
