from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "apps.dispatch"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.dispatch.sweeping import KIND, keep_swept
        from apps.events.registry import watch_recording

        register_kind(KIND, "dispatch.sweep_outbox")
        watch_recording(keep_swept)
