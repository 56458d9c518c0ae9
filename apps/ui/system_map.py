"""The picture of an integration: systems as cards, flows as lines between them, laid out on the server.

Up to three systems stand in one row; more are put in columns by domain. Lines between neighbouring columns run from side to
side; lines that skip a column take a lane above or below the cards. Every coordinate is computed here, the template draws.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from .formatting import is_distant, relative_text
from .status import Status, Tone, status_of

CARD_WIDTH = 208
CARD_HEIGHT = 76
PORT_GAP = 34
ROW_GAP = 44
PILL_HEIGHT = 26
LANE_GAP = 38
MARGIN = 2
# Beside the tile, in the size of labels: names stand larger, details smaller.
NAME_WIDTH = 114
DETAIL_WIDTH = 136
_ICON_OF_DOMAIN = {
    "crm": "heart-handshake",
    "erp": "building",
    "billing": "file-invoice",
    "delivery": "checklist",
    "psa": "checklist",
    "ticketing": "lifebuoy",
    "time": "clock",
    "file": "file-text",
    "webhook": "webhook",
    "generic": "database",
}
_RANK = {"crm": 0, "erp": 1, "psa": 2, "delivery": 2, "ticketing": 2, "time": 2, "billing": 3}
_COLUMN = {"crm": 0, "erp": 1, "generic": 1, "file": 1, "webhook": 1}
Side = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True, slots=True)
class MapSystem:
    """A connected system. `status` is anything `status_of` reads; `detail` is a short line such as "Acme production"."""

    key: str
    name: str
    domain: str
    status: object = "ok"
    detail: str = ""
    url: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class MapFlow:
    """A flow from one system to another. `fresh_at` is when the two were last in step; `live` draws movement."""

    source: str
    target: str
    label: str
    status: object = "ok"
    fresh_at: datetime | None = None
    url: str = ""
    live: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    system: MapSystem
    status: Status
    icon: str
    name: str
    detail: str
    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def inset(self) -> int:
        """How far the card's content stands from its top, so that it stays centered in a tall card."""
        return (self.height - CARD_HEIGHT) // 2


@dataclass(frozen=True, slots=True)
class Line:
    flow: MapFlow
    status: Status
    source_name: str
    target_name: str
    path: str
    arrow: str
    pill_x: int
    pill_y: int
    pill_width: int
    label: str
    fresh: str


@dataclass(frozen=True, slots=True)
class SystemMap:
    title: str
    cards: tuple[Card, ...]
    lines: tuple[Line, ...]
    width: int
    height: int

    @property
    def worst(self) -> Tone:
        tones = [line.status.tone for line in self.lines] + [card.status.tone for card in self.cards]
        order = (Tone.FAILING, Tone.ATTENTION, Tone.INFO, Tone.OK)
        return next((tone for tone in order if tone in tones), Tone.IDLE)


@dataclass(slots=True)
class _Plan:
    """Where everything stands while the picture is worked out."""

    columns: list[list[MapSystem]]
    place: dict[str, tuple[int, int]]
    ports: dict[tuple[str, Side], list[int]] = field(default_factory=lambda: defaultdict(list))
    lanes: dict[int, Side] = field(default_factory=dict)


def build_system_map(systems: Sequence[MapSystem], flows: Sequence[MapFlow], *, title: str, now: datetime) -> SystemMap:
    """Lay out an integration; flows that name an unknown system or lead back to their own are left out."""
    known = {system.key for system in systems}
    drawn = [flow for flow in flows if {flow.source, flow.target} <= known and flow.source != flow.target]
    plan = _plan(_columns(systems), drawn)
    gap = max((_pill_width(flow, now) for flow in drawn), default=120) + 64
    top = LANE_GAP * sum(side == "top" for side in plan.lanes.values())
    cards = _cards(plan, gap, top)
    floor = max((card.y + card.height for card in cards.values()), default=0)
    lines = tuple(_line(index, flow, plan, cards, floor, now) for index, flow in enumerate(drawn))
    bottom = LANE_GAP * sum(side == "bottom" for side in plan.lanes.values())
    width = len(plan.columns) * CARD_WIDTH + max(len(plan.columns) - 1, 0) * gap + 2 * MARGIN
    inside = tuple(_keep_inside(line, width) for line in lines)
    return SystemMap(title, tuple(cards.values()), inside, width, floor + bottom + MARGIN)


def _keep_inside(line: Line, width: int) -> Line:
    """A label may be wider than the card it stands below; in an outer column it would be cut off."""
    farthest = max(width - line.pill_width - MARGIN, MARGIN)
    return replace(line, pill_x=min(max(line.pill_x, MARGIN), farthest))


def _columns(systems: Sequence[MapSystem]) -> list[list[MapSystem]]:
    ranked = sorted(systems, key=lambda system: _RANK.get(system.domain, 1))
    if len(ranked) <= 3:
        return [[system] for system in ranked]
    grouped: dict[int, list[MapSystem]] = defaultdict(list)
    for system in ranked:
        grouped[_COLUMN.get(system.domain, 2)].append(system)
    return [grouped[column] for column in sorted(grouped)]


def _plan(columns: list[list[MapSystem]], flows: Sequence[MapFlow]) -> _Plan:
    place = {system.key: (c, r) for c, column in enumerate(columns) for r, system in enumerate(column)}
    plan = _Plan(columns, place)
    for index, flow in enumerate(flows):
        source_side, target_side = _sides(plan, flow)
        if source_side == target_side:
            plan.lanes[index] = source_side
        plan.ports[flow.source, source_side].append(index)
        plan.ports[flow.target, target_side].append(index)
    _untangle(plan, flows)
    return plan


def _sides(plan: _Plan, flow: MapFlow) -> tuple[Side, Side]:
    (source_column, source_row), (target_column, target_row) = plan.place[flow.source], plan.place[flow.target]
    distance = target_column - source_column
    if distance == 0:
        return ("bottom", "top") if target_row > source_row else ("top", "bottom")
    if abs(distance) == 1:
        return ("right", "left") if distance > 0 else ("left", "right")
    return _lane(plan, flow)


def _lane(plan: _Plan, flow: MapFlow) -> tuple[Side, Side]:
    """Take the lane no other card of the two columns stands in the way of."""
    at_bottom = all(
        plan.place[key][1] == len(plan.columns[plan.place[key][0]]) - 1 for key in (flow.source, flow.target)
    )
    side: Side = "bottom" if at_bottom else "top"
    return side, side


def _untangle(plan: _Plan, flows: Sequence[MapFlow]) -> None:
    """Order the ports of a side by where their lines lead, so that lines do not cross without need."""
    for (key, _), indexes in plan.ports.items():
        indexes.sort(key=lambda index: (_other_end(plan, flows[index], key), index))


def _other_end(plan: _Plan, flow: MapFlow, key: str) -> float:
    column, row = plan.place[flow.target if flow.source == key else flow.source]
    return row - (len(plan.columns[column]) - 1) / 2


def _cards(plan: _Plan, gap: int, top: int) -> dict[str, Card]:
    heights = {key: _height(plan, key) for key in plan.place}
    totals = [
        sum(heights[system.key] for system in column) + _row_gap(plan) * (len(column) - 1) for column in plan.columns
    ]
    tallest = max(totals, default=0)
    cards: dict[str, Card] = {}
    for index, column in enumerate(plan.columns):
        y = top + MARGIN + (tallest - totals[index]) // 2
        for system in column:
            cards[system.key] = _card(system, MARGIN + index * (CARD_WIDTH + gap), y, heights[system.key])
            y += heights[system.key] + _row_gap(plan)
    return cards


def _height(plan: _Plan, key: str) -> int:
    most = max(len(plan.ports.get((key, side), ())) for side in ("left", "right"))
    return max(CARD_HEIGHT, most * PORT_GAP + 8)


def _row_gap(plan: _Plan) -> int:
    """Vertical lines carry their pills between two cards of one column and need room for them."""
    stacked = max(
        (
            len(indexes)
            for (_, side), indexes in plan.ports.items()
            if side == "bottom" and set(indexes) - set(plan.lanes)
        ),
        default=0,
    )
    return ROW_GAP + stacked * LANE_GAP


def _card(system: MapSystem, x: int, y: int, height: int) -> Card:
    status = status_of(system.status)
    return Card(
        system=system,
        status=status,
        icon=system.icon or icon_of_domain(system.domain),
        name=_fit(system.name, NAME_WIDTH),
        detail=_fit(system.detail or system.domain.upper(), DETAIL_WIDTH),
        x=x,
        y=y,
        height=height,
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def icon_of_domain(domain: str) -> str:
    return _ICON_OF_DOMAIN.get(domain, "database")


def _fit(text: str, width: int) -> str:
    """As much of the text as `width` holds, in the size of labels."""
    kept = text
    while kept and _text_width(kept) > width:
        kept = kept[:-1]
    return kept if kept == text else f"{kept[:-1].rstrip()}…"


def _pill_width(flow: MapFlow, now: datetime) -> int:
    fresh = _fresh(flow, now)
    return round(29 + _text_width(_cut(flow.label, 30)) + (7 + _text_width(fresh) if fresh else 0) + 13)


def _text_width(text: str) -> float:
    """Estimate 12.5 px Inter from the kinds of letters: the server cannot measure type."""
    return sum(3.7 if c in "iljtfrI .,'·-" else 10.4 if c in "mwMW%" else 8.3 if c.isupper() else 7.1 for c in text)


def _fresh(flow: MapFlow, now: datetime) -> str:
    if flow.fresh_at is None:
        return ""
    if is_distant(flow.fresh_at, now):
        return "over 30 days"
    return relative_text(flow.fresh_at, now).removesuffix(" ago")


def _line(index: int, flow: MapFlow, plan: _Plan, cards: dict[str, Card], floor: int, now: datetime) -> Line:
    source_side, target_side = _sides(plan, flow)
    start = _port(plan, cards[flow.source], source_side, index)
    end = _port(plan, cards[flow.target], target_side, index)
    if index in plan.lanes:
        path, middle = _lane_path(index, plan, start, end, floor)
    elif source_side in ("left", "right"):
        path, middle = _side_path(start, end)
    else:
        path, middle = _vertical_path(start, end, plan.ports[flow.source, source_side].index(index))
    width = _pill_width(flow, now)
    return Line(
        flow=flow,
        status=status_of(flow.status),
        source_name=cards[flow.source].system.name,
        target_name=cards[flow.target].system.name,
        path=path,
        arrow=_arrow(end, target_side),
        pill_x=middle[0] - width // 2,
        pill_y=middle[1] - PILL_HEIGHT // 2,
        pill_width=width,
        label=_cut(flow.label, 30),
        fresh=_fresh(flow, now),
    )


def _port(plan: _Plan, card: Card, side: Side, index: int) -> tuple[int, int]:
    indexes = plan.ports[card.system.key, side]
    offset = round((indexes.index(index) - (len(indexes) - 1) / 2) * PORT_GAP)
    if side == "left":
        return card.x, card.middle + offset
    if side == "right":
        return card.x + CARD_WIDTH, card.middle + offset
    x = card.x + CARD_WIDTH // 2 + offset
    return (x, card.y) if side == "top" else (x, card.y + card.height)


def _side_path(start: tuple[int, int], end: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    (x1, y1), (x2, y2) = start, end
    half = (x1 + x2) // 2
    return f"M{x1} {y1} C{half} {y1} {half} {y2} {x2} {y2}", (half, (y1 + y2) // 2)


def _vertical_path(start: tuple[int, int], end: tuple[int, int], order: int) -> tuple[str, tuple[int, int]]:
    (x1, y1), (x2, y2) = start, end
    half = (y1 + y2) // 2
    step = -1 if y2 < y1 else 1
    return f"M{x1} {y1} C{x1} {half} {x2} {half} {x2} {y2}", ((x1 + x2) // 2, y1 + step * (30 + order * LANE_GAP))


def _lane_path(
    index: int, plan: _Plan, start: tuple[int, int], end: tuple[int, int], floor: int
) -> tuple[str, tuple[int, int]]:
    side = plan.lanes[index]
    order = [other for other, lane in plan.lanes.items() if lane == side].index(index)
    lane = (
        floor + (order + 1) * LANE_GAP - PILL_HEIGHT // 2
        if side == "bottom"
        else order * LANE_GAP + PILL_HEIGHT // 2 + 2
    )
    turn = 14 if side == "bottom" else -14
    (x1, y1), (x2, y2) = start, end
    along = 14 if x2 > x1 else -14
    path = (
        f"M{x1} {y1} V{lane - turn} Q{x1} {lane} {x1 + along} {lane} "
        f"H{x2 - along} Q{x2} {lane} {x2} {lane - turn} V{y2}"
    )
    return path, ((x1 + x2) // 2, lane)


def _arrow(end: tuple[int, int], side: Side) -> str:
    x, y = end
    match side:
        case "left":
            return f"M{x - 7} {y - 4} L{x - 1} {y} L{x - 7} {y + 4}"
        case "right":
            return f"M{x + 7} {y - 4} L{x + 1} {y} L{x + 7} {y + 4}"
        case "top":
            return f"M{x - 4} {y - 7} L{x} {y - 1} L{x + 4} {y - 7}"
    return f"M{x - 4} {y + 7} L{x} {y + 1} L{x + 4} {y + 7}"
