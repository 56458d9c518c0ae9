"""Small parts of pages as markup: what the tags of the same names and the cells of tables are made of."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from html import escape
from typing import Any
from zlib import crc32

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.core import clock
from apps.ui import differences, formatting
from apps.ui.status import Status, status_of
from apps.ui.viewer import current_locale, current_zone


def text_of(value: object) -> str:
    """The value as markup: escaped, unless it is markup already. Django's own escaping takes five times as long."""
    if type(value) is str:
        return escape(value)
    return str(value.__html__()) if hasattr(value, "__html__") else escape(str(value))


@cache
def _sprite_url() -> str:
    return static("dist/icons.svg")


def icon_url(name: str) -> str:
    return f"{_sprite_url()}#{name}"


def icon(name: str, label: str = "", **attributes: str) -> SafeString:
    """Draw an icon of the sprite; without a label it is decoration and hidden from screen readers."""
    if not label and not attributes:
        return _icon(name)
    css = f"icon {attributes.get('class', '')}".strip()
    role = f'role="img" aria-label="{text_of(label)}"' if label else 'aria-hidden="true"'
    return SafeString(f'<svg class="{escape(css)}" {role}><use href="{escape(icon_url(name))}"/></svg>')


def status_badge(
    value: object, label: str = "", *, tone: str = "", icon: str = "", plain: bool = False, title: str = ""
) -> SafeString:
    """A state as icon and word. `value` may be a choices member with tone and icon, a `Status` or a stored word."""
    if isinstance(value, Status) and not (label or tone or icon):
        status = value
    else:
        status = status_of(value, label=label, tone=tone, icon=icon)
    return _badge(status.tone.value, status.icon, text_of(status.label), text_of(title), plain=plain)


@lru_cache(1024)
def _badge(tone: str, icon: str, label: str, title: str, *, plain: bool) -> SafeString:
    """`label` and `title` are markup."""
    hint = f' title="{title}"' if title else ""
    return SafeString(
        f'<span class="state tone-{tone}{" state-plain" if plain else ""}"{hint}>{_icon(icon)}{label}</span>'
    )


@lru_cache(1024)
def _icon(name: str) -> SafeString:
    """Decoration, which a list draws again in each row."""
    return SafeString(f'<svg class="icon" aria-hidden="true"><use href="{escape(icon_url(name))}"/></svg>')


DASH = SafeString(f'<span class="empty-value">{formatting.EMPTY}</span>')
_EMPTY = SafeString(f'<span class="empty-value" aria-label="none">{formatting.EMPTY}</span>')


def money(value: object, currency: str = "") -> SafeString:
    """Format a money object, a canonical money map, or minor units with a currency."""
    read = formatting.read_money(value, currency)
    if read is None:
        return _EMPTY
    return _number(formatting.money_text(*read, locale=current_locale()))


def _number(text: str) -> SafeString:
    return SafeString(f'<span class="num">{escape(text)}</span>')


def number(value: int | float | Decimal | None, unit: str = "", *, digits: int | None = None) -> SafeString:
    if value is None:
        return _EMPTY
    text = formatting.number_text(value, digits=_digits(digits), locale=current_locale())
    if not unit:
        return _number(text)
    return SafeString(f'<span class="num">{escape(text)}\u202f<span class="unit">{text_of(unit)}</span></span>')


def compact(value: int | float | None) -> SafeString:
    """A large count, shortened; the exact count is in the title."""
    if value is None:
        return _EMPTY
    exact = formatting.number_text(value, locale=current_locale())
    return format_html(
        '<span class="num" title="{}">{}</span>', exact, formatting.compact_text(value, current_locale())
    )


def bytes_size(value: int | None) -> SafeString:
    return _EMPTY if value is None else _number(formatting.bytes_text(value))


def duration(seconds: float | None) -> SafeString:
    return _EMPTY if seconds is None else _number(formatting.duration_text(seconds))


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
        return _EMPTY
    name = "arrow-up" if value > 0 else "arrow-down" if value < 0 else "minus"
    text = formatting.delta_text(value, unit, digits=_digits(digits), locale=current_locale())
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


def datetime_tag(value: object, *, exact: bool = False, empty: str = "") -> SafeString:
    """A moment, relative to now, with the exact time in the viewer's zone on hover and focus."""
    moment = _as_datetime(value)
    if moment is None:
        return format_html('<span class="empty-value">{}</span>', empty) if empty else _EMPTY
    full, now = formatting.exact_text(moment, current_zone(), current_locale()), clock.now()
    far = formatting.is_distant(moment, now)
    text = full if exact else _short_date(moment) if far else formatting.relative_text(moment, now)
    mark = "" if exact or far else " data-relative"
    instant = formatting.in_zone(moment, UTC).isoformat()
    return SafeString(f'<time datetime="{instant}" title="{escape(full)}"{mark}>{escape(text)}</time>')


def time_of_day(value: object) -> SafeString:
    """When it was on a day that stands above: "14:02", with the exact time on hover and focus."""
    moment = _as_datetime(value)
    if moment is None:
        return _EMPTY
    zone = current_zone()
    full = formatting.exact_text(moment, zone, current_locale())
    instant, text = formatting.in_zone(moment, UTC).isoformat(), f"{formatting.in_zone(moment, zone):%H:%M}"
    return SafeString(f'<time datetime="{instant}" title="{escape(full)}">{text}</time>')


def relative(value: object, *, short: bool = False) -> str:
    """The relative text alone, for places that hold no markup."""
    moment = _as_datetime(value)
    if moment is None:
        return formatting.EMPTY
    if formatting.is_distant(moment, clock.now()):
        return _short_date(moment)
    text = formatting.relative_text(moment, clock.now())
    return text.removesuffix(" ago") if short else text


def day(value: date | datetime | str | None) -> SafeString:
    """A calendar date, such as a due date; of a moment, the day it is where the viewer is."""
    if not value:
        return _EMPTY
    known = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    if isinstance(known, datetime):
        known = known.astimezone(current_zone()).date()
    text = formatting.date_text(known, current_locale())
    return SafeString(f'<time datetime="{known.isoformat()}">{escape(text)}</time>')


def _short_date(moment: datetime) -> str:
    return formatting.short_date_text(moment, current_zone(), current_locale())


def copy_id(value: object, label: str = "", *, short: bool = False) -> SafeString:
    """An id that is copied by a click. `short` shows its last eight characters: the first ones of our ids are time."""
    full = str(value)
    shown = label or (f"…{full[-8:]}" if short and len(full) > 12 else full)
    kept = escape(full)
    return SafeString(
        f'<button class="copy" type="button" data-copy="{kept}" title="Copy {kept}"><span>{text_of(shown)}</span>'
        f"{_icon('copy')}</button>"
    )


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


def kbd(keys: str) -> SafeString:
    """Keys of a shortcut: "Ctrl K"."""
    return mark_safe(" ".join(format_html("<kbd>{}</kbd>", key) for key in keys.split()))  # noqa: S308


def record_value(value: object) -> SafeString | str:
    """A canonical or vendor's field as people read it: money formatted, lists counted, nothing as a dash."""
    if value is None or value in ("", [], {}):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if differences.is_money(value):
        return differences.plain_text(value, current_locale())
    if isinstance(value, list):
        rows = [row for row in value if isinstance(row, dict)]
        return _rows_table(rows) if len(rows) == len(value) else ", ".join(str(entry) for entry in value)
    if isinstance(value, dict):
        return _rows_table([value])
    return str(value)


def field_value(value: object, name: object = "") -> SafeString | str:
    """As `record_value`, with words, dates, moments and durations as people say them."""
    if (isinstance(value, str) and value) or (isinstance(value, int) and not isinstance(value, bool)):
        return differences.field_text(str(name), value, current_locale())
    return record_value(value)


def _rows_table(rows: list[dict[str, Any]]) -> SafeString:
    """The positions of a document and the like: a column for every name that any of them has a value for."""
    names = [name for name in dict.fromkeys(key for row in rows for key in row) if any(_is_said(r, name) for r in rows)]
    # What it is before what it comes to, whatever order it was stored in.
    names.sort(key=lambda name: (name not in ("description", "name"), name == "amount"))
    head = "".join(f"<th{_numeric(rows, name)}>{escape(label_of(name))}</th>" for name in names)
    cells = ("".join(_row_cell(row.get(name)) for name in names) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return SafeString(
        f'<div class="value-rows"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _numeric(rows: list[dict[str, Any]], name: str) -> str:
    return ' scope="col" class="num"' if any(differences.is_money(row.get(name)) for row in rows) else ' scope="col"'


def _is_said(row: dict[str, Any], name: str) -> bool:
    return row.get(name) not in (None, "", [], {})


def _row_cell(value: Any) -> str:
    is_number = differences.is_money(value) or (isinstance(value, int | float) and not isinstance(value, bool))
    text = "" if value in (None, "", [], {}) else text_of(record_value(value))
    return f'<td class="num">{text}</td>' if is_number else f"<td>{text}</td>"


_ACRONYMS = frozenset(["api", "crm", "erp", "psa", "sla"])


def label_of(name: object) -> str:
    """`start_date` as a heading: “Start date”; `crm` as “CRM”."""
    words = str(name).removeprefix("x_").replace("_", " ").split()
    text = " ".join(word.upper() if word in _ACRONYMS else word for word in words)
    return text[:1].upper() + text[1:]
