from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "apps.connectors"

    def ready(self) -> None:
        from apps.connectors.receivers import on_customer_archived
        from apps.dispatch.registry import register_kind
        from apps.events.registry import register_consumer, register_event

        register_kind("connectors.check", "connectors.check_connection")
        register_kind("connectors.webhook", "connectors.handle_deliveries")
        register_event(
            "connectors.connection.status_changed", "A connection became active, degraded, paused or unusable."
        )
        register_event("connectors.webhook.received", "A vendor said that something changed in an account.")
        register_consumer("connectors.pause", "customers.customer.archived", on_customer_archived)
