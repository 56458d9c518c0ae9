"""Tables as markup, without a template per cell: a page of fifty rows has hundreds of cells."""

from collections.abc import Callable, Mapping
from typing import Any

from django.template import Context, Engine
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.ui import markup
from apps.ui.markup import text_of
from apps.ui.tables import Cell, Column, Row, Table
from apps.ui.viewer import one_viewer


def table_markup(table: Table, context: Context) -> SafeString:
    """The `<table>` alone; components/data_table.html puts the scroll box, the empty page and the selection around it."""
    with one_viewer():
        rows = SafeString("\n".join([_row(table, row, number, context) for number, row in enumerate(table.rows, 1)]))
    return format_html(
        '<table class="data-table" data-rows><caption class="visually-hidden">{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>",
        table.caption,
        _heads(table),
        rows,
    )


def _heads(table: Table) -> SafeString:
    check = SafeString(
        '<th class="row-check-cell" scope="col"><input class="form-check-input" type="checkbox" data-check-all '
        'aria-label="Select all rows on this page"></th>'
        if table.selectable
        else ""
    )
    return check + format_html_join(
        "",
        '<th scope="col" class="{}"{}>{}</th>',
        (
            (
                column.css,
                format_html(' aria-sort="{}"', direction) if direction else "",
                _head(table, column, url, direction),
            )
            for column, url, direction in table.heads
        ),
    )


def _head(table: Table, column: Column, url: str, direction: str) -> SafeString | str:
    if url:
        names = {"ascending": "chevron-up", "descending": "chevron-down"}
        mark = markup.icon(names[direction]) if direction else ""
        return format_html(
            '<a href="{}" hx-get="{}" hx-target="#{}" hx-push-url="true">{}{}</a>',
            url, url, table.target_id, column.label, mark,
        )  # fmt: skip
    if column.hidden_label:
        return format_html('<span class="visually-hidden">{}</span>', column.label)
    return column.label


def _row(table: Table, row: Row, number: int, context: Context) -> str:
    cells = "".join([_cell(cell, row, context) for cell in row.cells])
    return f'<tr data-key="{text_of(row.key)}">{_check(table, row, number)}{cells}</tr>'


def _check(table: Table, row: Row, number: int) -> str:
    if not table.selectable:
        return ""
    return (
        '<td class="row-check-cell"><input class="form-check-input row-check" type="checkbox" name="selected" '
        f'value="{text_of(row.key)}" aria-label="Select row {number}"></td>'
    )


def _cell(cell: Cell, row: Row, context: Context) -> str:
    column = cell.column
    value = _value(cell, row, context)
    if column.main and row.url:
        value = f'<a class="row-link" href="{text_of(row.url)}">{value}</a>'
    if cell.sub:
        value = f'{value}<span class="cell-sub">{text_of(cell.sub)}</span>'
    # On a phone the cell stands in a list and names itself.
    named = "" if column.main or column.hidden_label else f' data-label="{text_of(column.label)}"'
    return f'<td class="{column.css}"{named}>{value}</td>'


def _value(cell: Cell, row: Row, context: Context) -> str:
    column, value = cell.column, cell.value
    if column.template:
        return _from_template(cell, row, context)
    if column.draw is not None:
        return text_of(column.draw(value))
    if column.kind == "money":
        return markup.money(value, cell.currency)
    draw = _DRAWN.get(column.kind)
    if draw is not None:
        return draw(value)
    return markup.DASH if value is None or value == "" else text_of(value)


def _from_template(cell: Cell, row: Row, context: Context) -> SafeString:
    with context.push(cell=cell, row=row, value=cell.value):
        return render_part(context, cell.column.template)


def render_part(context: Context, name: str) -> SafeString:
    """A template of that name, in the context as it is."""
    engine = context.template.engine if context.template is not None else Engine.get_default()
    return engine.get_template(name).render(context)


_DRAWN: Mapping[str, Callable[[Any], SafeString]] = {
    "status": lambda value: markup.status_badge(value) if value else markup.DASH,
    "number": markup.number,
    "percent": lambda value: markup.number(value, "%"),
    "datetime": markup.datetime_tag,
    "date": markup.day,
    "duration": markup.duration,
    "bytes": markup.bytes_size,
    "id": lambda value: markup.copy_id(value, short=True),
    "tag": lambda value: format_html('<span class="tag">{}</span>', value) if value else SafeString(""),
    "boolean": lambda value: markup.icon("check", label="yes") if value else markup.DASH,
}
