"""Parts that a page repeats by the dozen, as markup: entries of the navigation, choices of filters, cells of a strip.

A template would resolve each of their variables by name, again and again; a page of the error desk has ten thousand.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from django.utils.safestring import SafeString

from apps.ui import charts, differences, markup
from apps.ui.filters import FilterChip, FilterState
from apps.ui.markup import text_of
from apps.ui.nav import Navigation, NavItem, NavSection
from apps.ui.viewer import current_locale, one_viewer

# A few cells have room for their names.
NAMED_CELLS = 8


def nav_sections(nav: Navigation, nav_id: str) -> SafeString:
    """`nav_id` tells the sidebar from the drawer, which holds the same."""
    sections = (_section(section, f"nav-{escape(nav_id)}-{number}") for number, section in enumerate(nav.sections, 1))
    return SafeString("\n".join(sections))


def _section(section: NavSection, name: str) -> str:
    items = "\n".join([_nav_item(item) for item in section.items])
    if not section.label:
        return f'<div class="nav-section"><ul class="nav-list">{items}</ul></div>'
    label = f'<div class="nav-section-label" id="{name}">{text_of(section.label)}</div>'
    return f'<div class="nav-section">{label}<ul class="nav-list" aria-labelledby="{name}">{items}</ul></div>'


def _nav_item(item: NavItem) -> str:
    current = ' aria-current="page"' if item.active else ""
    badge = ""
    if item.badge:
        hint = f'<span class="visually-hidden"> {text_of(item.badge_label)}</span>' if item.badge_label else ""
        badge = f'<span class="nav-badge num tone-{text_of(item.badge_tone)}">{text_of(item.badge)}{hint}</span>'
    return (
        f'<li><a class="nav-row" href="{text_of(item.url)}"{current}>{markup.icon(item.icon)}'
        f"<span>{text_of(item.label)}</span>{badge}</a></li>"
    )


def filter_chips(filters: FilterState) -> SafeString:
    """The menus of components/filter_bar.html."""
    return SafeString("\n".join([_chip(chip) for chip in filters.chips]))


def _chip(chip: FilterChip) -> str:
    name, kind = text_of(chip.label), "radio" if chip.single else "checkbox"
    icon = chip.icon or ("" if chip.chosen else "plus")
    text = f"<strong>{text_of(chip.text)}</strong>" if chip.text else ""
    start = (
        f'<label class="dropdown-item"><input class="form-check-input" type="{kind}" name="{text_of(chip.key)}" value="'
    )
    options = "".join(
        [
            f'{start}{text_of(o.value)}"{" checked" if o.chosen else ""}><span>{text_of(o.label)}</span></label>'
            for o in chip.options
        ]
    )
    days = "".join(
        [
            f'<label class="dropdown-item filter-day"><span>{text_of(label)}</span><input class="form-control" type="date" '
            f'name="{text_of(key)}" value="{text_of(value)}"></label>'
            for key, label, value in chip.days
        ]
    )
    return (
        f'<div class="dropdown"><button class="chip{" is-set" if chip.text else ""}" type="button" '
        'data-bs-toggle="dropdown" data-bs-auto-close="outside" aria-expanded="false" '
        f'data-chip="{name}">{markup.icon(icon) if icon else ""}<span>{name}</span>{text}</button>'
        f'<div class="dropdown-menu filter-menu" role="group" aria-label="{name}">{options}{days}</div></div>'
    )


def panel(  # noqa: PLR0913 - what a section can have
    content: str, title: object = "", *, subtitle: object = "", actions: str = "", css: str = "", id: str = ""
) -> SafeString:
    """A titled section around markup; `actions` is markup, too."""
    head = ""
    if title:
        lead = f"<p>{text_of(subtitle)}</p>" if subtitle else ""
        end = f'<div class="panel-actions">{actions}</div>' if actions else ""
        head = f'\n  <div class="panel-head"><div><h2>{text_of(title)}</h2>{lead}</div>{end}</div>'
    named = f' id="{text_of(id)}"' if id else ""
    return SafeString(
        f'<section class="panel {text_of(css)}"{named}>{head}\n  <div class="panel-body">{text_of(content)}</div>\n</section>\n'
    )


def sparkline(values: Sequence[charts.Value], *, label: str = "", tone: str = "", size: str = "") -> SafeString:
    spark = charts.build_sparkline(values, label=label)
    css = "sparkline" + (f" sparkline-{size}" if size else "") + (f" tone-{tone}" if tone else "")
    role = f'role="img" aria-label="{text_of(label)}, trend"' if label else 'aria-hidden="true"'
    return SafeString(
        f'<svg class="{escape(css)}" viewBox="0 0 {spark.width} {spark.height}" preserveAspectRatio="none" {role}>'
        f'<path class="spark-area" d="{spark.area}"/><path class="spark-line" d="{spark.line}"/></svg>'
    )


def heat_strip(cells: Sequence[charts.HeatCell], *, label: str, size: str = "", legend: bool = False) -> SafeString:
    """One cell per customer or period."""
    named = not size and len(cells) <= NAMED_CELLS
    css = "heat-strip" + (" heat-strip-named" if named else "") + (f" heat-strip-{size}" if size else "")
    drawn = "".join([_heat_cell(cell, named=named) for cell in cells])
    return SafeString(
        f'<ul class="{escape(css)}" aria-label="{text_of(label)}">{drawn}</ul>{_LEGEND if legend else ""}'
    )


_LEGEND = (
    '<div class="heat-legend"><span class="tone-ok">In order</span><span class="tone-attention">Needs attention</span>'
    '<span class="tone-failing">Failing</span><span class="tone-idle">No data</span></div>'
)


def _heat_cell(cell: charts.HeatCell, *, named: bool) -> str:
    label, value = text_of(cell.label), text_of(cell.value)
    title = f"{label}: {value}" if value else label
    said = f'<span class="visually-hidden">{label}: {value or text_of(cell.tone)}</span>'
    if not cell.url:
        return f'<li class="heat-cell tone-{text_of(cell.tone)}"><span title="{title}">{said}</span></li>'
    name = f'<span class="heat-name" aria-hidden="true">{label}</span>' if named else ""
    link = f'<a href="{text_of(cell.url)}" title="{title}">{name}{said}</a>'
    return f'<li class="heat-cell tone-{text_of(cell.tone)}">{link}</li>'


def timeline_entries(entries: Iterable[Any]) -> SafeString:
    """The items of components/timeline.html."""
    with one_viewer():
        return SafeString("".join([_entry(entry) for entry in entries]))


def _entry(entry: Any) -> str:
    read: Callable[[str], Any] = entry.get if isinstance(entry, dict) else lambda name: getattr(entry, name, None)
    title, url, body, actor = text_of(read("title")), read("url"), read("body"), read("actor")
    linked = f'<a href="{text_of(url)}">{title}</a>' if url else title
    said = " · ".join([text_of(part) for part in (body, actor) if part])
    return _happening(read("tone") or "idle", read("icon") or "point", linked, read("at"), said)


def _happening(tone: str, icon: str, title: str, at: object, said: str, more: str = "") -> str:
    """`title`, `said` and `more` are markup."""
    body = f'<div class="timeline-body">{said}</div>' if said else ""
    return (
        f'<li class="tone-{text_of(tone)}"><span class="timeline-mark">{markup.icon(icon)}</span><div>'
        f'<div class="timeline-title"><span>{title}</span>{markup.datetime_tag(at)}</div>{body}{more}</div></li>'
    )


def history_entries(entries: Iterable[Any]) -> SafeString:
    """As `timeline_entries`, for the history of a record: who caused it leads to its run, and what changed is told."""
    with one_viewer():
        return SafeString("".join([_history_entry(entry) for entry in entries]))


def _history_entry(entry: Any) -> str:
    actor = text_of(entry.actor)
    who = f'<a href="{text_of(entry.url)}">{actor}</a>' if entry.url and actor else actor
    told = field_diff(entry.before, entry.after, named=entry.is_canonical) if entry.before or entry.after else ""
    return _happening(entry.tone, entry.icon, text_of(entry.title), entry.at, who, told)


_DIFF_HEAD = (
    '<table class="data-table data-table-static"><caption class="visually-hidden">Changed fields</caption><thead><tr>'
    '<th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead><tbody>'
)


def field_diff(
    before: dict[str, Any] | None, after: dict[str, Any] | None, *, unchanged: bool = False, named: bool = False
) -> SafeString:
    """What changed between two records, field by field; `unchanged` also lists the fields that did not. `named`: the
    fields are canonical ones, said as people say them; a system's own are shown as they are."""
    changes = differences.compare(
        before or {}, after or {}, include_unchanged=unchanged, said=named, locale=current_locale()
    )  # fmt: skip
    if not changes:
        return SafeString('<p class="muted">No field changed.</p>')
    return SafeString(f"{_DIFF_HEAD}{''.join([_change(change, named=named) for change in changes])}</tbody></table>")


def _change(change: differences.Change, *, named: bool) -> str:
    before, after = text_of(change.before), text_of(change.after)
    name = text_of(differences.field_name(change.field)) if named else f"<code>{text_of(change.field)}</code>"
    if change.kind == "same":
        after = '<span class="muted">unchanged</span>'
    else:
        before = markup.DASH if change.kind == "added" else f'<del class="diff-old">{before}</del>'
        after = markup.DASH if change.kind == "removed" else f'<ins class="diff-new">{after}</ins>'
    return (
        f'<tr><td class="cell-main">{name}</td><td data-label="Before">{before}</td>'
        f'<td data-label="After">{after}</td></tr>'
    )


def money_cells(amounts: Iterable[tuple[str, int]], currency: str) -> SafeString:
    """Cells of a table, one per labelled amount in minor units; nothing is a dash."""
    cells = (
        f'<td class="end" data-label="{text_of(label)}">{markup.money(amount, currency) if amount else markup.DASH}</td>'
        for label, amount in amounts
    )
    return SafeString("".join(cells))
