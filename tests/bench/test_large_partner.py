"""A large partner's pages and its log: sixty customers, thousands of runs, a million log rows."""

from __future__ import annotations

import cProfile
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.template.base import Template
from django.test import Client
from django.test.utils import CaptureQueriesContext, _TestState
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock
from apps.core.actor import Actor
from apps.core.planes import tenant_plane
from apps.flows.services import load_templates
from apps.sync.selectors import list_record_logs
from apps.tenants.models import Partner
from tests.bench.big_data import crowd, grow
from tests.bench.conftest import SCHEMA
from tests.bench.measures import Measures, percentile
from tests.factories.world import World, make_staff, make_world

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]

CUSTOMERS = 60
LOG_ROWS = int(os.environ.get("BENCH_LOG_ROWS", "1000000"))
VISITS = 40
CROWD = 100_000
PARTNER_PAGES = (
    "home", "customers", "integrations", "runs", "log_records", "log_calls", "errors", "exceptions", "records",
    "approvals", "questions", "sla", "billing", "invoices",
)  # fmt: skip
CUSTOMER_TABS = (
    "customer",
    "customer_connections",
    "customer_integrations",
    "customer_runs",
    "customer_errors",
    "customer_exceptions",
    "customer_sla",
    "customer_billing",
    "customer_activity",
)
PORTAL_PAGES = ("overview", "integration_list", "activity_list", "needs_list", "report_list", "invoice_list")
_NEWEST = "SELECT * FROM sync_recordlog WHERE customer_id = %s ORDER BY id DESC LIMIT 50"


@pytest.fixture(scope="module")
def worlds(committed: Partner) -> list[World]:
    load_templates(now=clock.now())
    found = [make_world(f"Customer {number:02}") for number in range(CUSTOMERS)]
    grow(runs=20_000, logs=LOG_ROWS, failures=2_000)
    return found


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def test_newest_log_rows(worlds: list[World], owner_actor: Actor, measures: Measures) -> None:
    chance = random.Random(1)
    picked = [chance.choice(worlds).customer.pk for _ in range(200)]

    def bare(customer_id: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST, [customer_id])
            cursor.fetchall()

    limit = percentile([timed(lambda pk=pk: bare(pk)) for pk in picked], 0.95)
    value = percentile(
        [timed(lambda pk=pk: list(list_record_logs(owner_actor, customer_id=pk)[:50])) for pk in picked], 0.95
    )
    name = f"newest 50 log rows among {LOG_ROWS / 1e6:g} million, p95"
    measures.time(name, value, "ms", most=20, limit=limit)


def browser_of(user: User) -> Client:
    browser = Client(headers={"host": "bench.localhost"})
    browser.force_login(user)
    return browser


def visit(browser: Client, address: str) -> None:
    with tenant_plane(SCHEMA):
        assert browser.get(address).status_code == 200, address


def asked(browser: Client, address: str) -> list[dict[str, str]]:
    """The questions to the database; choosing the partner's schema is none."""
    with CaptureQueriesContext(connection) as queries:
        visit(browser, address)
    return [query for query in queries if not query["sql"].startswith("SET ")]


def measure_pages(measures: Measures, portal: str, browser: Client, addresses: dict[str, str], limit: float) -> None:
    times, queries = {}, {}
    for name, address in addresses.items():
        visit(browser, address)
        questions = asked(browser, address)
        queries[name] = len(questions)
        started = time.process_time()
        taken = [timed(lambda a=address: visit(browser, a)) for _ in range(VISITS)]
        busy = 1000 * (time.process_time() - started) / VISITS
        times[name] = percentile(taken, 0.95)
        in_database = 1000 * sum(float(question["time"]) for question in questions)
        print(
            f"{portal} {name}: {len(questions)} queries in {in_database:.0f} ms, busy {busy:.0f} ms, p95 {times[name]:.0f} ms"
        )
        if name == os.environ.get("BENCH_PROFILE"):
            cProfile.runctx("for _ in range(5): visit(browser, address)", globals(), locals(), f"var/{name}.prof")
    slowest, hungriest = max(times, key=times.__getitem__), max(queries, key=queries.__getitem__)
    measures.time(f"{portal} portal, slowest page p95", times[slowest], f"ms ({slowest})", most=100, limit=limit)
    measures.time(f"{portal} portal, most queries", queries[hungriest], f"queries ({hungriest})", most=15)


@pytest.fixture(autouse=True)
def _as_in_production(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The test runner has every template tell its context, which costs more than drawing it, and remembers nothing."""
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)
    settings.PARTNER_LOOKUP_SECONDS, settings.SLA_STANDING_SECONDS = 3, 60


@pytest.fixture
def bare_page(worlds: list[World]) -> float:
    """A page that asks the database nothing but whose host this is: what the frame costs."""
    browser = Client(headers={"host": "bench.localhost"})
    return percentile([timed(lambda: visit(browser, "/.well-known/health")) for _ in range(50)], 0.95)


def test_partner_pages(worlds: list[World], measures: Measures, bare_page: float) -> None:
    owner = make_staff(clock.now(), "owner", "bench-owner@example.com")
    addresses = {name: reverse(f"partner_portal:{name}") for name in PARTNER_PAGES}
    customer = worlds[7].customer.pk
    addresses |= {name: reverse(f"partner_portal:{name}", args=[customer]) for name in CUSTOMER_TABS}
    addresses |= pages_of(worlds[7])
    measure_pages(measures, "partner", browser_of(owner), addresses, bare_page)


def pages_of(world: World) -> dict[str, str]:
    """The page of one integration, of one run, and so on."""
    failure = world.failures["validation"]
    shown = {
        "integration": world.integrations["two-way-projects"].pk, "run": world.runs["accounts"].pk,
        "record": world.records["invoice"].pk, "error": failure.pk, "error_group": failure.fingerprint,
    }  # fmt: skip
    return {name: reverse(f"partner_portal:{name}", args=[key]) for name, key in shown.items()}


def test_customer_pages(worlds: list[World], measures: Measures, bare_page: float) -> None:
    addresses = {name: reverse(f"customer_portal:{name}") for name in PORTAL_PAGES}
    measure_pages(measures, "customer", browser_of(worlds[7].admin), addresses, bare_page)


def test_crowded_desks(worlds: list[World], measures: Measures, bare_page: float) -> None:
    """The last one: what it adds would be in the way of the others."""
    crowd(CROWD)
    admin = make_staff(clock.now(), "admin", "bench-desk@example.com")
    addresses = {name: reverse(f"partner_portal:{name}") for name in ("home", "errors", "exceptions", "records")}
    for name, word in (("log_search", "rollout"), ("log_search_seldom", "sunflower")):
        addresses[name] = f"{reverse('partner_portal:log_records')}?q={word}"
        addresses[name.replace("log", "record")] = f"{reverse('partner_portal:records')}?q={word}"
    measure_pages(measures, "crowded partner", browser_of(admin), addresses, bare_page)
