"""Pictures strangers hand us: decoded by Pillow within bounds and written anew, so that nothing else survives."""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image, ImageOps

from apps.core.errors import AnticipatedError

MAX_BYTES = 2 * 1024 * 1024
MAX_SIDE = 4000
_FORMATS = ["PNG", "WEBP", "JPEG"]


class UnableToUseImage(AnticipatedError):
    """The upload is no picture we accept."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    content: bytes
    content_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def encode_image(upload: bytes, *, field: str, largest_side: int) -> EncodedImage:
    """This function will decode the upload and write it anew, no larger than `largest_side`.

    Raises UnableToUseImage. Dimensions come from the header, so a decompression bomb is refused before it is unpacked.
    """
    if len(upload) > MAX_BYTES:
        raise UnableToUseImage("The picture is larger than 2 MB. Save it smaller and try again.", field=field)
    if _looks_like_svg(upload):
        raise UnableToUseImage(
            "SVG pictures can carry scripts and are not accepted. Export it as PNG or WebP.", field=field
        )
    try:
        with Image.open(io.BytesIO(upload), formats=_FORMATS) as picture:
            _check_size(picture, field)
            return _write_anew(picture, largest_side)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnableToUseImage("This is no readable PNG, WebP or JPEG picture.", field=field) from error


def _check_size(picture: Image.Image, field: str) -> None:
    if max(picture.size) > MAX_SIDE:
        raise UnableToUseImage(
            f"The picture is {picture.width} × {picture.height} pixels; {MAX_SIDE} on a side is the most.", field=field
        )


def _write_anew(picture: Image.Image, largest_side: int) -> EncodedImage:
    # Only the first frame, without profile, comments or anything appended to the file.
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    upright.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", upright.size)
    clean.paste(upright)
    target = io.BytesIO()
    if picture.format == "WEBP":
        clean.save(target, "WEBP", lossless=True)
        return EncodedImage(target.getvalue(), "image/webp", *clean.size)
    clean.save(target, "PNG", optimize=True)
    return EncodedImage(target.getvalue(), "image/png", *clean.size)


def _looks_like_svg(upload: bytes) -> bool:
    head = upload[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in head
