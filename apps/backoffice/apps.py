from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "apps.backoffice"

    def ready(self) -> None:
        from apps.backoffice.frame import build_frame
        from apps.ui import nav

        nav.register("backoffice", build_frame)
