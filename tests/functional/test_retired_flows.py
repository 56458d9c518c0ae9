"""A flow that the template in force no longer has: its history stays, it is no part of the integration any more."""

from __future__ import annotations

from datetime import datetime

from apps.accounts.models import User
from apps.core.actor import Actor, ActorKind
from apps.customer_portal.selectors.landscape import get_landscape
from apps.flows.models import Flow
from apps.partner_portal.selectors.health import flows_with_last_run
from tests.factories.world import World, make_staff
from tests.functional.conftest import SignIn


def retire(flow: Flow, now: datetime) -> None:
    Flow.objects.filter(pk=flow.pk).update(retired_at=now, is_enabled=False)


def of(world: World, user: User) -> Actor:
    return Actor(ActorKind.USER, str(user.pk), "Person", frozenset(), frozenset({world.customer.pk}))


def test_the_partners_pages_leave_it_out(harbor: World, browse: SignIn, now: datetime) -> None:
    flow = Flow.objects.get(integration=harbor.integrations["time-to-invoice"])
    page = browse(make_staff(now, "owner"))
    path = f"/manage/integrations/{flow.integration_id}/"
    assert f">{flow.name}<" in page.get(f"{path}flows/").content.decode()

    retire(flow, now)

    assert flow.name not in page.get(f"{path}flows/").content.decode()
    assert flow.name not in page.get(f"{path}map/").content.decode()
    assert page.get(path).status_code == 200
    everything = flows_with_last_run(of(harbor, harbor.admin), customer_ids=[harbor.customer.pk])
    assert flow.pk not in [found.pk for found in everything]


def test_the_customers_picture_leaves_it_out(harbor: World, browse: SignIn, now: datetime) -> None:
    flow = Flow.objects.get(integration=harbor.integrations["time-to-invoice"])
    before = len(get_landscape(of(harbor, harbor.admin), now).flows)

    retire(flow, now)

    assert len(get_landscape(of(harbor, harbor.admin), now).flows) == before - 1
    body = browse(harbor.viewer).get("/state/").content.decode()
    assert ("Won deals to projects, HubSpot to Tryton" in body, flow.name in body) == (True, False)
