"""How the partner looks to its customers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7


class CornerRadius(models.IntegerChoices):
    SHARP = 2, "Sharp"
    SOFT = 6, "Soft"
    ROUND = 12, "Round"


class BrandImage(models.Model):
    """A re-encoded PNG or WebP, immutable; addressed by its hash so that it can be cached for ever."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    content_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def url(self) -> str:
        return f"/brand/{self.sha256}.{self.content_type.removeprefix('image/')}"


class BrandSettings(models.Model):
    """The one row that describes the brand (`singleton` is always true). Colors are `#rrggbb`, contrast-checked."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    singleton = models.BooleanField(default=True, unique=True)
    display_name = models.CharField(max_length=80)
    logo = models.ForeignKey(BrandImage, null=True, on_delete=models.PROTECT, related_name="+")
    logo_dark = models.ForeignKey(BrandImage, null=True, on_delete=models.PROTECT, related_name="+")
    favicon = models.ForeignKey(BrandImage, null=True, on_delete=models.PROTECT, related_name="+")
    primary_color = models.CharField(max_length=7, default="#3b5bdb")
    accent_color = models.CharField(max_length=7, default="#0ca678")
    corner_radius = models.PositiveSmallIntegerField(choices=CornerRadius, default=CornerRadius.SOFT)
    support_email = models.EmailField(blank=True)
    support_phone = models.CharField(max_length=40, blank=True)
    support_url = models.URLField(blank=True)
    sign_in_text = models.CharField(max_length=200, blank=True)
    privacy_url = models.URLField(blank=True)
    terms_url = models.URLField(blank=True)
    mail_from_name = models.CharField(max_length=80, blank=True)
    postal_address = models.TextField(blank=True)
    locale = models.CharField(max_length=10, default="en")
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # Both go into a style sheet as they are: the database holds the last word.
            models.CheckConstraint(
                condition=models.Q(primary_color__regex=r"^#[0-9a-f]{6}$")
                & models.Q(accent_color__regex=r"^#[0-9a-f]{6}$"),
                name="brand_colors_are_hex",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name
