from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "apps.flows"

    def ready(self) -> None:
        from apps.events.registry import register_event

        register_event("flows.flow.started", "Flows went live, or go on after a pause.", is_shared=False)
        register_event("flows.flow.stopped", "Flows were paused or retired.", is_shared=False)
