from django.apps import AppConfig

from apps.dispatch.registry import register_kind
from apps.events.registry import id_field, register_event


class SlaConfig(AppConfig):
    name = "apps.sla"

    def ready(self) -> None:
        register_kind("sla.close_month", "sla.close_month")
        register_event(
            "sla.report.closed", "A month's SLA report was closed.", {"report_id": id_field("slr")},
            is_for_customers=True,
        )  # fmt: skip
