"""The component library of templates; contracts in docs/guides/ui-components.md. Built in: no `{% load %}` is needed."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from apps.ui import charts, differences, formatting, markup, part_markup
from apps.ui.forms import CheckedForm
from apps.ui.status import Tone
from apps.ui.status import tone_of as read_tone
from apps.ui.system_map import SystemMap, icon_of_domain
from apps.ui.table_markup import render_part, table_markup
from apps.ui.tables import Table

register = template.Library()

for part in (
    markup.icon_url,
    markup.icon,
    markup.status_badge,
    markup.money,
    markup.number,
    markup.compact,
    markup.bytes_size,
    markup.duration,
    markup.delta,
    markup.time_of_day,
    markup.relative,
    markup.day,
    markup.copy_id,
    markup.avatar,
    markup.kbd,
    markup.record_value,
    markup.field_value,
    part_markup.nav_sections,
    part_markup.filter_chips,
    part_markup.sparkline,
    part_markup.heat_strip,
    part_markup.timeline_entries,
    part_markup.history_entries,
    part_markup.field_diff,
    part_markup.money_cells,
):
    register.simple_tag(part)
register.simple_tag(markup.datetime_tag, name="datetime")


@register.simple_tag
def tone_of(value: object) -> Tone:
    return read_tone(value)


@register.simple_tag
def noun(count: int, plural: str) -> str:
    """`{% number total %} {% noun total "rows" %}`: one row, but two rows."""
    return formatting.noun_text(int(count), plural or "rows")


@register.simple_tag(takes_context=True)
def table_rows(context: template.Context, table: Table) -> SafeString:
    """The table of components/data_table.html; pages include that."""
    settings = context.get("list_settings")
    # A page's own list has columns to choose; a small table inside a page has not.
    hidden = settings.hidden if settings and context.get("filters") else ()
    return table_markup(table.without(hidden), context)


@register.inclusion_tag("components/chart.html")
def chart(chart: charts.Chart) -> dict[str, Any]:
    return {"chart": chart}


@register.inclusion_tag("components/bar_list.html")
def bar_list(bars: list[charts.Bar], *, label: str) -> dict[str, Any]:
    return {"bars": bars, "label": label}


@register.inclusion_tag("components/system_map.html")
def system_map(map: SystemMap, *, refresh_url: str = "") -> dict[str, Any]:
    return {"map": map, "refresh_url": refresh_url}


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
        "checked": isinstance(field.form, CheckedForm),
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
def field_label(name: object) -> str:
    """`start_date` as a heading: “Start date”."""
    return markup.label_of(name)


@register.filter
def field_name(name: object) -> str:
    """As `field_label`, for a value that `field_value` says: “Duration” for `duration_seconds`, which it says in hours."""
    return differences.field_name(str(name))


@register.filter
def field_path(path: object) -> str:
    """The way to a field inside others as people read it: “Total › Currency” for `total.currency`."""
    return " › ".join(differences.field_name(name) for name in str(path).split("."))


@register.filter
def domain_icon(domain: object) -> str:
    """The icon that stands for a kind of system, on the maps and in the catalogue."""
    return icon_of_domain(str(domain))


@register.filter
def event_words(name: object) -> str:
    """`tenants.partner.created` as people say it: “Partner created”."""
    return markup.label_of(" ".join(str(name).split(".")[-2:]))


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
    drawn = render_part(context, actions) if actions else ""
    return part_markup.panel(content, title, subtitle=subtitle, actions=drawn, css=css, id=id)
