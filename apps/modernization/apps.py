from django.apps import AppConfig


class ModernizationConfig(AppConfig):
    name = "apps.modernization"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.modernization.services.comparing import COMPARISON_KIND

        register_kind(COMPARISON_KIND, "modernization.compare")
