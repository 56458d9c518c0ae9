from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.notifications.services import KIND

        register_kind(KIND, "notifications.send")
