from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "apps.connectors"

    def ready(self) -> None:
        from apps.connectors.models import ConnectionStatus
        from apps.connectors.receivers import on_customer_archived
        from apps.dispatch.registry import register_kind
        from apps.events.registry import HIDDEN, TEXT, choice_field, id_field, register_consumer, register_event

        states = choice_field(*ConnectionStatus.values)
        register_kind("connectors.check", "connectors.check_connection")
        register_event(
            "connectors.connection.status_changed", "A connection became active, degraded, paused or unusable.",
            {
                "connection_id": id_field("con"), "customer_id": id_field("cus"), "environment_id": HIDDEN,
                "vendor": TEXT, "from": states, "to": states, "reason": TEXT,
            },
            is_for_customers=True,
        )  # fmt: skip
        register_event(
            "connectors.webhook.received", "A vendor said that something changed in an account.", is_shared=False
        )
        register_event(
            "connectors.connection.access_changed", "Another key or address is used in production.", is_shared=False
        )
        system = {
            "connection_id": id_field("con"), "customer_id": id_field("cus"), "environment_id": HIDDEN, "vendor": TEXT,
        }  # fmt: skip
        register_event(
            "connectors.connection.circuit_opened", "A system kept failing and is left alone for a while.", system,
            is_for_customers=True,
        )  # fmt: skip
        register_event(
            "connectors.connection.circuit_closed", "A system that was left alone answers again.", system,
            is_for_customers=True,
        )  # fmt: skip
        register_consumer("connectors.pause", "customers.customer.archived", on_customer_archived)
