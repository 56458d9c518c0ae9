from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.backoffice.selectors.health import KindOfWork, get_platform_health
from apps.core import clock
from apps.ui import htmx
from apps.ui.markup import label_of
from apps.ui.tables import Column, build_table


def _work(one: KindOfWork) -> str:
    """`sla.close_month` as “SLA: close month” reads."""
    area, _, what = one.kind.partition(".")
    return f"{label_of(area)}: {label_of(what).lower()}" if what else label_of(area)


WORK = [
    Column("kind", "Work", value=_work, main=True),
    Column("due_count", "Due", kind="number"),
    Column("leased_count", "Under way", kind="number"),
    Column("planned_count", "Planned", kind="number", wide_only=True),
    Column("oldest_due_at", "Oldest due", kind="datetime"),
]
SIZES = [Column("name", "Partner", main=True), Column("byte_count", "On disk", kind="bytes")]


@require_GET
@requires(Audience.OPERATOR, "partners.view")
def platform_health(request: ActorRequest) -> HttpResponse:
    health = get_platform_health(request.actor, clock.now())
    context = {
        "health": health,
        "work": build_table(health.kinds, WORK, caption="Work by kind", noun="kinds"),
        "sizes": build_table(health.sizes, SIZES, caption="Largest partners", noun="partners"),
    }
    return htmx.render_page(request, "backoffice/platform_health.html", "backoffice/_platform_health.html", context)
