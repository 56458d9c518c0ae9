"""The same request delivered twice: the second gets the first one's answer, and nothing is done again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from apps.api.base import ApiView
from apps.audit.models import AuditEvent
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.flows.models import Integration, IntegrationTemplateVersion
from apps.flows.services import change_settings, fork_template, set_release_rules
from tests.api.conftest import ApiClient
from tests.factories.library import load_library
from tests.factories.world import make_world

# They show what something would do.
READS = {"ConfigurationPlanned", "EstatePlanned", "PartnerConfigurationPlanned", "RulePreview"}


def twice(api: ApiClient, path: str, body: Any = None) -> list[Any]:
    """Both answers; and nobody did anything for the second."""
    first = api.post(path, body, key=path)
    trail = AuditEvent.objects.count()
    second = api.post(path, body, key=path)
    assert (second.get("Idempotent-Replayed"), AuditEvent.objects.count()) == ("true", trail)
    return [(answer.status_code, answer.json()) for answer in (first, second)]


def test_steps_of_a_templates_version(api: ApiClient, owner_actor: Actor, now: datetime) -> None:
    load_library()
    shipped = IntegrationTemplateVersion.objects.get(template__key="payment-status")
    path = f"/templates/{encode_id('tpv', fork_template(actor=owner_actor, now=now, version=shipped, key='custom-a', name='A').pk)}"
    steps = {
        "submit": None, "return": {"reason": "Too long"}, "publish": None, "deprecate": {"reason": "Old"}, "revive": None,
        "draft": None,
    }  # fmt: skip

    for step, body in steps.items():
        first, second = twice(api, f"{path}/{step}", body)
        assert (first[0], second) == (200, first), step


def test_steps_of_an_integrations_version(api: ApiClient, partner: object, owner_actor: Actor, now: datetime) -> None:
    found = make_world("Lakeside").integrations["time-to-invoice"]
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    settings = {**found.settings, "payment_days": 45}
    change_settings(actor=owner_actor, now=now, integration=found, name=found.name, settings=settings)
    path = f"/integrations/{encode_id('itg', found.pk)}/versions"
    number = found.revisions.order_by("-number").values_list("number", flat=True)[0]

    for step, body in {"submit": None, "return": {"reason": "Too long"}}.items():
        first, second = twice(api, f"{path}/{number}/{step}", body)
        assert (first[0], second) == (200, first), step
    set_release_rules(actor=owner_actor, now=now, requires_review=False)
    first, second = twice(api, f"{path}/{number}/publish")
    assert (first[0], first[1]["status"], second) == (200, "published", first)


def test_pausing_and_resuming(api: ApiClient, partner: object) -> None:
    world = make_world("Brightwater")
    flow = next(iter(world.flows.values()))
    places = (f"/connections/{encode_id('con', world.connections['crm'].pk)}", f"/flows/{encode_id('flw', flow.pk)}")

    for place in places:
        for step in ("pause", "resume"):
            first, second = twice(api, f"{place}/{step}")
            assert (first[0], second) == (200, first), (place, step)
    assert Integration.objects.get(pk=flow.integration_id).status == "live"


def test_every_post_is_answered_once() -> None:
    views = {view for view in _views(get_resolver("config.urls.partner")) if hasattr(view, "post")}

    assert len(views) > 60
    assert {view.__name__ for view in views if not _asks(view, "post")} == READS


def _asks(view: type[ApiView], name: str) -> bool:
    """Whether the method, or one of the view's own that it calls, goes by `once`."""
    called = set(re.findall(r"self\.(\w+)\(", inspect.getsource(getattr(view, name))))
    return "once" in called or any(_asks(view, other) for other in called & {"answer", "step", "take"})


def _views(resolver: URLResolver | Any) -> Iterator[type[ApiView]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _views(entry)
        elif isinstance(entry, URLPattern):
            kind = getattr(entry.callback, "cls", None)
            if isinstance(kind, type) and issubclass(kind, ApiView):
                yield kind
