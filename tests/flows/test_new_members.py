"""Whoever invites somebody has a second pair of eyes at once; the others on the team learn of it."""

from __future__ import annotations

import re

import pytest

from apps.accounts.services import accept_invitation, invite
from apps.events.relaying import relay_outbox
from apps.flows.services import set_release_rules
from apps.notifications.models import OutgoingMail
from tests.factories.askers import owner, owner_actor
from tests.factories.world import PASSWORD, make_staff

__all__ = ["owner", "owner_actor"]


@pytest.mark.parametrize("is_reviewed", [True, False])
def test_the_others_learn_who_joined(partner, owner, owner_actor, now, is_reviewed):
    make_staff(now, "admin", "carl@acme.example")
    make_staff(now, "support")
    set_release_rules(actor=owner_actor, now=now, requires_review=is_reviewed)
    invite(actor=owner_actor, now=now, email="puppet@acme.example", role="admin")
    text = OutgoingMail.objects.latest("created_at", "pk").text
    token = re.search(r"/invitations?/([^/\s]+)/", text)[1]

    accept_invitation(token=token, name="Pia Puppet", password=PASSWORD, now=now)
    for _ in range(2):
        relay_outbox(now=now)

    mails = OutgoingMail.objects.filter(kind="flows.member_joined").order_by("recipient")
    told = ["carl@acme.example", owner.email] if is_reviewed else []
    assert sorted(mail.recipient for mail in mails) == sorted(told)
    assert {mail.subject for mail in mails} == ({"puppet@acme.example joined your team"} if is_reviewed else set())
    assert all("as Admin" in mail.text and "/manage/settings/team/" in mail.text for mail in mails)
