"""The partners as they stand before any record was synced: brand, people, customers, connections, prices, promises."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.accounts.access import staff_actor
from apps.accounts.models import Invitation, User
from apps.accounts.services import appoint, create_operator, create_person, revoke_invitation
from apps.billing.models import LegalEntity, PlanVersion
from apps.billing.services import NewPrice, create_plan, open_account, subscribe, update_legal_entity
from apps.branding.services import replace_image, update_brand
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.selectors import find_oauth_app, hook_address
from apps.connectors.services import begin_authorization, complete_authorization, create_connection, save_oauth_app
from apps.core import clock
from apps.core.actor import Actor, system_actor
from apps.core.planes import tenant_plane
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.customers.services import add_member, create_customer
from apps.provisioning.demo import cast, logos, vendors
from apps.provisioning.demo.cast import CustomerCast, PartnerCast, Person
from apps.provisioning.services import NewPartner, provision_partner
from apps.provisioning.services import open_platform as open_host
from apps.sla.models import SlaPolicyVersion
from apps.sla.services import assign_policy, create_policy
from apps.tenants.models import Partner

INK_ON_LIGHT, INK_ON_DARK = "#1b1f24", "#f4f6f8"
# A flow is as fresh as its last run: the demo's history holds one run a day, and none on Sundays.
FRESH_WITHIN_SECONDS = 50 * 3600


def open_platform(now: datetime) -> None:
    """This function will make our own host and the operator who may sign in there."""
    open_host(now=now)
    create_operator(email=cast.OPERATOR_EMAIL, name="Olu Operator", password=cast.PASSWORD, now=now)


def open_partner(partner: PartnerCast, now: datetime) -> Partner:
    """This function will bring the partner to life with brand, team and terms."""
    made = provision_partner(
        actor=system_actor("Demo"),
        new=NewPartner(
            name=partner.name,
            slug=partner.slug,
            owner_email=partner.owner.email,
            owner_name=partner.owner.name,
            currency=partner.currency,
            time_zone=partner.time_zone,
            country=partner.country,
        ),
        now=now,
    )
    with tenant_plane(made.schema_name):
        for person in partner.staff:
            appoint(user=_make_person(partner, person, now), role=person.role, now=now)
        owner = owner_of(partner)
        # Everybody in the demo is on the team already, with a password one can read in the terminal.
        for invitation in Invitation.objects.filter(accepted_at=None, revoked_at=None):
            revoke_invitation(actor=owner, now=now, invitation=invitation)
        _dress(partner, owner, now)
        _set_terms(partner, owner, now)
        _register_apps(partner, owner, now)
    return made


def owner_of(partner: PartnerCast) -> Actor:
    """The owner, as if signed in. Call it in the partner's plane."""
    actor = staff_actor(User.objects.get(email=partner.owner.email))
    if actor is None:
        raise LookupError(f"{partner.owner.email} is not on the team")
    return actor


def _make_person(partner: PartnerCast, person: Person, now: datetime) -> User:
    return create_person(
        email=person.email,
        name=person.name,
        password=cast.PASSWORD,
        now=now,
        time_zone=partner.time_zone,
        check_password=False,
    )


def _dress(partner: PartnerCast, owner: Actor, now: datetime) -> None:
    update_brand(
        actor=owner,
        now=now,
        display_name=partner.name,
        primary_color=partner.primary_color,
        accent_color=partner.accent_color,
        corner_radius=partner.corner_radius,
        support_email=partner.support_email,
        support_phone=partner.support_phone,
        sign_in_text=partner.sign_in_text,
        mail_from_name=partner.name,
        postal_address=partner.address,
        locale=partner.locale,
    )
    replace_image(actor=owner, now=now, slot="logo", upload=logos.draw_logo(partner, ink=INK_ON_LIGHT))
    replace_image(actor=owner, now=now, slot="logo_dark", upload=logos.draw_logo(partner, ink=INK_ON_DARK))
    replace_image(actor=owner, now=now, slot="favicon", upload=logos.draw_favicon(partner))


def _set_terms(partner: PartnerCast, owner: Actor, now: datetime) -> None:
    update_legal_entity(
        actor=owner,
        now=now,
        entity=LegalEntity.objects.get(is_default=True),
        name=partner.legal_name,
        address=partner.address,
        country=partner.country,
        tax_id=partner.tax_id,
        tax_rate=Decimal(partner.tax_rate),
        payment_instructions=partner.payment_instructions,
    )
    create_plan(
        actor=owner,
        now=now,
        name=partner.plan_name,
        description=partner.plan_note,
        currency=partner.currency,
        prices=[
            NewPrice(label=partner.flat_label, unit_amount=Decimal(partner.flat_amount)),
            NewPrice(
                label=partner.unit_label,
                unit_amount=Decimal(partner.unit_amount),
                meter="records_synced",
                included_quantity=Decimal(partner.allowance),
            ),
        ],
    )
    objectives: list[dict[str, Any]] = [
        {"key": "run_success", "target": "97.0"},
        {"key": "record_success", "target": "99.0"},
        {"key": "freshness", "target": "98.0", "threshold_seconds": FRESH_WITHIN_SECONDS},
    ]
    create_policy(actor=owner, now=now, name=partner.policy_name, objectives=objectives)


def _register_apps(partner: PartnerCast, owner: Actor, now: datetime) -> None:
    """The partner's own apps at the vendors: one to ask for consent, both to be told of changes."""
    for vendor in ("hubspot", "xero"):
        save_oauth_app(
            actor=owner,
            now=now,
            vendor=vendor,
            client_id=vendors.CLIENT_ID,
            client_secret=vendors.CLIENT_SECRET,
            webhook_secret=vendors.WEBHOOK_SECRET,
        )


def open_customer(partner: PartnerCast, customer: CustomerCast, now: datetime) -> Customer:
    """This function will take the customer on: people, plan, promise, connections. Call it in the partner's plane."""
    owner = owner_of(partner)
    made = create_customer(
        actor=owner,
        now=now,
        name=customer.name,
        country=partner.country,
        locale=partner.locale,
        contact_name=customer.contact.name,
        contact_email=customer.contact.email,
        lifecycle="onboarding" if customer.is_onboarding else "live",
        owner=User.objects.get(email=partner.staff[1].email),
    )
    for person in filter(None, (customer.contact, customer.viewer)):
        add_member(actor=owner, now=now, customer=made, user=_make_person(partner, person, now), role=person.role)
    if not customer.is_onboarding:
        _agree_terms(partner, customer, made, owner, now)
    vendors.open_accounts(partner, customer)
    for vendor in customer.vendors:
        connect(owner, made, customer, vendor, now)
    return made


def _agree_terms(partner: PartnerCast, customer: CustomerCast, made: Customer, owner: Actor, now: datetime) -> None:
    account = open_account(
        actor=owner,
        now=now,
        subject_key=made.subject_key,
        legal_name=customer.name,
        currency=partner.currency,
        time_zone=partner.time_zone,
        email=customer.contact.email,
        details={"address": f"{customer.contact.name}\n{customer.address}", "country": partner.country},
    )
    plan = PlanVersion.objects.get(plan__name=partner.plan_name)
    subscribe(actor=owner, now=now, account=account, plan_version=plan)
    promise = SlaPolicyVersion.objects.get(policy__name=partner.policy_name)
    assign_policy(actor=owner, now=now, customer=made, policy_version=promise)


def connect(owner: Actor, made: Customer, customer: CustomerCast, vendor: str, now: datetime) -> Connection:
    """This function will connect one system, pressing the vendor's consent button where there is one."""
    connection = create_connection(
        actor=owner,
        now=now,
        environment=get_environment(made),
        vendor=vendor,
        name=get_manifest(vendor).name,
        settings=_settings_of(customer, vendor),
        secrets=vendors.secrets_of(vendor, customer.slug),
    )
    if vendor == "xero":
        consent(owner, connection)
    return connection


def consent(owner: Actor, connection: Connection) -> Connection:
    url = begin_authorization(actor=owner, now=clock.now(), connection=connection, return_path="/")
    code, state = vendors.agree_to_consent(url)
    return complete_authorization(now=clock.now(), state=state, code=code)


def have_changes_reported(connection: Connection, account: str) -> None:
    """This function will enter the partner's webhook address at the vendor, where the vendor has such a thing."""
    app = find_oauth_app(connection.vendor)
    if app is not None:
        vendors.VendorAccount(connection.vendor, account).report_changes_to(hook_address(app))


def _settings_of(customer: CustomerCast, vendor: str) -> dict[str, str]:
    settings = {"base_url": vendors.account_of(customer, vendor).base_url}
    return {**settings, "approval_field": "Approved"} if vendor == "redmine" else settings
