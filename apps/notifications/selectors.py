from __future__ import annotations

from uuid import UUID

from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.notifications.models import OutgoingMail, OutgoingMailQuerySet


def list_mails(actor: Actor) -> OutgoingMailQuerySet:
    """Newest first. Mails go to people of several customers, so only partner-wide readers of the trail see them."""
    actor.require("audit.view")
    return OutgoingMail.objects.order_by("-id")


def get_mail(actor: Actor, mail_id: UUID) -> OutgoingMail:
    """Raises NotVisible, NotPermitted."""
    mail = list_mails(actor).filter(pk=mail_id).first()
    if mail is None:
        raise NotVisible("There is no such mail.")
    return mail
