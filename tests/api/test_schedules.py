"""What starts flows, with numbers, over the API."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.core.ids import encode_id
from apps.flows.models import Flow
from apps.flows.services import set_release_rules
from apps.flows.states import starts_of
from apps.sync.models import SyncRun
from tests.api.conftest import ApiClient, make_key
from tests.api.test_decisions import send
from tests.factories.delivery import make_run
from tests.factories.world import World, make_world


@pytest.fixture
def world(api: ApiClient) -> World:
    return make_world("Harbor")


@pytest.fixture
def flow(world: World) -> Flow:
    return Flow.objects.select_related("current_version").get(integration=world.integrations["time-to-invoice"])


def path_of(flow: Flow) -> str:
    return f"/flows/{encode_id('flw', flow.pk)}/schedule"


def test_each_choice_comes_with_its_numbers(api: ApiClient, flow: Flow, now: datetime) -> None:
    SyncRun.objects.filter(flow=flow).delete()
    for day in (1, 2):
        at = now - timedelta(days=day)
        make_run(flow, at=at, finished_at=at + timedelta(seconds=30), call_count=4)

    with moved_clock(now):
        found = api.get(f"/integrations/{encode_id('itg', flow.integration_id)}/schedule").json()

    (row,) = found["flows"]
    assert (found["currency"], row["flow"], row["name"]) == ("EUR", encode_id("flw", flow.pk), flow.name)
    assert row["triggers"] == starts_of(flow.current_version.definition)
    assert (row["basis"]["runs"], row["basis"]["calls_per_idle_run"]) == (2, 4.0)
    hourly = next(one for one in row["estimates"] if one["choice"] == "60")
    assert (hourly["runs_per_day"], hourly["calls_per_day"]) == (24, 96)
    assert (hourly["delay_p50_seconds"], hourly["delay_p95_seconds"]) == (1830, 3450)


def test_a_choice_or_triggers_of_ones_own_are_taken(api: ApiClient, flow: Flow) -> None:
    chosen = send(api, "put", path_of(flow), {"choice": "60"})
    assert (chosen.status_code, chosen.json()["chosen"]) == (200, "60")  # type: ignore[attr-defined]
    flow.refresh_from_db()
    assert flow.schedule_seconds == 3600

    own = [{"cron": "0 6 * * 1-5"}, {"manual": True}]
    assert send(api, "put", path_of(flow), {"triggers": own}).json()["triggers"] == own  # type: ignore[attr-defined]
    again = send(api, "put", path_of(flow), {"triggers": own})
    assert again.status_code == 409  # type: ignore[attr-defined]
    for wrong in (
        {},
        {"choice": "7"},
        {"choice": "60", "triggers": own},
        {"triggers": [{"every": 1}]},
        {"triggers": []},
    ):
        assert send(api, "put", path_of(flow), wrong).status_code == 400  # type: ignore[attr-defined]


def test_where_a_second_person_publishes_it_is_a_draft(
    api: ApiClient, flow: Flow, owner_actor: Actor, now: datetime
) -> None:
    set_release_rules(actor=owner_actor, now=now, requires_review=True)

    answer = send(api, "put", path_of(flow), {"choice": "60"})

    assert (answer.status_code, answer.json()["chosen"] == "60") == (202, False)  # type: ignore[attr-defined]
    assert flow.integration.revisions.get(status="draft").starts[flow.key][0] == {"every": 3600}


def test_a_customers_key_reaches_its_own_only(bound: ApiClient, flow: Flow, owner_actor: Actor, now: datetime) -> None:
    assert bound.get(f"/integrations/{encode_id('itg', flow.integration_id)}/schedule").status_code == 404
    assert send(bound, "put", path_of(flow), {"choice": "60"}).status_code == 404  # type: ignore[attr-defined]
    reader = ApiClient(make_key(owner_actor, now, scopes=["integrations.view"])[1])
    assert reader.get(f"/integrations/{encode_id('itg', flow.integration_id)}/schedule").status_code == 403
