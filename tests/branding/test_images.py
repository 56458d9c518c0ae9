from __future__ import annotations

import io
import struct
import zlib
from datetime import datetime

import pytest
from PIL import Image, PngImagePlugin

from apps.branding.images import UnableToUseImage, encode_image
from apps.branding.models import BrandImage
from apps.branding.selectors import current_brand
from apps.branding.services import replace_image
from apps.core.actor import Actor
from apps.tenants.models import Partner

SCRIPT = b"<script>alert(document.cookie)</script>"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "#c92a2a").save(target, kind, **options)
    return target.getvalue()


def bomb() -> bytes:
    """A PNG whose header promises 50,000 × 50,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind, content_type", [("PNG", "image/png"), ("JPEG", "image/png"), ("WEBP", "image/webp")])
def test_pictures_are_written_anew(kind: str, content_type: str) -> None:
    encoded = encode_image(picture(kind), field="logo", largest_side=1200)

    assert (encoded.content_type, encoded.width, encoded.height) == (content_type, 40, 20)
    with Image.open(io.BytesIO(encoded.content)) as again:
        assert again.size == (40, 20)


def test_large_ones_are_made_smaller() -> None:
    encoded = encode_image(picture(size=(3000, 1500)), field="logo", largest_side=1200)

    assert (encoded.width, encoded.height) == (1200, 600)


@pytest.mark.parametrize(
    "case, upload, words",
    [
        ("svg with a script", b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", "SVG pictures"),
        ("svg behind an xml head", b"\xef\xbb\xbf<?xml version='1.0'?><svg></svg>", "SVG pictures"),
        ("decompression bomb", bomb(), "no readable|50000 × 50000"),
        ("too many pixels", picture(size=(4001, 10)), "4001 × 10 pixels; 4000"),
        ("too many bytes", b"\x89PNG\r\n\x1a\n" + b"0" * (2 * 1024 * 1024), "larger than 2 MB"),
        ("gif", picture("GIF"), "no readable PNG, WebP or JPEG"),
        ("tiff", picture("TIFF"), "no readable PNG, WebP or JPEG"),
        ("html", b"<html>" + SCRIPT, "no readable PNG, WebP or JPEG"),
        ("cut short", picture()[:40], "no readable PNG, WebP or JPEG"),
        ("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no readable PNG, WebP or JPEG"),
    ],
)
def test_hostile_uploads_are_refused(case: str, upload: bytes, words: str) -> None:
    with pytest.raises(UnableToUseImage, match=words) as refusal:
        encode_image(upload, field="logo", largest_side=1200)

    assert refusal.value.field == "logo"


def test_nothing_that_hides_in_a_picture_survives() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SCRIPT.decode())
    polyglot = picture(pnginfo=notes) + b"PK\x03\x04" + SCRIPT
    assert polyglot.count(SCRIPT) == 2

    encoded = encode_image(polyglot, field="logo", largest_side=1200)

    assert SCRIPT not in encoded.content
    assert b"PK\x03\x04" not in encoded.content
    assert encoded.content.endswith(b"IEND\xaeB`\x82")


def test_a_logo_is_served_for_ever_and_only_here(partner: Partner, owner_actor: Actor, now: datetime, client) -> None:
    replace_image(actor=owner_actor, now=now, slot="logo", upload=picture())

    url = current_brand().logo_url
    assert url == f"/brand/{BrandImage.objects.get().sha256}.png"
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(url, headers={"host": "globex.localhost"}).status_code == 404
    assert client.get(url.replace(".png", ".webp")).status_code == 404


def test_the_same_picture_is_stored_once_and_can_be_removed(partner: Partner, owner_actor: Actor, now) -> None:
    for slot in ("logo", "logo_dark"):
        replace_image(actor=owner_actor, now=now, slot=slot, upload=picture())
    replace_image(actor=owner_actor, now=now, slot="logo", upload=None)

    assert BrandImage.objects.count() == 1
    assert (current_brand().logo_url, current_brand().logo_dark_url != "") == ("", True)
