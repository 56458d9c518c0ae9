"""The connection form, made from what the connector declares. Secrets are written, never shown."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms

from apps.connectors.models import Connection
from apps.connectors.sdk.machine_access import ACCESS, MACHINE, machine_access
from apps.connectors.sdk.manifest import AuthKind, ConfigField, ConnectorManifest
from apps.customers.models import EnvironmentKind
from apps.ui.forms import CheckedForm

GIVEN_BY, LINK = "given_by", "link"
_GIVERS = [("", "Me, now"), (LINK, "The customer, by a mailed link")]
_END_OF_ACCESS = forms.DateField(
    label="Key expires on", required=False, widget=forms.DateInput(attrs={"type": "date"}),
    help_text="If the system set an end: people are told two weeks ahead.",
)  # fmt: skip
_WAYS = [("", "A person agrees on the system's own page"), (MACHINE, "A client of the customer's own")]


class ConnectionForm(CheckedForm):
    """`connection` is given when an existing one is changed: its secrets may then stay empty."""

    name = forms.CharField(label="Name", max_length=120, help_text="How your team tells it from others.")

    def __init__(
        self, manifest: ConnectorManifest, *args: Any, connection: Connection | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.manifest = manifest
        self.machine = manifest.oauth2.machine if manifest.oauth2 else None
        self._all = (*manifest.config, *(self.machine.config if self.machine else ()))
        self._keys = {field.key: f"field_{field.key}" for field in self._all}
        if connection is None:
            self.fields["environment"] = forms.ChoiceField(
                label="Environment", choices=EnvironmentKind.choices, initial=EnvironmentKind.PRODUCTION,
                help_text="Only production is measured and billed.",
            )  # fmt: skip
            self._add_giver()
        for field in manifest.config:
            self.fields[self._keys[field.key]] = _form_field(field, is_new=connection is None)
        if manifest.auth is AuthKind.API_KEY:
            self.fields["access_ends_on"] = _END_OF_ACCESS
        self.initial.setdefault("name", connection.name if connection else manifest.name)
        for key, value in (connection.settings if connection else {}).items():
            self.initial.setdefault(self._keys.get(key, key), value)
        self._add_machine_access()
        if self.asks_customer:
            for key in self._keys.values():
                self.fields[key].required = False

    def _add_giver(self) -> None:
        only_link = {"data-shown-if": f"{GIVEN_BY}={LINK}"}
        self.fields[GIVEN_BY] = forms.ChoiceField(
            label="Access is given by", choices=_GIVERS, required=False,
            help_text="Whoever gets the link needs no account, and enters what you leave empty below.",
        )  # fmt: skip
        self.fields["email"] = forms.EmailField(
            label="E-mail address for the link", required=False, widget=forms.EmailInput(attrs=only_link)
        )
        self.fields["message"] = forms.CharField(
            label="Message", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3, **only_link})
        )

    @property
    def asks_customer(self) -> bool:
        """Whether a mailed link is to bring what is missing."""
        return self.data.get(GIVEN_BY) == LINK and GIVEN_BY in self.fields

    def clean(self) -> dict[str, Any]:
        if self.asks_customer and not self.cleaned_data.get("email"):
            self.add_error("email", "Enter the address the link goes to.")
        return self.cleaned_data

    def access_ends_at(self) -> datetime | None:
        """The first moment of the day after which the key no longer works."""
        day = self.cleaned_data.get("access_ends_on")
        return datetime.combine(day, time(), tzinfo=UTC) if day else None

    def _add_machine_access(self) -> None:
        """Both ways of access with the inputs of the second; those are demanded by the service when it is chosen."""
        if self.machine is None:
            return
        self.fields[ACCESS] = forms.ChoiceField(
            label="How access is given", choices=_WAYS, required=False,
            help_text="Without a person: a client registered in the customer's account proves itself.",
        )  # fmt: skip
        for field in self.machine.config:
            shown = _form_field(field, is_new=self.initial.get(ACCESS) != MACHINE)
            shown.required = False
            shown.widget.attrs |= {"data-shown-if": f"{ACCESS}={MACHINE}"}
            self.fields[self._keys[field.key]] = shown

    @property
    def _is_machine(self) -> bool:
        return bool(self.machine) and self.cleaned_data.get(ACCESS) == MACHINE

    def _given(self, *, secret: bool) -> dict[str, Any]:
        fields = self._all if self._is_machine else self.manifest.config
        return {f.key: self.cleaned_data.get(self._keys[f.key]) for f in fields if f.secret is secret}

    def given_settings(self) -> dict[str, Any]:
        return self._given(secret=False) | ({ACCESS: MACHINE} if self._is_machine else {})

    def given_secrets(self) -> dict[str, str]:
        return {key: value or "" for key, value in self._given(secret=True).items()}

    @property
    def service_fields(self) -> dict[str, str]:
        """The service names the connector's own keys; they are prefixed here so that none can hide `name`."""
        return self._keys


def _form_field(field: ConfigField, *, is_new: bool) -> forms.Field:
    required = field.required and not field.default and (is_new or not field.secret)
    help_text = field.help
    if field.secret and not is_new:
        help_text = f"{help_text} Leave empty to keep the stored one.".strip()
    common: dict[str, Any] = {"label": field.label, "help_text": help_text, "required": required}
    if field.kind == "multiline":
        # A key of many lines; never filled in with what is stored.
        area = forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"})
        return forms.CharField(widget=area, max_length=10_000, **common)
    if field.secret:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(widget=widget, max_length=4000, **common)
    if field.kind == "integer":
        return forms.IntegerField(initial=field.default or None, **common)
    # The service judges addresses: what may be reached depends on the installation.
    attributes = {"inputmode": "url", "spellcheck": "false"} if field.kind == "url" else {}
    return forms.CharField(initial=field.default, max_length=500, widget=forms.TextInput(attrs=attributes), **common)


def is_consent(manifest: ConnectorManifest, connection: Connection | None = None) -> bool:
    """The vendor asks its own user on a page of its own."""
    if connection is not None and machine_access(manifest, connection.settings):
        return False
    return manifest.auth is AuthKind.OAUTH2


class ConnectLinkForm(CheckedForm):
    email = forms.EmailField(label="E-mail address", help_text="The link goes here and is good for seven days.")
    message = forms.CharField(
        label="Message", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the mail and on the page.",
    )  # fmt: skip


class VendorAppForm(CheckedForm):
    client_id = forms.CharField(label="Client id", max_length=200)
    client_secret = forms.CharField(
        label="Client secret", max_length=2000, required=False, help_text="Leave empty to keep the stored one.",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    webhook_secret = forms.CharField(
        label="Webhook signing secret", max_length=2000, required=False,
        help_text="What the system signs its webhooks with. Leave empty to keep the stored one.",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
