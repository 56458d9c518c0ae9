from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class TenantsConfig(AppConfig):
    name = "apps.tenants"

    def ready(self) -> None:
        from apps.tenants.hosts import forget_hosts
        from apps.tenants.models import Domain, Partner

        for model in (Partner, Domain):
            for signal in (post_save, post_delete):
                signal.connect(forget_hosts, sender=model, dispatch_uid=f"forget_hosts_{model.__name__}")
