"""No caller reaches what is not theirs, whatever route they try; what refuses them changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import reverse, set_urlconf

from apps.accounts.access import AccessPolicy, Audience
from apps.accounts.models import StaffMembership, User
from apps.accounts.policies import (
    API_SCOPES,
    CUSTOMER_PERMISSIONS,
    OPERATOR_PERMISSIONS,
    PARTNER_WIDE_SCOPES,
    STAFF_PERMISSIONS,
)
from apps.accounts.services import create_api_key, create_operator, invite
from apps.connectors.models import CustomConnector
from apps.connectors.services import create_custom_connector, publish_connector, save_oauth_app
from apps.core import clock
from apps.core.actor import Actor, ActorKind, system_actor
from apps.core.planes import public_plane, tenant_plane
from apps.notifications.models import OutgoingMail
from apps.tenants.models import Partner
from tests.architecture.isolation.callers import ALLOWED, OPEN, SAFE, Caller, is_kept, is_served, promise
from tests.architecture.isolation.routes import HOSTS, WEB_METHODS, Route, walk_routes
from tests.architecture.isolation.samples import Scene, fill_kwargs
from tests.browsing import Browser
from tests.conftest import NOW
from tests.factories.uploads import connect_ledger, make_ledger, upload
from tests.factories.world import World, make_staff, make_world

pytestmark = pytest.mark.django_db  # each test is a savepoint inside the transaction that holds the world
ROUTES = [route for urlconf in HOSTS for route in walk_routes(urlconf)]
KEY_TABLES = [
    *(f"p_acme.{table}" for table in (
        "accounts_user", "accounts_staffmembership", "accounts_invitation", "customers_customer",
        "customers_customermembership", "connectors_connection", "connectors_credential",
        "connectors_pendingauthorization", "connectors_connectlink", "connectors_customconnector", "connectors_allowedhost", "connectors_oauthapp", "flows_integration", "flows_integrationtemplate", "flows_integrationtemplateversion", "flows_releaserules", "flows_templaterollout", "flows_rolloutmember", "flows_flow", "flows_flowversion", "flows_mappingoverride", "flows_integrationrevision",
        "sync_syncrun", "sync_recordfailure", "sync_failurenote", "sync_failureretry", "canonical_canonicalrecord", "billing_invoice", "billing_payment",
        "billing_billingaccount", "billing_subscription", "sla_slareport", "sla_slaassignment", "branding_brandsettings",
        "notifications_webhookendpoint", "notifications_webhooksecret", "notifications_webhookdelivery",
        "monitoring_exceptionrule", "monitoring_businessexception",
        "modernization_legacyinterface", "modernization_migrationwave", "modernization_checklistpoint",
        "modernization_parallelrun", "modernization_paralleldifference",
    )),
    "p_globex.accounts_user", "p_globex.accounts_staffmembership", "public.tenants_partner", "public.tenants_domain",
    "public.dispatch_workitem",
]  # fmt: skip
CHECKSUMS = " UNION ALL ".join(
    f"SELECT '{table}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"  # noqa: S608
    for table in KEY_TABLES
)


@dataclass
class Matrix:
    scene: Scene
    callers: list[Caller]
    rows: dict[str, tuple[int, str]]  # as the route before left them

    def callers_of(self, route: Route) -> list[Caller]:
        """Everybody whose answer could differ: one key stands for all at a page, one customer's person at staff pages."""
        if route.is_api:
            return [
                c for c in self.callers if c.audience in (Audience.API, Audience.ANYONE) or c.name == "partner owner"
            ]
        one_of = [Audience.API] if route.policy.audience is Audience.CUSTOMER else [Audience.API, Audience.CUSTOMER]
        spare = [caller.name for kind in one_of for caller in self._of(kind)[1:]]
        return [caller for caller in self.callers if caller.name not in spare]

    def _of(self, audience: Audience) -> list[Caller]:
        return [caller for caller in self.callers if caller.audience is audience]

    def targets_of(self, route: Route) -> tuple[World, ...]:
        """Whose ids stand in the address: both customers' where the answer depends on it."""
        is_scoped = route.policy.audience in (Audience.CUSTOMER, Audience.API)
        return (self.scene.ours, self.scene.theirs) if route.kwargs and is_scoped else (self.scene.ours,)

    def others(self, world: World) -> World:
        return self.scene.theirs if world is self.scene.ours else self.scene.ours


@pytest.fixture(scope="module")
def matrix(django_db_setup: None, django_db_blocker: Any) -> Iterator[Matrix]:
    """Everything is made once, in a transaction that never ends well."""
    with django_db_blocker.unblock(), transaction.atomic(), clock.moved_clock(NOW):
        yield _make_matrix()
        transaction.set_rollback(True)
    connection.set_schema_to_public()
    set_urlconf(None)
    cache.clear()  # the sign-in pages count attempts


def _make_matrix() -> Matrix:
    operator = create_operator(email="op@platform.example", name="Op", password="correct horse battery", now=NOW)
    with public_plane():
        partner = Partner.objects.get(slug="acme")
    with tenant_plane("p_globex"):
        stranger = make_staff(NOW, "owner", "owner@globex.example")
        foreign = _signed_in("owner of another partner", stranger)
    with tenant_plane("p_acme"):
        ours, theirs = make_world("Brightwater"), make_world("Northwind")
        owner, viewer = make_staff(NOW, "owner"), make_staff(NOW, "viewer")
        staff = [
            _signed_in("partner owner", owner, Audience.STAFF, STAFF_PERMISSIONS["owner"]),
            _signed_in("partner viewer", viewer, Audience.STAFF, STAFF_PERMISSIONS["viewer"]),
        ]
        customers = [_customer(world, role) for world, role in ((ours, "admin"), (ours, "viewer"), (theirs, "admin"))]
        keys = [
            _key("key of the partner", frozenset(API_SCOPES)),
            _key("key of our customer", frozenset(API_SCOPES) - PARTNER_WIDE_SCOPES, ours),
            _key("key of their customer", frozenset(API_SCOPES) - PARTNER_WIDE_SCOPES, theirs),
            _key("key with one scope", frozenset({"sla.view"})),
        ]
        scene = _scene(ours, theirs, partner, viewer)
    with public_plane():
        office = _signed_in("operator", operator, Audience.OPERATOR, OPERATOR_PERMISSIONS, urlconf="config.urls.public")
    return Matrix(scene, [Caller("nobody", Browser()), foreign, *staff, *customers, *keys, office], checksums())


def _scene(ours: World, theirs: World, partner: Partner, member: User) -> Scene:
    make_ledger(_owner(), NOW)
    save_oauth_app(actor=_owner(), now=NOW, vendor="xero", client_id="app", client_secret="secret-of-app")
    for world in (ours, theirs):
        ledger = connect_ledger(_owner(), NOW, world.connections["delivery"].environment)
        world.upload = upload(_owner(), NOW, ledger)
    api_key, _ = create_api_key(actor=_owner(), now=NOW, name="Old robot", scopes=["sla.view"])
    return Scene(
        ours=ours,
        theirs=theirs,
        partner=partner,
        member=StaffMembership.objects.get(user=member),
        staff_invitation=invite(actor=system_actor(), now=NOW, email="new@acme.example", role="viewer"),
        api_key=api_key,
        connector=_custom_connector(),
        mail=OutgoingMail.objects.filter(is_secret=False).first() or OutgoingMail.objects.first(),
    )


def _custom_connector() -> CustomConnector:
    source = (Path(__file__).parents[2] / "docs/examples/connectors/kimai.yaml").read_text(encoding="utf-8")
    connector = create_custom_connector(actor=_owner(), now=NOW, source=source)
    publish_connector(actor=_owner(), now=NOW, connector=connector)
    connector.refresh_from_db()
    return connector


def _owner() -> Actor:
    return Actor(ActorKind.USER, "owner", "Owner", STAFF_PERMISSIONS["owner"], scope=None)


def _signed_in(name: str, user: User, audience: Audience = Audience.ANYONE, *permissions: Any, **fields: Any) -> Caller:
    browser = Browser()
    browser.force_login(user)
    return Caller(name, browser, audience, *permissions, **fields)


def _customer(world: World, role: str) -> Caller:
    name = f"{role} of {world.customer.name}"
    return _signed_in(name, getattr(world, role), Audience.CUSTOMER, CUSTOMER_PERMISSIONS[role], world=world)


def _key(name: str, scopes: frozenset[str], world: World | None = None) -> Caller:
    customer_id = world.customer.pk if world else None
    _, secret = create_api_key(actor=_owner(), now=NOW, name=name, scopes=sorted(scopes), customer_id=customer_id)
    return Caller(name, Browser(authorization=f"Bearer {secret}"), Audience.API, scopes, world)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_nobody_reaches_what_is_not_theirs(matrix: Matrix, route: Route) -> None:
    before = matrix.rows
    targets = matrix.targets_of(route)
    broken: list[str] = []

    for target in targets:
        broken += _try_refusals(matrix, route, target)
    matrix.rows = checksums()
    changed = sorted(dict(set(before.items()) ^ set(matrix.rows.items())))
    for target in targets:
        broken += _try_own(matrix, route, target)

    assert broken == []
    assert changed == []


def _try_refusals(matrix: Matrix, route: Route, target: World) -> list[str]:
    broken = []
    address = _address(matrix, route, target)
    for caller in matrix.callers_of(route):
        for method in _methods(route):
            wanted = promise(caller, route, method, target)
            if wanted in (ALLOWED, OPEN):
                continue
            answer = caller.call(method, address, route)
            if not is_kept(answer, wanted):
                broken.append(f"{caller.name} {method} {address}: {answer.status_code}, but {wanted.why}")
            broken += _leaks(matrix, caller, answer, address)
    return broken


def _try_own(matrix: Matrix, route: Route, target: World) -> list[str]:
    """What callers may read is served and shows nothing of the other customer. What it changes is undone."""
    broken = []
    address = _address(matrix, route, target)
    for caller in matrix.callers_of(route):
        wanted = promise(caller, route, SAFE, target)
        if wanted not in (ALLOWED, OPEN):
            continue
        with transaction.atomic():
            answer = caller.call(SAFE, address, route)
            transaction.set_rollback(True)
        if answer.status_code >= 500 or (wanted is ALLOWED and not is_served(answer)):
            broken.append(f"{caller.name} {SAFE} {address}: {answer.status_code}, but {wanted.why}")
        broken += _leaks(matrix, caller, answer, address)
    return broken


def _address(matrix: Matrix, route: Route, target: World) -> str:
    return reverse(route.name, urlconf=route.urlconf, kwargs=fill_kwargs(route, matrix.scene, target))


def _methods(route: Route) -> tuple[str, ...]:
    return tuple(route.permissions) or WEB_METHODS


def _leaks(matrix: Matrix, caller: Caller, answer: Any, address: str) -> list[str]:
    """Names and ids of a customer the caller does not act for; staff and partner-wide keys act for all."""
    if caller.audience in (Audience.STAFF, Audience.API) and caller.world is None:
        return []
    body = b"" if answer.streaming else answer.content
    strangers = [matrix.others(caller.world)] if caller.world else [matrix.scene.ours, matrix.scene.theirs]
    secrets = [secret for world in strangers for secret in _marks(world) if secret not in address]
    return [f"{caller.name} {address} shows {secret}" for secret in secrets if secret.encode() in body]


def _marks(world: World) -> list[str]:
    rows = [world.customer, world.invoice, world.report, world.invitation, *world.connections.values()]
    rows += [*world.integrations.values(), *world.records.values(), *world.failures.values()]
    if world.modernization is not None:
        rows += [world.modernization.wave, world.modernization.interface, world.modernization.run]
    return [world.customer.name, world.customer.slug, *(str(row.pk) for row in rows if row is not None)]


def checksums() -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(CHECKSUMS)
        return {table: (count, digest) for table, count, digest in cursor.fetchall()}


def test_the_matrix_knows_every_kind_of_caller(matrix: Matrix) -> None:
    assert [caller.name for caller in matrix.callers] == [
        "nobody", "owner of another partner", "partner owner", "partner viewer", "admin of Brightwater",
        "viewer of Brightwater", "admin of Northwind", "key of the partner", "key of our customer",
        "key of their customer", "key with one scope", "operator",
    ]  # fmt: skip
    assert len(ROUTES) > 80


def test_an_unknown_kind_of_id_asks_for_a_sample(matrix: Matrix) -> None:
    route = Route("config.urls.partner", "x", "x/<uuid:gizmo_id>/", ("gizmo_id",), AccessPolicy(Audience.STAFF), {})

    with pytest.raises(AssertionError, match="add a sample for gizmo_id"):
        fill_kwargs(route, matrix.scene, matrix.scene.ours)


def test_a_view_that_forgets_whose_row_it_is_would_be_noticed(matrix: Matrix) -> None:
    """The check of the checker: an answer with a stranger's name, and a row that changed."""
    caller = next(caller for caller in matrix.callers if caller.name == "admin of Brightwater")
    careless = type("Answer", (), {"streaming": False, "content": b"<h1>Northwind</h1>", "status_code": 200})()
    before = checksums()

    with transaction.atomic(), tenant_plane("p_acme"):
        matrix.scene.theirs.customer.__class__.objects.filter(name="Northwind").update(name="Changed")
        after = checksums()
        transaction.set_rollback(True)

    assert _leaks(matrix, caller, careless, "/somewhere/") == ["admin of Brightwater /somewhere/ shows Northwind"]
    assert {table for table in before if before[table] != after[table]} == {"p_acme.customers_customer"}
