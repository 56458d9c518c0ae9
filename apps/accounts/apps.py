from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.events.registry import TEXT, register_event

        register_event(
            "accounts.invitation.accepted", "A person accepted an invitation and became a member.",
            {"invitation": TEXT, "user": TEXT, "role": TEXT},
        )  # fmt: skip
