"""The component library of templates; contracts in docs/guides/ui-components.md. Built in: no `{% load %}` is needed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.core import clock
from apps.ui import charts, differences, formatting
from apps.ui.status import Status, Tone, status_of
from apps.ui.status import tone_of as read_tone
from apps.ui.system_map import SystemMap

register = template.Library()


def _locale() -> str:
    return (get_language() or "en").replace("-", "_").split("_")[0]


@register.simple_tag
def icon_url(name: str) -> str:
    return f"{static('dist/icons.svg')}#{name}"


@register.simple_tag
def icon(name: str, label: str = "", **attributes: str) -> SafeString:
    """Draw an icon of the sprite; without a label it is decoration and hidden from screen readers."""
    css = f"icon {attributes.get('class', '')}".strip()
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, icon_url(name)
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, icon_url(name))


@register.simple_tag
def tone_of(value: object) -> Tone:
    return read_tone(value)


@register.simple_tag
def status_badge(
    value: object, label: str = "", *, tone: str = "", icon: str = "", plain: bool = False, title: str = ""
) -> SafeString:
    """A state as icon and word. `value` may be a choices member with tone and icon, a `Status` or a stored word."""
    status: Status = status_of(value, label=label, tone=tone, icon=icon)
    return format_html(
        '<span class="state tone-{}{}"{}>{}{}</span>',
        status.tone.value,
        " state-plain" if plain else "",
        format_html(' title="{}"', title) if title else "",
        _icon(status.icon),
        status.label,
    )


def _icon(name: str, css: str = "icon") -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, icon_url(name))


def _empty() -> SafeString:
    return format_html('<span class="empty-value" aria-label="none">{}</span>', formatting.EMPTY)


@register.simple_tag
def money(value: object, currency: str = "") -> SafeString:
    """Format a money object, a canonical money map, or minor units with a currency."""
    read = formatting.read_money(value, currency)
    if read is None:
        return _empty()
    return format_html('<span class="num">{}</span>', formatting.money_text(*read, locale=_locale()))


@register.simple_tag
def number(value: int | float | Decimal | None, unit: str = "", *, digits: int | None = None) -> SafeString:
    if value is None:
        return _empty()
    text = formatting.number_text(value, digits=_digits(digits), locale=_locale())
    if not unit:
        return format_html('<span class="num">{}</span>', text)
    return format_html('<span class="num">{}\u202f<span class="unit">{}</span></span>', text, unit)


@register.simple_tag
def compact(value: int | float | None) -> SafeString:
    """A large count, shortened; the exact count is in the title."""
    if value is None:
        return _empty()
    exact = formatting.number_text(value, locale=_locale())
    return format_html('<span class="num" title="{}">{}</span>', exact, formatting.compact_text(value, _locale()))


@register.simple_tag
def bytes_size(value: int | None) -> SafeString:
    return _empty() if value is None else format_html('<span class="num">{}</span>', formatting.bytes_text(value))


@register.simple_tag
def duration(seconds: float | None) -> SafeString:
    return (
        _empty() if seconds is None else format_html('<span class="num">{}</span>', formatting.duration_text(seconds))
    )


@register.simple_tag
def delta(
    value: int | float | Decimal | None,
    unit: str = "",
    *,
    good: str = "up",
    digits: int | None = None,
    versus: str = "",
) -> SafeString:
    """A change with arrow and sign. `good` says which direction is good: "up", "down" or "none"."""
    if value is None:
        return _empty()
    name = "arrow-up" if value > 0 else "arrow-down" if value < 0 else "minus"
    text = formatting.delta_text(value, unit, digits=_digits(digits), locale=_locale())
    change = format_html('<span class="delta tone-{}">{}{}</span>', _delta_tone(value, good), _icon(name), text)
    return format_html('{} <span class="versus">{}</span>', change, versus) if versus else change


def _digits(digits: int | str | None) -> int | None:
    """A template's missing variable arrives as an empty string."""
    return None if digits is None or digits == "" else int(digits)


def _delta_tone(value: int | float | Decimal, good: str) -> str:
    if good == "none" or value == 0:
        return "idle"
    return "ok" if (value > 0) == (good == "up") else "failing"


def _as_datetime(value: object) -> datetime | None:
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


@register.simple_tag(name="datetime")
def datetime_tag(value: object, *, exact: bool = False, empty: str = "") -> SafeString:
    """A moment, relative to now, with the exact time in the viewer's zone on hover and focus."""
    moment = _as_datetime(value)
    if moment is None:
        return format_html('<span class="empty-value">{}</span>', empty) if empty else _empty()
    full = formatting.exact_text(moment, timezone.get_current_timezone(), _locale())
    far = formatting.is_distant(moment, clock.now())
    text = full if exact else _short_date(moment) if far else formatting.relative_text(moment, clock.now())
    mark = SafeString("" if exact or far else " data-relative")
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        moment.astimezone(UTC).isoformat(),
        full,
        mark,
        text,
    )


@register.simple_tag
def relative(value: object, *, short: bool = False) -> str:
    """The relative text alone, for places that hold no markup."""
    moment = _as_datetime(value)
    if moment is None:
        return formatting.EMPTY
    if formatting.is_distant(moment, clock.now()):
        return _short_date(moment)
    text = formatting.relative_text(moment, clock.now())
    return text.removesuffix(" ago") if short else text


@register.simple_tag
def day(value: date | datetime | str | None) -> SafeString:
    """A calendar date, such as a due date."""
    if not value:
        return _empty()
    known = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    text = formatting.date_text(known, _locale())
    return format_html('<time datetime="{}">{}</time>', known.isoformat(), text)


def _short_date(moment: datetime) -> str:
    return formatting.short_date_text(moment, timezone.get_current_timezone(), _locale())


@register.simple_tag
def copy_id(value: object, label: str = "", *, short: bool = False) -> SafeString:
    """An id that is copied by a click. `short` shows its last eight characters: the first ones of our ids are time."""
    full = str(value)
    shown = label or (f"…{full[-8:]}" if short and len(full) > 12 else full)
    return format_html(
        '<button class="copy" type="button" data-copy="{}" title="Copy {}"><span>{}</span>{}</button>',
        full, full, shown, _icon("copy"),
    )  # fmt: skip


@register.simple_tag
def avatar(name: str, *, size: str = "", square: bool = False) -> SafeString:
    """The initials of a person or customer in a colour that stays with the name."""
    classes = [
        "avatar",
        f"avatar-{crc32(name.encode()) % 6 + 1}",
        f"avatar-{size}" if size else "",
        "avatar-square" if square else "",
    ]
    return format_html(
        '<span class="{}" aria-hidden="true">{}</span>', " ".join(filter(None, classes)), formatting.initials_of(name)
    )


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """Keys of a shortcut: "Ctrl K"."""
    return mark_safe(" ".join(format_html("<kbd>{}</kbd>", key) for key in keys.split()))  # noqa: S308


@register.inclusion_tag("components/sparkline.html")
def sparkline(values: list[charts.Value], *, label: str = "", tone: str = "", size: str = "") -> dict[str, Any]:
    return {"spark": charts.build_sparkline(values, label=label), "tone": tone, "size": size}


@register.inclusion_tag("components/heat_strip.html")
def heat_strip(cells: list[charts.HeatCell], *, label: str, size: str = "", legend: bool = False) -> dict[str, Any]:
    return {"cells": cells, "label": label, "size": size, "legend": legend}


@register.inclusion_tag("components/chart.html")
def chart(chart: charts.Chart) -> dict[str, Any]:
    return {"chart": chart}


@register.inclusion_tag("components/bar_list.html")
def bar_list(bars: list[charts.Bar], *, label: str) -> dict[str, Any]:
    return {"bars": bars, "label": label}


@register.inclusion_tag("components/system_map.html")
def system_map(map: SystemMap, *, refresh_url: str = "") -> dict[str, Any]:
    return {"map": map, "refresh_url": refresh_url}


@register.inclusion_tag("components/field_diff.html")
def field_diff(
    before: dict[str, Any] | None, after: dict[str, Any] | None, *, unchanged: bool = False
) -> dict[str, Any]:
    """What changed between two records, field by field; `unchanged` also lists the fields that did not."""
    return {"changes": differences.compare(before or {}, after or {}, include_unchanged=unchanged)}


@register.inclusion_tag("components/code_block.html")
def code_block(value: object, *, label: str = "", language: str = "json") -> dict[str, Any]:
    """Text or data with a copy button; data is shown as colored JSON."""
    text = value if isinstance(value, str) else differences.json_text(value)
    colored = differences.color_json(text) if language == "json" else text
    return {"text": text, "colored": colored, "label": label}


@register.inclusion_tag("components/form_field.html")
def form_field(field: Any, *, optional: bool | None = None) -> dict[str, Any]:
    """A bound field in one column: label, help, control, errors."""
    return {
        "field": field,
        "optional": not field.field.required if optional is None else optional,
        "kind": field_kind(field),
    }


def field_kind(field: Any) -> str:
    name = type(field.field.widget).__name__
    known = {
        "CheckboxInput": "check",
        "RadioSelect": "radio",
        "CheckboxSelectMultiple": "radio",
        "ClearableFileInput": "file",
    }
    return "color" if getattr(field.field.widget, "input_type", "") == "color" else known.get(name, "control")


@register.filter
def control(field: Any) -> SafeString:
    """Render a bound field's widget with our classes, and its help and errors tied to it."""
    described = [f"{field.id_for_label}-help"] if field.help_text else []
    described += [f"{field.id_for_label}-error"] if field.errors else []
    attributes = {"class": f"{_control_class(field)} {field.field.widget.attrs.get('class', '')}".strip()}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if field.errors:
        attributes["aria-invalid"] = "true"
    return SafeString(field.as_widget(attrs=attributes))


def _control_class(field: Any) -> str:
    if field_kind(field) in ("check", "radio"):
        return "form-check-input"
    return "form-select" if type(field.field.widget).__name__.startswith("Select") else "form-control"


@register.simple_block_tag(takes_context=True)
def panel(  # noqa: PLR0913 - the keywords of a tag
    context: template.Context,
    content: str,
    title: str = "",
    *,
    subtitle: str = "",
    actions: str = "",
    css: str = "",
    id: str = "",
) -> SafeString:
    """A titled part of a page. `css`: panel-boxed, panel-flush, panel-danger; `actions`: a template, rendered in the page's context."""
    own: dict[str, Any] = {
        "content": content,
        "title": title,
        "subtitle": subtitle,
        "actions": actions,
        "css": css,
        "id": id,
    }
    return SafeString(
        render_to_string("components/panel.html", {str(k): v for k, v in context.flatten().items()} | own)
    )
