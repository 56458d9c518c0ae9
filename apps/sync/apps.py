from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "apps.sync"

    def ready(self) -> None:
        from apps.connectors.services.deliveries import WEBHOOK_KIND
        from apps.dispatch.registry import register_kind
        from apps.events.registry import register_consumer, register_event
        from apps.flows.services.integrations import FLOW_DUE_KIND
        from apps.sync import receivers, sections
        from apps.sync.engine.events import EVENTS, FACTS_RECORDED, FIELDS
        from apps.sync.services.exports import EXPIRE_KIND, EXPORT_KIND
        from apps.sync.services.keeping import PURGE_KIND
        from apps.sync.services.plan_queue import PLAN_KIND
        from apps.sync.services.retries import RETRY_KIND
        from apps.sync.services.rollouts import ROLLOUT_KIND
        from apps.sync.services.running import REAP_KIND

        sections.register()
        register_kind(FLOW_DUE_KIND, "sync.run_due_flow")
        # What a vendor reports is carried out where flows run: one hop from the notice to the write.
        register_kind(WEBHOOK_KIND, "sync.run_on_deliveries")
        register_kind(REAP_KIND, "sync.reap_runs")
        register_kind(EXPORT_KIND, "sync.make_export")
        register_kind(EXPIRE_KIND, "sync.expire_export")
        register_kind(PURGE_KIND, "sync.purge_logs")
        register_kind(ROLLOUT_KIND, "sync.advance_rollout")
        register_kind(PLAN_KIND, "sync.carry_on_plan")
        register_kind(RETRY_KIND, "sync.carry_out_retry")
        for name, description in EVENTS.items():
            register_event(name, description, FIELDS[name], is_for_customers=True)
        register_event(FACTS_RECORDED, "Something happened to records that flows listen to.", is_shared=False)
        register_consumer("sync.note_facts", FACTS_RECORDED, receivers.on_facts_recorded)
        register_consumer("sync.note_change", "connectors.webhook.received", receivers.on_webhook_received)
        register_consumer("sync.release", "flows.flow.started", receivers.on_flows_started)
        register_consumer("sync.hold", "flows.flow.stopped", receivers.on_flows_stopped)
        register_consumer(
            "sync.follow_connection", "connectors.connection.status_changed", receivers.on_connection_status_changed
        )
        register_consumer("sync.wake", "connectors.connection.circuit_closed", receivers.on_circuit_closed)
