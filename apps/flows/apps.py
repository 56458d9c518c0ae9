from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "apps.flows"

    def ready(self) -> None:
        from apps.accounts.keeping import register_keeper
        from apps.connectors.releasing import register_guard
        from apps.dispatch.registry import register_kind
        from apps.events.registry import register_consumer, register_event
        from apps.flows import own_sections
        from apps.flows.receivers import on_access_changed, on_member_joined
        from apps.flows.services.publications import PUBLICATION_KIND
        from apps.flows.services.release_rules import keep_two, why_not_alone

        own_sections.register()
        register_keeper(keep_two)
        register_guard(why_not_alone)
        register_consumer("flows.tell_of_access", "connectors.connection.access_changed", on_access_changed)
        register_consumer("flows.tell_of_member", "accounts.invitation.accepted", on_member_joined)
        register_kind(PUBLICATION_KIND, "flows.carry_out_publication")
        register_event("flows.flow.started", "Flows went live, or go on after a pause.", is_shared=False)
        register_event("flows.flow.stopped", "Flows were paused or retired.", is_shared=False)
