"""The brand's files: style sheet, pictures, favicon. Public, and cacheable for ever under their hashes.

Their access is declared in `accounts.library_views`: accounts stands above branding.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from django_tenants.utils import get_public_schema_name

from apps.branding.brand import NEUTRAL_BRAND
from apps.branding.selectors import css_of, current_brand, find_brand_image
from apps.branding.theme import mark_svg, theme_hash
from apps.core.planes import current_schema

_FOREVER = "public, max-age=31536000, immutable"
_BRIEFLY = "public, max-age=60"


@require_safe
def theme(request: HttpRequest, digest: str) -> HttpResponse:
    """The current sheet; a page that still names an older one gets it too, but must not keep it."""
    css = css_of(current_brand())
    return _file(css.encode(), "text/css; charset=utf-8", _FOREVER if theme_hash(css) == digest else _BRIEFLY)


@require_safe
def image(request: HttpRequest, digest: str, extension: str) -> HttpResponse:
    if current_schema() == get_public_schema_name():
        raise Http404
    found = find_brand_image(digest)
    if found is None or found.content_type != f"image/{extension}":
        raise Http404
    return _file(bytes(found.content), found.content_type, _FOREVER)


@require_safe
def mark(request: HttpRequest, digest: str) -> HttpResponse:
    brand = current_brand()
    if brand is NEUTRAL_BRAND:
        raise Http404
    svg = mark_svg(initials=brand.initials, primary_color=brand.primary_color)
    return _file(svg.encode(), "image/svg+xml", _FOREVER if theme_hash(svg) == digest else _BRIEFLY)


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """What a browser asks for beside a document that names no icon itself, such as an invoice's PDF."""
    found = HttpResponseRedirect(current_brand().favicon_url or static("img/favicon.svg"))
    found["Cache-Control"] = _BRIEFLY
    return found


def _file(content: bytes, content_type: str, cache_control: str) -> HttpResponse:
    headers = {"Cache-Control": cache_control, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(content, content_type=content_type, headers=headers)
