from django.apps import AppConfig

from apps.dispatch.registry import register_kind
from apps.events.registry import NULLABLE_TEXT, id_field, register_event


class BillingConfig(AppConfig):
    name = "apps.billing"

    def ready(self) -> None:
        register_kind("billing.close_period", "billing.close_period")
        register_kind("billing.deliver_invoice", "billing.deliver_invoice")
        fields = {"invoice_id": id_field("inv"), "number": NULLABLE_TEXT}
        for verb, description in (
            ("opened", "An invoice was issued."),
            ("paid", "An invoice was paid in full."),
            ("voided", "An invoice was voided."),
            ("written_off", "An invoice was written off as uncollectible."),
        ):
            register_event(f"billing.invoice.{verb}", description, fields, is_for_customers=True)
