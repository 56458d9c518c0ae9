from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail

from apps.branding.services import update_brand
from apps.core.actor import Actor
from apps.core.planes import public_plane
from apps.dispatch.models import WorkItem
from apps.notifications.models import OutgoingMail
from apps.notifications.services import BLANKED, RETRY_AFTER, deliver_mail, send_mail
from apps.tenants.models import Partner

CODE = {"code": "ABCD-1234"}


@pytest.fixture
def brand(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    update_brand(
        actor=owner_actor, now=now, display_name="Northwind & Sons", primary_color="#0b7285",
        support_email="help@northwind.example", support_phone="+31 20 555 0101", postal_address="Dock 4\nAmsterdam",
    )  # fmt: skip


def send_code(now: datetime, **options: object) -> OutgoingMail:
    return send_mail(
        kind="accounts.verification_code", recipient="ann@example.com", template="verification_code", context=CODE,
        now=now, **options,
    )  # fmt: skip


def test_it_works(brand: None, now: datetime) -> None:
    stored = send_code(now)
    assert (stored.sent_at, len(mail.outbox)) == (None, 0)
    item = WorkItem.objects.get(kind="notifications.send")
    assert (item.schema, item.key, item.due_at) == ("p_acme", str(stored.pk), now)

    deliver_mail(mail_id=stored.pk, now=now)

    sent = mail.outbox[0]
    assert (sent.to, sent.subject) == (["ann@example.com"], "Your confirmation code")
    assert sent.from_email == "Northwind & Sons <no-reply@localhost>"
    assert sent.reply_to == ["help@northwind.example"]
    assert OutgoingMail.objects.get().sent_at == now
    assert WorkItem.objects.count() == 0


def test_the_brand_is_everywhere_and_the_platform_nowhere(brand: None, now: datetime) -> None:
    stored = send_code(now)

    assert stored.text.endswith("--\nNorthwind & Sons\nhelp@northwind.example\n+31 20 555 0101\nDock 4\nAmsterdam\n")
    assert "Northwind &amp; Sons" in stored.html
    assert "border-top:3px solid #0b7285" in stored.html
    assert "Dock 4<br>Amsterdam" in stored.html
    assert "interlace" not in (stored.text + stored.html + stored.subject).lower()


def test_the_same_key_is_sent_once(brand: None, now: datetime) -> None:
    first, second = send_code(now, key="invoice:1"), send_code(now, key="invoice:1")

    assert first.pk == second.pk
    assert (OutgoingMail.objects.count(), WorkItem.objects.count()) == (1, 1)


def test_delivering_twice_sends_once(brand: None, now: datetime) -> None:
    stored = send_code(now)

    for _ in range(2):
        deliver_mail(mail_id=stored.pk, now=now)

    assert len(mail.outbox) == 1


def test_a_secret_mail_is_blanked_once_sent(brand: None, now: datetime) -> None:
    stored = deliver_mail(mail_id=send_code(now, is_secret=True).pk, now=now)

    assert "ABCD-1234" in mail.outbox[0].body
    stored.refresh_from_db()
    assert (stored.text, stored.html) == (BLANKED, "")


def test_the_demo_keeps_secret_mails(brand: None, now: datetime, settings) -> None:
    settings.KEEP_SECRET_MAILS = True

    stored = deliver_mail(mail_id=send_code(now, is_secret=True).pk, now=now)

    assert "ABCD-1234" in stored.text


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def send(message: object) -> None:
        raise error

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", send)


def test_a_failure_is_noted_and_tried_again_later(brand: None, now: datetime, monkeypatch) -> None:
    fail_with(monkeypatch, SMTPServerDisconnected("gone"))
    stored = send_code(now)

    deliver_mail(mail_id=stored.pk, now=now)

    stored.refresh_from_db()
    assert (stored.attempt_count, stored.sent_at) == (1, None)
    assert stored.error == "The mail server could not be used: gone"
    assert WorkItem.objects.get().due_at == now + timedelta(minutes=1)


def test_it_gives_up_after_a_day(brand: None, now: datetime, monkeypatch) -> None:
    fail_with(monkeypatch, SMTPServerDisconnected("gone"))
    stored = send_code(now, is_secret=True)

    for _ in range(len(RETRY_AFTER) + 1):
        deliver_mail(mail_id=stored.pk, now=now)

    stored.refresh_from_db()
    assert (stored.attempt_count, stored.gave_up_at, stored.text) == (8, now, BLANKED)
    assert WorkItem.objects.count() == 0


def test_a_refused_address_is_not_tried_again(brand: None, now: datetime, monkeypatch) -> None:
    fail_with(monkeypatch, SMTPRecipientsRefused({"ann@example.com": (550, b"no such user")}))

    stored = deliver_mail(mail_id=send_code(now).pk, now=now)

    assert (stored.gave_up_at, stored.error) == (now, "The mail server refused the address (550).")
    assert WorkItem.objects.count() == 0


def test_operators_get_theirs_at_once(db: None, now: datetime, django_capture_on_commit_callbacks) -> None:
    with public_plane(), django_capture_on_commit_callbacks(execute=True):
        send_code(now)

    assert [sent.subject for sent in mail.outbox] == ["Your confirmation code"]
    assert "interlace" not in mail.outbox[0].body.lower()


EVERY_MAIL = {
    "invitation": {
        "invited_by": "Olive <b>Owner</b>", "subject_label": "", "role": "Viewer", "url": "https://x.example/a",
        "expires_at": datetime(2026, 11, 9, 9, 0),
    },
    "verification_code": CODE,
    "password_reset": {"url": "https://x.example/a"},
    "security_notice": {"notice": "Your password was changed.", "happened_at": datetime(2026, 11, 9), "ip": "::1"},
    "address_in_use": {},
    "reauthorize_connection": {
        "customer_name": "Initech", "connection_name": "CRM", "vendor_name": "HubSpot", "url": "https://x.example/a",
    },
    "access_ends": {
        "customer_name": "Initech", "connection_name": "CRM", "vendor_name": "HubSpot", "url": "https://x.example/a",
        "ends_at": datetime(2026, 11, 23, 9, 0), "days": 14,
    },
    "connect_link": {
        "customer_name": "Initech", "vendor_name": "HubSpot", "asked_by": "Olive <b>Owner</b>",
        "message": "Hello,\nwe begin on Monday.", "url": "https://x.example/a", "expires_at": datetime(2026, 11, 9, 9, 0),
    },
    "sla_report_ready": {
        "customer_name": "Initech", "period_label": "October 2026", "is_met": True, "url": "https://x.example/a",
        "facts": [("Achieved", "99.94 %"), ("Target", "99.5 %")],
    },
    "invoice_issued": {
        "customer_name": "Initech", "number": "N-1", "total": "€1,200.00", "due_date": datetime(2026, 12, 1),
        "period_label": "October 2026", "url": "https://x.example/a",
    },
}  # fmt: skip


@pytest.mark.parametrize("template", EVERY_MAIL)
def test_every_mail_is_whole(brand: None, now: datetime, template: str) -> None:
    context = EVERY_MAIL[template]

    stored = send_mail(kind="test", recipient="a@example.com", template=template, context=context, now=now)

    assert stored.subject
    assert not stored.text.startswith("Subject:")
    assert "&amp;" not in stored.text
    assert "&#x27;" not in stored.text
    assert "<b>Owner" not in stored.html
    assert "interlace" not in (stored.text + stored.html + stored.subject).lower()
    if "url" in context:
        assert "https://x.example/a" in stored.text
        assert 'href="https://x.example/a"' in stored.html
