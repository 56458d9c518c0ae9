from django.apps import AppConfig


class CustomerPortalConfig(AppConfig):
    name = "apps.customer_portal"

    def ready(self) -> None:
        from apps.customer_portal.frame import build_frame
        from apps.ui import nav

        nav.register("customer_portal", build_frame)
