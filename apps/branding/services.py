"""Every write to the brand."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from apps.audit.services import record_audit
from apps.branding.colors import is_hex_color, is_readable_fill, nearest_readable_fill
from apps.branding.images import EncodedImage, encode_image
from apps.branding.models import BrandImage, BrandSettings, CornerRadius
from apps.branding.selectors import CACHE_KEY, current_brand, default_brand_settings, find_brand_settings
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError

__all__ = [
    "BrandChange",
    "UnableToUpdateBrand",
    "change_brand",
    "current_brand",
    "replace_image",
    "reset_brand",
    "update_brand",
]

TARGET = "brand:settings"
_LARGEST_SIDE = {"logo": 1200, "logo_dark": 1200, "favicon": 256}


class UnableToUpdateBrand(AnticipatedError):
    """A value does not fit. `suggestion` is the nearest one that does, where there is one."""

    def __init__(self, user_message: str, *, field: str, suggestion: str = "") -> None:
        super().__init__(user_message, field=field)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class BrandChange:
    """New values; None leaves the old one."""

    display_name: str | None = None
    primary_color: str | None = None
    accent_color: str | None = None
    corner_radius: int | None = None
    support_email: str | None = None
    support_phone: str | None = None
    support_url: str | None = None
    sign_in_text: str | None = None
    privacy_url: str | None = None
    terms_url: str | None = None
    mail_from_name: str | None = None
    postal_address: str | None = None
    locale: str | None = None

    def values(self) -> dict[str, Any]:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None}


def update_brand(*, actor: Actor, now: datetime, **values: Any) -> BrandSettings:
    """This function will change the given fields of `BrandChange`. Raises UnableToUpdateBrand, NotPermitted."""
    actor.require("brand.manage")
    change = clean_change(BrandChange(**values))
    with transaction.atomic():
        settings = _locked_settings(now)
        before = {name: getattr(settings, name) for name in change.values()}
        for name, value in change.values().items():
            setattr(settings, name, value)
        _save(settings, actor, now, before=before, after=change.values())
    return settings


def replace_image(
    *, actor: Actor, now: datetime, slot: str, upload: bytes | None, field: str | None = None
) -> BrandSettings:
    """This function will put a picture in `logo`, `logo_dark` or `favicon`, or empty it.

    Raises UnableToUseImage, NotPermitted.
    """
    actor.require("brand.manage")
    encoded = encode_image(upload, field=field or slot, largest_side=_LARGEST_SIDE[slot]) if upload else None
    with transaction.atomic():
        settings = _locked_settings(now)
        before = getattr(settings, slot)
        image = _store(encoded, now) if encoded else None
        setattr(settings, slot, image)
        _save(settings, actor, now, before={slot: str(before or "")}, after={slot: str(image or "")})
    return settings


def change_brand(
    *, actor: Actor, now: datetime, values: dict[str, Any], uploads: dict[str, bytes], removed: list[str]
) -> None:
    """This function will save values and pictures of the editor together, or none of them.

    Raises UnableToUpdateBrand, UnableToUseImage, NotPermitted.
    """
    with transaction.atomic():
        update_brand(actor=actor, now=now, **values)
        for slot in [slot for slot in removed if slot not in uploads]:
            replace_image(actor=actor, now=now, slot=slot, upload=None)
        for slot, upload in uploads.items():
            replace_image(actor=actor, now=now, slot=slot, upload=upload)


def reset_brand(*, actor: Actor, now: datetime) -> BrandSettings:
    """This function will give back the look a new partner has; contacts and legal links stay."""
    fresh = BrandSettings()
    with transaction.atomic():
        for slot in _LARGEST_SIDE:
            replace_image(actor=actor, now=now, slot=slot, upload=None)
        return update_brand(
            actor=actor,
            now=now,
            primary_color=fresh.primary_color,
            accent_color=fresh.accent_color,
            corner_radius=fresh.corner_radius,
            sign_in_text="",
        )


def clean_change(change: BrandChange) -> BrandChange:
    """This function will normalize and check the values without saving. Raises UnableToUpdateBrand."""
    values: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value for name, value in change.values().items()
    }
    if values.get("display_name") == "":
        raise UnableToUpdateBrand("Enter the name your customers know you by.", field="display_name")
    for name in ("primary_color", "accent_color"):
        if name in values:
            values[name] = _clean_color(values[name], name)
    if values.get("corner_radius", CornerRadius.SOFT) not in CornerRadius.values:
        raise UnableToUpdateBrand("Choose one of the corner shapes.", field="corner_radius")
    for name in ("support_url", "privacy_url", "terms_url", "support_email"):
        _check_address(values.get(name, ""), name)
    _check_lengths(values)
    return BrandChange(**values)


def _clean_color(value: str, field: str) -> str:
    color = value.lower()
    if not is_hex_color(color):
        raise UnableToUpdateBrand("Enter a color as # and six hexadecimal digits, such as #3b5bdb.", field=field)
    if is_readable_fill(color):
        return color
    suggestion = nearest_readable_fill(color)
    raise UnableToUpdateBrand(
        f"Text on {color} or {color} on a white page is too hard to read. The nearest readable color is {suggestion}.",
        field=field,
        suggestion=suggestion,
    )


def _check_address(value: str, field: str) -> None:
    if not value:
        return
    try:
        if field == "support_email":
            validate_email(value)
        else:
            URLValidator(schemes=["https", "http"])(value)
    except ValidationError as error:
        kind = "an e-mail address" if field == "support_email" else "a web address that begins with https://"
        raise UnableToUpdateBrand(f"Enter {kind}.", field=field) from error


def _check_lengths(values: dict[str, Any]) -> None:
    for name, value in values.items():
        limit = getattr(BrandSettings._meta.get_field(name), "max_length", None)
        if isinstance(value, str) and limit and len(value) > limit:
            raise UnableToUpdateBrand(f"Use at most {limit} characters.", field=name)
        # Sender names and subjects become mail headers: a line break in one would start another header.
        if isinstance(value, str) and name != "postal_address" and not value.isprintable():
            raise UnableToUpdateBrand("Use plain characters on one line.", field=name)


def _locked_settings(now: datetime) -> BrandSettings:
    if find_brand_settings() is None:
        fresh = default_brand_settings()
        BrandSettings.objects.get_or_create(
            singleton=True, defaults={"display_name": fresh.display_name, "updated_at": now}
        )
    return BrandSettings.objects.select_for_update().get()


def _store(encoded: EncodedImage, now: datetime) -> BrandImage:
    image, _ = BrandImage.objects.get_or_create(
        sha256=encoded.sha256,
        defaults={
            "content_type": encoded.content_type,
            "width": encoded.width,
            "height": encoded.height,
            "content": encoded.content,
            "created_at": now,
        },
    )
    return image


def _save(
    settings: BrandSettings, actor: Actor, now: datetime, *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    settings.updated_at = now
    settings.save()
    record_audit(
        actor=actor, action="brand.updated", target_key=TARGET, target_label=settings.display_name, now=now,
        before=before, after=after,
    )  # fmt: skip
    # At once for this transaction's own reads; after commit again, should another request have cached the old one.
    cache.delete(CACHE_KEY)
    transaction.on_commit(lambda: cache.delete(CACHE_KEY))
