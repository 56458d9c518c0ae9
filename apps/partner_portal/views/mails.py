"""What was mailed in the partner's name: the answer to "did you get it?"."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core.errors import NotVisible
from apps.notifications.models import OutgoingMail
from apps.notifications.selectors import get_mail, list_mails
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.paging import page_queryset
from apps.ui.status import Status, Tone
from apps.ui.tables import Column, build_table

_AS_SENT = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox allow-popups"


def mail_status(mail: OutgoingMail) -> Status:
    if mail.sent_at:
        return Status("Sent", Tone.OK, "circle-check")
    if mail.gave_up_at:
        return Status("Not delivered", Tone.FAILING, "alert-circle")
    if mail.attempt_count:
        return Status("Trying again", Tone.ATTENTION, "alert-triangle")
    return Status("Waiting", Tone.INFO, "clock")


COLUMNS = [
    Column("subject", "Mail", main=True, sub=lambda mail: mail.recipient),
    Column("status", "State", kind="status", value=mail_status),
    Column("created_at", "When", kind="datetime"),
]


@requires(Audience.STAFF, "audit.view")
def mail_list(request: ActorRequest) -> HttpResponse:
    states = [("sent", "Sent"), ("waiting", "Waiting"), ("failed", "Not delivered")]
    filters = parse_filters(
        request, [Filter("state", "State", states, single=True)], search_placeholder="Filter by recipient"
    )
    mails = list_mails(request.actor).in_state(filters.first("state")).to_recipient(filters.search)
    page = page_queryset(mails, request, order=("-id",))
    table = build_table(
        page.items, COLUMNS, caption="Sent mail",
        url=lambda mail: reverse("partner_portal:mail_detail", args=[mail.pk]), noun="mails",
    )  # fmt: skip
    context = {"tabs": settings_tabs(request, "mails"), "filters": filters, "page": page, "table": table}
    return htmx.render_page(request, "partner_portal/mails.html", "partner_portal/_mail_rows.html", context)


@requires(Audience.STAFF, "audit.view")
def mail_detail(request: ActorRequest, mail_id: UUID) -> HttpResponse:
    mail = _mail(request, mail_id)
    context = {"mail": mail, "status": mail_status(mail), "may_be_read": _may_be_read(mail)}
    return render(request, "partner_portal/mail_detail.html", context)


@requires(Audience.STAFF, "audit.view")
def mail_as_sent(request: ActorRequest, mail_id: UUID) -> HttpResponse:
    """The mail's own markup, in a sandbox: its inline styles may apply, nothing else runs."""
    mail = _mail(request, mail_id)
    if not mail.html or not _may_be_read(mail):
        raise Http404
    return HttpResponse(mail.html, headers={"Content-Security-Policy": _AS_SENT})


def _may_be_read(mail: OutgoingMail) -> bool:
    """Whoever reads a code or link meant for somebody else could sign in as them, also before it is sent."""
    return settings.KEEP_SECRET_MAILS or not mail.is_secret


def _mail(request: ActorRequest, mail_id: UUID) -> OutgoingMail:
    try:
        return get_mail(request.actor, mail_id)
    except NotVisible as error:
        raise Http404 from error
