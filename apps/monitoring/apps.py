from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "apps.monitoring"

    def ready(self) -> None:
        from apps.dispatch.registry import register_kind
        from apps.events.registry import MONEY, TEXT, id_field, register_consumer, register_event
        from apps.monitoring import sections
        from apps.monitoring.receivers import on_run_finished
        from apps.monitoring.services.evaluation import OPENED, RESOLVED
        from apps.monitoring.services.queueing import KIND
        from apps.sync.services.customer_moving import let_follow

        sections.register()
        let_follow("monitoring_businessexception", "record_id", "canonical_canonicalrecord")
        register_kind(KIND, "monitoring.evaluate")
        fields = {
            "exception_id": id_field("bex"), "rule": TEXT, "record_id": id_field("rec"), "title": TEXT, "amount": MONEY,
        }  # fmt: skip
        register_event(OPENED, "A record breaks a business rule.", fields)
        register_event(RESOLVED, "A record no longer breaks a business rule.", fields)
        register_consumer("monitoring.evaluate", "sync.run.finished", on_run_finished)
