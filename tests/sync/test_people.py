"""What rules ask of people: to release a record before it is written, and to know of something."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import StaffMembership, User
from apps.audit.models import AuditEvent
from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.models import Flow
from apps.notifications.models import OutgoingMail
from apps.sync.models import ApprovalRequest, RecordFailure, RuleNotice
from apps.sync.services import (
    ReasonMissing,
    UnableToApprove,
    approve,
    dry_run,
    reject,
)
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import EUR, READS, deal, vendor

# Approvals


def gated(deploy_flow: Any, by: str = "partner", **write: Any) -> Flow:
    rule = {
        "on": "account", "write": {"role": "erp", **write},
        "approve": {"key": "new-party", "question": "Set up in the ERP?", "show": ["name", "email"], "by": by},
    }  # fmt: skip
    return flow_of(deploy_flow(reads=READS, rules=[rule]))


def parties() -> list[tuple[str, Any]]:
    return [(party["name"], party.get("email")) for party in vendor("erp").all("parties")]


def test_what_needs_a_release_waits_for_a_person(deploy_flow, owner_actor, now):
    deal()
    flow = gated(deploy_flow)
    for _ in range(2):
        run_flow(flow, now)

    request = ApprovalRequest.objects.get()
    assert (request.title, request.target, request.status) == ("Vulcan Industries", "ERP", "open")
    assert request.shown == {"name": "Vulcan Industries", "email": None}
    assert parties() == []

    approve(actor=owner_actor, now=now, approval=request)
    run_flow(flow, now)
    assert parties() == [("Vulcan Industries", None)]
    run_flow(flow, now)
    assert (len(vendor("erp").created), ApprovalRequest.objects.count()) == (1, 1)
    event = AuditEvent.objects.get(action="approval.released")
    assert event.target_label == "Vulcan Industries"


def test_a_changed_record_asks_again(deploy_flow, owner_actor, now):
    deal()
    flow = gated(deploy_flow)
    run_flow(flow, now)
    vendor("crm").put("companies", "c1", email="office@vulcan.example")
    run_flow(flow, now)

    first, second = ApprovalRequest.objects.order_by("asked_at", "id")
    assert (first.status, second.status, second.shown["email"]) == ("changed", "open", "office@vulcan.example")
    with pytest.raises(UnableToApprove):
        approve(actor=owner_actor, now=now, approval=first)
    approve(actor=owner_actor, now=now, approval=second)
    # What nobody is shown changes without a question.
    vendor("crm").put("companies", "c1", phone="+49 30 1")
    run_flow(flow, now)
    assert parties() == [("Vulcan Industries", "office@vulcan.example")]
    vendor("crm").put("companies", "c1", phone="+49 30 2")
    run_flow(flow, now)
    assert [party["phone"] for party in vendor("erp").all("parties")] == ["+49 30 2"]

    vendor("crm").put("companies", "c1", email="new@vulcan.example")
    run_flow(flow, now)
    assert parties() == [("Vulcan Industries", "office@vulcan.example")]
    assert ApprovalRequest.objects.filter(status="open").get().shown["email"] == "new@vulcan.example"


def test_what_changed_after_it_was_shown_is_not_released(deploy_flow, owner_actor, now):
    deal()
    run_flow(gated(deploy_flow), now)
    request = ApprovalRequest.objects.get()
    record = CanonicalRecord.objects.get(entity="account")
    record.data = {**record.data, "email": "late@vulcan.example"}
    record.save()

    with pytest.raises(UnableToApprove, match="It has changed since it was shown"):
        approve(actor=owner_actor, now=now, approval=request)


def test_what_is_refused_is_not_written_until_it_changes(deploy_flow, owner_actor, now):
    deal()
    flow = gated(deploy_flow)
    run_flow(flow, now)
    request = ApprovalRequest.objects.get()
    with pytest.raises(ReasonMissing):
        reject(actor=owner_actor, now=now, approval=request, reason=" ")
    reject(actor=owner_actor, now=now, approval=request, reason="Wrong name")
    run_flow(flow, now)
    assert (parties(), ApprovalRequest.objects.count()) == ([], 1)

    vendor("crm").put("companies", "c1", name="Vulcan Works")
    run_flow(flow, now)
    approve(actor=owner_actor, now=now, approval=ApprovalRequest.objects.get(status="open"))
    run_flow(flow, now)
    assert parties() == [("Vulcan Works", None)]


def test_nothing_is_asked_where_nothing_would_be_written(deploy_flow, now):
    deal()
    run_flow(gated(deploy_flow, create=False), now)

    assert ApprovalRequest.objects.count() == 0


def test_another_record_does_not_carry_it_past_the_gate(deploy_flow, owner_actor, now):
    deal()
    rules = [
        {
            "on": "account", "write": {"role": "erp"},
            "approve": {"key": "new-party", "question": "Set up?", "show": ["name"]},
        },
        {"on": "opportunity", "derive": "project", "as": "p", "fields": {"name": "record.name", "status": '"open"'}, "refs": {"account": "account"}},
        {"on": "project", "write": {"role": "erp", "ensure": ["account"]}},
    ]  # fmt: skip
    flow = flow_of(deploy_flow(reads=READS, rules=rules))
    run_flow(flow, now)
    assert vendor("erp").created == []
    message = RecordFailure.objects.get().message
    assert message == "Its account “Vulcan Industries” waits to be released for ERP."

    approve(actor=owner_actor, now=now, approval=ApprovalRequest.objects.get())
    run_flow(flow, now)
    assert [kind for kind, _ in vendor("erp").created] == ["parties", "projects"]
    assert RecordFailure.objects.get().status == "resolved"


def test_who_decides_is_the_templates_word(deploy_flow, environment, owner_actor, now):
    deal()
    run_flow(gated(deploy_flow, by="customer"), now)
    request = ApprovalRequest.objects.get()
    permissions = frozenset({"approvals.decide"})
    own = Actor(ActorKind.USER, "u1", "Ann", permissions, scope=frozenset({environment.customer_id}))
    stranger = Actor(ActorKind.USER, "u2", "Bob", permissions, scope=frozenset())
    viewer = Actor(ActorKind.USER, "u3", "Cy", frozenset(), scope=frozenset({environment.customer_id}))

    with pytest.raises(NotPermitted, match="The customer decides this"):
        approve(actor=owner_actor, now=now, approval=request)
    with pytest.raises(NotVisible):
        approve(actor=stranger, now=now, approval=request)
    with pytest.raises(NotPermitted):
        approve(actor=viewer, now=now, approval=request)
    assert approve(actor=own, now=now, approval=request).decided_by_label == "Ann"


def test_a_dry_run_shows_what_would_be_asked_for(deploy_flow, owner_actor, now):
    deal()
    integration = gated(deploy_flow).integration
    shown = dry_run(actor=owner_actor, now=now, integration=integration)

    assert [change.title for change in shown.flows[0].changes] == ["Vulcan Industries"]
    assert ApprovalRequest.objects.count() == 0


# Notices


@pytest.fixture
def finance(partner, now):
    user = User.objects.create(email="fin@example.com", name="Fin", created_at=now)
    return StaffMembership.objects.create(user=user, role="finance", created_at=now)


def notifying(deploy_flow: Any, **notify: Any) -> Flow:
    rule = {
        "on": "opportunity", "when": 'record.stage == "won"',
        "notify": {
            "key": "won", "to": ["finance"], "subject": '"Won: " + record.name',
            "text": 'decimal(record.amount) + " EUR"', **notify,
        },
    }  # fmt: skip
    return flow_of(deploy_flow(reads=READS, rules=[rule]))


def test_people_are_told_once_for_each_version(deploy_flow, finance, now):
    deal()
    flow = notifying(deploy_flow)
    for _ in range(2):
        run_flow(flow, now)

    notice = RuleNotice.objects.get()
    assert (notice.subject, notice.text, notice.roles) == ("Won: Forge rollout", "5000.00 EUR", ["finance"])
    mail = OutgoingMail.objects.get(kind="sync.notice")
    assert (mail.recipient, mail.subject) == ("fin@example.com", "Won: Forge rollout")
    assert "5000.00 EUR" in mail.text

    vendor("crm").put("deals", "d1", amount={"amount": 600000, "currency": "EUR"})
    run_flow(flow, now)
    assert [n.text for n in RuleNotice.objects.order_by("id")] == ["5000.00 EUR", "6000.00 EUR"]


def test_once_means_once(deploy_flow, finance, now):
    deal()
    flow = notifying(deploy_flow, once=True, mail=False)
    run_flow(flow, now)
    vendor("crm").put("deals", "d1", amount={"amount": 600000, "currency": "EUR"})
    run_flow(flow, now)

    assert (RuleNotice.objects.count(), OutgoingMail.objects.count()) == (1, 0)


def test_many_at_once_come_in_one_mail(deploy_flow, finance, now):
    for number in range(25):
        vendor("crm").put("deals", f"d{number}", name=f"Deal {number}", stage="won", amount=EUR)
    flow = notifying(deploy_flow)
    run_flow(flow, now)

    assert RuleNotice.objects.count() == 25
    mails = list(OutgoingMail.objects.filter(kind="sync.notice"))
    assert [(mail.recipient, mail.text.count("Won: Deal")) for mail in mails] == [("fin@example.com", 20)]
    assert "And 5 more" in mails[0].text
    assert len(mails) <= 3


def test_a_text_that_fails_is_told_and_nobody_is_bothered(deploy_flow, finance, now):
    deal()
    run_flow(notifying(deploy_flow, text="record.owner_email + 1"), now)

    assert (RuleNotice.objects.count(), OutgoingMail.objects.count()) == (0, 0)
    assert RecordFailure.objects.get().record_title == "Forge rollout"
