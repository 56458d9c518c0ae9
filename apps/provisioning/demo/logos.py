"""Logos drawn on the spot, so that no picture of a real company is anywhere near."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from apps.provisioning.demo.cast import PartnerCast

HEIGHT = 160
PADDING = 20
SCALE = 3  # drawn larger and reduced: Pillow does not smooth edges


def draw_logo(partner: PartnerCast, *, ink: str) -> bytes:
    """This function will draw mark and name side by side on nothing."""
    font = ImageFont.load_default(size=72 * SCALE)
    width = int(font.getlength(partner.name)) + (HEIGHT + 2 * PADDING) * SCALE
    picture = Image.new("RGBA", (width, HEIGHT * SCALE), (0, 0, 0, 0))
    picture.paste(_mark(partner, HEIGHT * SCALE), (0, 0))
    ImageDraw.Draw(picture).text(
        ((HEIGHT + PADDING) * SCALE, HEIGHT * SCALE // 2), partner.name, font=font, fill=ink, anchor="lm"
    )
    return _png(picture.resize((width // SCALE, HEIGHT), Image.Resampling.LANCZOS))


def draw_favicon(partner: PartnerCast) -> bytes:
    return _png(_mark(partner, 256 * SCALE).resize((256, 256), Image.Resampling.LANCZOS))


def _mark(partner: PartnerCast, side: int) -> Image.Image:
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    edge = side - 1
    if partner.corner_radius > 6:
        draw.ellipse((0, 0, edge, edge), fill=partner.primary_color)
        draw.pieslice((side * 0.12, side * 0.12, side * 0.88, side * 0.88), 200, 340, fill=partner.accent_color)
    else:
        draw.polygon([(side / 2, 0), (edge, side / 2), (side / 2, edge), (0, side / 2)], fill=partner.primary_color)
        draw.line([(side * 0.2, side * 0.72), (side * 0.8, side * 0.72)], fill=partner.accent_color, width=side // 28)
    font = ImageFont.load_default(size=int(side * 0.34))
    draw.text((side / 2, side * 0.5), partner.monogram, font=font, fill="#ffffff", anchor="mm")
    return picture


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
