from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"

    def ready(self) -> None:
        # Tasks are enqueued by name, so every process must know all names, not only the workers.
        from config.celery import app

        app.autodiscover_tasks(force=True)
