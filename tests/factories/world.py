"""A customer in full: people, systems, integrations, records, history, a promise and an invoice.

Two of them stand in one partner where tests ask whether one can see or change what is the other's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.accounts.models import Invitation, User
from apps.accounts.policies import CustomerRole, StaffRole
from apps.accounts.services import appoint, create_person, invite
from apps.billing.models import Invoice, LegalEntity, Plan
from apps.billing.services import (
    NewPrice,
    create_plan,
    deliver_invoice,
    issue_invoice,
    open_account,
    record_usage,
    subscribe,
)
from apps.canonical.models import (
    CanonicalChange,
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    FieldQuestion,
    MatchQuestion,
    MergePlan,
    RecordMerge,
)
from apps.canonical.scoring import Score
from apps.canonical.services import ask_questions, ask_values, merge_records
from apps.canonical.services.questions import Doubtful
from apps.canonical.services.values import Contradiction
from apps.connectors.models import Connection, ConnectLink, StoredFile
from apps.connectors.services import send_connect_link
from apps.connectors.services.credentials import store_secrets
from apps.core.actor import Actor, system_actor
from apps.customers.askers import note_asker
from apps.customers.models import Customer, CustomerMembership
from apps.customers.services import add_member
from apps.flows.models import (
    FieldPolicy,
    Flow,
    Integration,
    IntegrationRevision,
    IntegrationTemplateVersion,
    MappingPublication,
    RolloutMember,
)
from apps.flows.services import deploy_integration, go_live, set_field_policy
from apps.monitoring.models import BusinessException
from apps.notifications.models import WebhookDelivery, WebhookEndpoint
from apps.sla.models import SlaPolicy, SlaReport
from apps.sla.services import assign_policy, close_month, create_policy
from apps.sync.models import (
    ApprovalRequest,
    DeletionReview,
    ErrorClass,
    FailureRetry,
    LogExport,
    RecordFailure,
    RecordLog,
    RuleNotice,
    RunStatus,
    RunTrigger,
    SyncRun,
    VendorCall,
)
from apps.sync.services import carry_on_plan, request_pairs
from tests.factories.aftermath import make_endpoint, make_exception
from tests.factories.delivery import make_connection, make_customer, production_of
from tests.factories.invoices import draft_invoice
from tests.factories.kept import kept
from tests.factories.library import load_library
from tests.factories.logs import make_entries
from tests.factories.modernization import Modernization, make_modernization
from tests.factories.versions import make_versions

PASSWORD = "correct horse battery"  # noqa: S105
# The templates that the world's four systems can play.
DEPLOYED = (
    "opportunity-to-project", "payment-status", "time-to-invoice", "two-way-accounts", "two-way-projects",
)  # fmt: skip
OCTOBER = datetime(2026, 10, 1, 6, tzinfo=UTC)
LAST_RUN = datetime(2026, 11, 2, 8, 58, tzinfo=UTC)
VENDORS = {"crm": "hubspot", "erp": "tryton", "delivery": "redmine", "billing": "xero"}


@dataclass
class World:
    customer: Customer
    admin: User
    viewer: User
    memberships: dict[str, CustomerMembership]
    invitation: Invitation
    connections: dict[str, Connection]
    integrations: dict[str, Integration]
    flows: dict[str, Flow]
    runs: dict[str, SyncRun] = field(default_factory=dict)
    records: dict[str, CanonicalRecord] = field(default_factory=dict)
    failures: dict[str, RecordFailure] = field(default_factory=dict)
    connect_link: ConnectLink | None = None
    revision: IntegrationRevision | None = None
    rollout_member: RolloutMember | None = None
    upload: StoredFile | None = None
    question: MatchQuestion | None = None
    merge: RecordMerge | None = None
    value_question: FieldQuestion | None = None
    field_policy: FieldPolicy | None = None
    deletions: DeletionReview | None = None
    approvals: dict[str, ApprovalRequest] = field(default_factory=dict)
    retry: FailureRetry | None = None
    merge_plan: MergePlan | None = None
    publication: MappingPublication | None = None
    log: RecordLog | None = None
    call: VendorCall | None = None
    export: LogExport | None = None
    invoice: Invoice | None = None
    report: SlaReport | None = None
    plan: Plan | None = None
    policy: SlaPolicy | None = None
    endpoint: WebhookEndpoint | None = None
    delivery: WebhookDelivery | None = None
    exception: BusinessException | None = None
    modernization: Modernization | None = None


def make_staff(now: datetime, role: str, email: str = "") -> User:
    user = create_person(email=email or f"{role}@acme.example", name=f"Staff {role}", password=PASSWORD, now=now)
    appoint(user=user, role=StaffRole(role), now=now)
    return user


def make_world(name: str, *, now: datetime = LAST_RUN + timedelta(minutes=2)) -> World:
    load_library()
    others = [str(pk) for pk in Customer.objects.order_by("pk").values_list("pk", flat=True)]
    on = ("library", *others)
    return kept(name, lambda: _make_world(name, now), on=on, identify=lambda world: str(world.customer.pk))


def _make_world(name: str, now: datetime) -> World:
    actor = system_actor()
    customer = make_customer(name, currency="EUR", time_zone="Europe/Berlin")
    admin, viewer, memberships = _people(actor, customer)
    invitation = invite(
        actor=actor, now=now, email=f"new@{customer.slug}.example", role=CustomerRole.VIEWER,
        subject_key=customer.subject_key, subject_label=customer.name,
    )  # fmt: skip
    connections = _connections(customer)
    integrations = _integrations(customer, connections)
    flows = {flow.key: flow for flow in Flow.objects.filter(customer=customer).select_related("current_version")}
    world = World(customer, admin, viewer, memberships, invitation, connections, integrations, flows)
    world.connect_link = send_connect_link(
        actor=actor, now=now, connection=connections["delivery"], email="it@customer.example"
    )
    world.revision, world.rollout_member = make_versions(world.integrations["time-to-invoice"], now)
    _history(world)
    _records(world)
    world.log, world.call, world.export = make_entries(customer)
    _stewardship(world, now)
    _failures(world)
    _promise(world, now)
    _bill(world, now)
    world.endpoint, world.delivery = make_endpoint(customer, now)
    world.exception = make_exception(world.records["project"], LAST_RUN)
    world.modernization = make_modernization(world.integrations["time-to-invoice"], LAST_RUN)
    return world


def _people(actor: Actor, customer: Customer) -> tuple[User, User, dict[str, CustomerMembership]]:
    people, memberships = {}, {}
    for role in CustomerRole:
        email = f"{role}@{customer.slug}.example"
        person = create_person(email=email, name=f"{customer.name} {role.label}", password=PASSWORD, now=OCTOBER)
        memberships[str(role)] = add_member(actor=actor, now=OCTOBER, customer=customer, user=person, role=role)
        people[str(role)] = person
    return people["admin"], people["viewer"], memberships


def _connections(customer: Customer) -> dict[str, Connection]:
    made = {}
    for role, vendor in VENDORS.items():
        made[role] = make_connection(
            customer, vendor, name=f"{vendor.title()} of {customer.name}", account_name=f"{customer.name} {role}",
            settings={"base_url": f"https://{vendor}.example.com"}, checked_at=LAST_RUN,
        )  # fmt: skip
        store_secrets(connection=made[role], secrets={"api_key": "old-key-123456"}, now=OCTOBER)
    return made


def _integrations(customer: Customer, connections: dict[str, Connection]) -> dict[str, Integration]:
    actor, made = system_actor(), {}
    for version in IntegrationTemplateVersion.objects.select_related("template").order_by("template__key"):
        roles = version.definition.get("roles")
        if version.template.key not in DEPLOYED:
            continue
        integration = deploy_integration(
            actor=actor, now=OCTOBER, environment=production_of(customer), template_version=version, name="",
            bindings={role: connections[role] for role in roles}, settings={},
        )  # fmt: skip
        made[version.template.key] = go_live(actor=actor, now=OCTOBER, integration=integration)
    return made


def _history(world: World) -> None:
    """A good run of every flow two minutes ago, and one at the start."""
    for flow in world.flows.values():
        for at in (OCTOBER, LAST_RUN):
            world.runs[flow.key] = SyncRun.objects.create(
                customer=flow.customer, environment=flow.environment, flow=flow, flow_version=flow.current_version,
                trigger=RunTrigger.SCHEDULE, status=RunStatus.SUCCEEDED, queued_at=at, started_at=at, finished_at=at,
                created_count=2, updated_count=1, read_count=3,
            )  # fmt: skip
        Flow.objects.filter(pk=flow.pk).update(in_step_until=LAST_RUN)


def _record(world: World, entity: str, title: str, **fields: Any) -> CanonicalRecord:
    defaults = {"data": {"name": title}, "created_at": LAST_RUN, "changed_at": LAST_RUN}
    record = CanonicalRecord.objects.create(
        customer=world.customer, environment=production_of(world.customer), entity=entity, title=title,
        **{**defaults, **fields},
    )  # fmt: skip
    CanonicalChange.objects.create(
        **_of(record), version=1, at=record.created_at, source_kind="connection", connection=world.connections["crm"]
    )
    return record


def _ask_and_tell(world: World) -> None:
    """An invoice waits for the partner's people, another for the customer's, and finance was told of it."""
    flow, record = next(iter(world.flows.values())), world.records["account"]
    owner = {"customer_id": flow.customer_id, "environment_id": flow.environment_id, "flow": flow}
    shown = {"total": {"amount": 120000, "currency": "EUR"}, "due_date": "2026-11-30"}
    for audience in ("partner", "customer"):
        world.approvals[audience] = ApprovalRequest.objects.create(
            **owner, step=f"release-{audience}", audience=audience, question="Release this invoice?",
            record_id=record.pk, entity="invoice", title=f"Invoice of {world.customer.name}", target="Xero", shown=shown,
            digest="0" * 32, asked_at=LAST_RUN,
        )  # fmt: skip
    RuleNotice.objects.create(
        **owner, step="overdue", record_id=record.pk, version=1, roles=["finance"], subject="Overdue: INV-7",
        text="3 days overdue, 1,200.00 EUR open.", created_at=LAST_RUN,
    )  # fmt: skip


def _of(record: CanonicalRecord) -> dict[str, Any]:
    return {"record": record, "environment_id": record.environment_id, "entity": record.entity}


def write_log(
    world: World, record: CanonicalRecord, role: str, *, action: str = "created", at: datetime = LAST_RUN
) -> Any:
    flow = next(iter(world.flows.values()))
    return RecordLog.objects.create(
        at=at, run_id=world.runs[flow.key].pk, customer_id=world.customer.pk,
        environment_id=production_of(world.customer).pk, flow_id=flow.pk, connection_id=world.connections[role].pk,
        direction="write", object_name=record.entity, entity=record.entity, action=action, record_id=record.pk,
        external_id=f"X-{record.number or record.title}", title=record.title,
    )  # fmt: skip


def _records(world: World) -> None:
    """Two approved time entries of a project became an invoice, a day and a half after the second approval."""
    name = world.customer.name
    account = _record(world, "account", f"Harbor of {name}")
    project = _record(world, "project", f"Rollout of {name}", number="P-7", state="open")
    invoice = _record(
        world, "invoice", f"Invoice for {name}", number=f"INV-{name.upper()}-1043", state="open",
        data={"number": "1043", "total": {"amount": 120000, "currency": "EUR"}},
    )  # fmt: skip
    CanonicalLink.objects.create(source=project, name="account", target=account)
    CanonicalLink.objects.create(source=invoice, name="account", target=account)
    for number, hours in (("1", 60), ("2", 36)):
        entry = _record(world, "time_entry", f"Work {number} of {name}", state="approved")
        approved_at = LAST_RUN - timedelta(hours=hours)
        CanonicalChange.objects.create(
            **_of(entry), version=2, at=approved_at, source_kind="connection", connection=world.connections["delivery"],
            fields={"status": ["submitted", "approved"]},
        )  # fmt: skip
        CanonicalLink.objects.create(source=entry, name="invoice", target=invoice)
    CrossReference.objects.create(
        record=invoice, connection=world.connections["billing"], object_name="invoice", external_id=f"X-{name}",
        url="https://xero.example.com/invoice/1", last_seen_at=LAST_RUN,
    )  # fmt: skip
    world.records = {"account": account, "project": project, "invoice": invoice}
    write_log(world, project, "erp")
    write_log(world, project, "delivery")
    write_log(world, invoice, "billing")


def _stewardship(world: World, now: datetime) -> None:
    """A pair in doubt, and one that a person made one."""
    name = world.customer.name
    account = world.records["account"]
    twin, double = (_record(world, "account", f"{word} of {name}") for word in ("Harbour", "Port"))
    reasons = ({"rule": "like_name", "label": "Similar name", "points": 60},)
    doubts = [Doubtful("account", twin.pk, account.pk, Score(60, reasons))]
    ask_questions(production_of(world.customer), doubts, now)
    world.question = MatchQuestion.objects.get(left=twin)
    world.merge = merge_records(actor=system_actor(), now=now, first=account, second=double)
    environment, crm = production_of(world.customer), world.connections["crm"]
    ask_values(environment, [Contradiction(account.pk, "phone", crm.pk, "1", "2")], now)
    world.value_question = FieldQuestion.objects.get(record=account)
    integration = world.integrations["two-way-accounts"]
    set_field_policy(
        actor=system_actor(), now=now, integration=integration, entity="account", field="phone", policy="ask"
    )
    world.field_policy = FieldPolicy.objects.get(integration=integration)
    _ask_and_tell(world)
    world.deletions = DeletionReview.objects.create(
        customer=world.customer, environment=environment, flow=world.flows["accounts"], connection=crm,
        object_name="companies", is_removal=False, external_ids=["1"], count=38, total=100, asked_at=now,
    )  # fmt: skip
    world.merge_plan = request_pairs(
        actor=system_actor(), now=now, entity="account", left=crm, right=world.connections["erp"], text="1,2\n"
    )
    carry_on_plan(plan_id=world.merge_plan.pk, now=now)


def _failures(world: World) -> None:
    """One that the customer can solve, and one that is the partner's."""
    flow = next(iter(world.flows.values()))
    for error_class, message in (
        (ErrorClass.VALIDATION, "Contact has no e-mail"),
        (ErrorClass.MAPPING, "No rule fits"),
    ):
        world.failures[error_class] = RecordFailure.objects.create(
            customer=world.customer, environment=production_of(world.customer), flow=flow,
            connection=world.connections["billing"], run_id=world.runs[flow.key].pk, direction="write",
            object_name="contact", external_id=str(error_class), record_id=world.records["account"].pk,
            record_title=f"Harbor of {world.customer.name}", error_class=error_class, message=message,
            fingerprint=str(error_class), first_at=LAST_RUN, last_at=LAST_RUN,
        )  # fmt: skip
    world.publication = MappingPublication.objects.create(
        customer_ids=[world.customer.pk], integration_ids=[flow.integration_id], asked_by=note_asker(system_actor()),
        requested_by_label="Owner", requested_at=LAST_RUN,
    )  # fmt: skip
    world.retry = FailureRetry.objects.create(
        customer_ids=[world.customer.pk], label=f"Of {world.customer.name}", total=0, requested_by_label="Owner",
        requested_at=LAST_RUN, asked_by=note_asker(system_actor()),
    )  # fmt: skip


def _promise(world: World, now: datetime) -> None:
    actor = system_actor()
    objectives = [{"key": "run_success", "target": "99.5"}]
    version = create_policy(actor=actor, now=OCTOBER, name=f"Gold {world.customer.name}", objectives=objectives)
    world.policy = version.policy
    assign_policy(actor=actor, now=OCTOBER, customer=world.customer, policy_version=version)
    world.report = close_month(actor=actor, customer=world.customer, instant=OCTOBER, now=now)


def _bill(world: World, now: datetime) -> None:
    actor, customer = system_actor(), world.customer
    LegalEntity.objects.get_or_create(
        is_default=True,
        defaults={"name": "Acme GmbH", "country": "DE", "currency": "EUR", "tax_rate": Decimal(19), "invoice_prefix": "ACME-"},
    )  # fmt: skip
    prices = [
        NewPrice(label="Managed integration", unit_amount=Decimal(49000)),
        NewPrice(label="Records", meter="records_synced", unit_amount=Decimal("1.25")),
    ]
    plan = create_plan(actor=actor, now=OCTOBER, name=f"Plan {customer.name}", currency="EUR", prices=prices)
    world.plan = plan.plan
    account = open_account(
        actor=actor, now=OCTOBER, subject_key=customer.subject_key, legal_name=f"{customer.name} GmbH", currency="EUR",
        time_zone="Europe/Berlin", details={"country": "DE"},
    )  # fmt: skip
    subscription = subscribe(actor=actor, now=OCTOBER, account=account, plan_version=plan)
    for key, at, quantity in (("october", OCTOBER, 40), ("november", LAST_RUN, 14)):
        record_usage(
            subject_key=customer.subject_key, meter="records_synced", quantity=quantity,
            key=f"{customer.slug}:{key}:records_synced", occurred_at=at, now=at,
        )  # fmt: skip
    invoice = draft_invoice(period=subscription.periods.order_by("period_start").first(), now=now)
    world.invoice = issue_invoice(actor=actor, now=now, invoice=invoice)
    deliver_invoice(invoice_id=str(invoice.pk), now=now)
