from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "apps.flows"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.events.registry import register_event
        from apps.flows.services.publications import PUBLICATION_KIND

        register_kind(PUBLICATION_KIND, "flows.carry_out_publication")
        register_event("flows.flow.started", "Flows went live, or go on after a pause.", is_shared=False)
        register_event("flows.flow.stopped", "Flows were paused or retired.", is_shared=False)
