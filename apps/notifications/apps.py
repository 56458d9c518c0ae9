from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.events.registry import TEXT, id_field, register_event, register_listener
        from apps.notifications.services.breaking import DISABLED
        from apps.notifications.services.mails import KIND
        from apps.notifications.services.queueing import KIND as WEBHOOK_KIND
        from apps.notifications.services.queueing import PRUNE_KIND, TESTED, queue_deliveries, wanted_types

        register_kind(KIND, "notifications.send")
        register_kind(WEBHOOK_KIND, "notifications.deliver_webhooks")
        register_kind(PRUNE_KIND, "notifications.prune_webhooks")
        endpoint = {"endpoint_id": id_field("wep")}
        register_event(TESTED, "Somebody tried an endpoint out.", endpoint, is_for_customers=True)
        register_event(DISABLED, "An endpoint was switched off: it accepts nothing.", {**endpoint, "reason": TEXT})
        register_listener("notifications.webhooks", wanted_types, queue_deliveries)
