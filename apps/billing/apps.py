from django.apps import AppConfig

from apps.dispatch.registry import register_kind
from apps.events.registry import register_event


class BillingConfig(AppConfig):
    name = "apps.billing"

    def ready(self) -> None:
        register_kind("billing.close_period", "billing.close_period")
        register_event("billing.invoice.opened", "An invoice was issued.")
        register_event("billing.invoice.paid", "An invoice was paid in full.")
        register_event("billing.invoice.voided", "An invoice was voided.")
        register_event("billing.invoice.written_off", "An invoice was written off as uncollectible.")
