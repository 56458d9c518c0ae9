"""Sending mails in the partner's name: written with the business change, delivered after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django_tenants.utils import get_public_schema_name

from apps.branding.selectors import current_brand
from apps.core.planes import current_schema
from apps.dispatch.services import complete, reschedule, schedule
from apps.notifications.models import OutgoingMail
from apps.notifications.rendering import render_mail
from apps.tenants.selectors import platform_host

KIND = "notifications.send"
BLANKED = "This message held a one-time code or link and was not kept."
# Roughly a day in all: a mail server under repair is back by then.
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 20, 60, 180, 360, 720)]
_MOST_URGENT = 1


def send_mail(
    *,
    kind: str,
    recipient: str,
    template: str,
    context: dict[str, Any],
    now: datetime,
    key: str | None = None,
    is_secret: bool = False,
) -> OutgoingMail:
    """This function will store the mail in the caller's transaction and have it delivered after commit.

    With a `key` the same (kind, key) is sent once, however often it is asked for. A mail with a code or link that lets
    its reader in must be `is_secret`.
    """
    existing = OutgoingMail.objects.filter(kind=kind, key=key).first() if key else None
    if existing is not None:
        return existing
    brand = current_brand()
    words = render_mail(template=template, context=context, brand=brand, host=_host())
    values = {
        "recipient": recipient, "from_name": brand.mail_from_name, "reply_to": brand.support_email,
        "subject": words.subject, "text": words.text, "html": words.html, "is_secret": is_secret, "created_at": now,
    }  # fmt: skip
    if key is None:
        mail = OutgoingMail.objects.create(kind=kind, **values)
    else:
        mail, created = OutgoingMail.objects.get_or_create(kind=kind, key=key, defaults=values)
        if not created:
            return mail
    _have_delivered(mail, now)
    return mail


def deliver_mail(*, mail_id: UUID, now: datetime) -> OutgoingMail:
    """This function will hand the mail to the mail server, or note why not and set the next attempt."""
    mail = OutgoingMail.objects.get(pk=mail_id)
    if mail.is_waiting:
        error, final = _hand_over(mail)
        _note_attempt(mail, now, error, final)
    _settle(mail, now)
    return mail


def _have_delivered(mail: OutgoingMail, now: datetime) -> None:
    if current_schema() == get_public_schema_name():
        # Dispatch serves partners; the few mails to operators are sent at once and not retried.
        transaction.on_commit(lambda: deliver_mail(mail_id=mail.pk, now=now))
        return
    schedule(kind=KIND, key=str(mail.pk), due_at=now, priority=_MOST_URGENT)


def _hand_over(mail: OutgoingMail) -> tuple[str, bool]:
    """The error of the attempt ('' when it went well), and whether another attempt is pointless."""
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=formataddr((" ".join(mail.from_name.split()), address)),  # a header is one line
        to=[mail.recipient],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"X-Entity-Ref-ID": str(mail.pk)},
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        return f"The mail server refused the address ({', '.join(map(str, sorted(codes)))}).", min(codes) >= 500
    except (SMTPException, OSError) as error:
        return f"The mail server could not be used: {error}"[:300], False
    return "", False


def _note_attempt(mail: OutgoingMail, now: datetime, error: str, final: bool) -> None:
    mail.attempt_count += 1
    mail.error = error
    if not error:
        mail.sent_at = now
    elif final or mail.attempt_count > len(RETRY_AFTER):
        mail.gave_up_at = now
    if mail.is_secret and not mail.is_waiting and not settings.KEEP_SECRET_MAILS:
        mail.text, mail.html = BLANKED, ""
    mail.save()


def _settle(mail: OutgoingMail, now: datetime) -> None:
    if current_schema() == get_public_schema_name():
        return
    if mail.is_waiting:
        reschedule(kind=KIND, key=str(mail.pk), due_at=now + RETRY_AFTER[mail.attempt_count - 1], priority=_MOST_URGENT)
    else:
        complete(kind=KIND, key=str(mail.pk))


def _host() -> str:
    schema = current_schema()
    return "" if schema == get_public_schema_name() else platform_host(schema)
