"""The second factor: named after the partner, its keys sealed at rest."""

from __future__ import annotations

from base64 import b64decode, b64encode

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from apps.branding.selectors import current_brand
from apps.core.crypto import Place, Sealer
from apps.core.planes import current_schema


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc, unused-ignore]
    def get_totp_issuer(self) -> str:
        """What the person's authenticator app shows: the partner's name, or the host where there is no partner."""
        return current_brand().name or self._get_site_name()

    def encrypt(self, text: str) -> str:
        return b64encode(_sealer().seal(text.encode(), _place())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _sealer().open(b64decode(encrypted_text), _place()).decode()


def _sealer() -> Sealer:
    return Sealer(settings.CREDENTIAL_KEYS)


def _place() -> Place:
    # The library tells neither row nor person: the schema alone ties the key to its partner.
    return Place(schema=current_schema(), table="mfa_authenticator", row="", field="secret")
