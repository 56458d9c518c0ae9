"""Navigation of a portal as data. Each audience registers one builder in its AppConfig.ready()."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class NavItem:
    """`prefix` decides what counts as inside; it defaults to the item's own address."""

    label: str
    url: str
    icon: str
    badge: int | str | None = None
    badge_label: str = ""
    badge_tone: str = "idle"
    prefix: str = ""
    exact: bool = False
    active: bool = False

    def matches(self, path: str) -> bool:
        prefix = self.prefix or self.url
        return path == prefix if self.exact else path == prefix or path.startswith(prefix.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class NavSection:
    items: tuple[NavItem, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Navigation:
    sections: tuple[NavSection, ...] = ()
    label: str = "Main"


@dataclass(frozen=True, slots=True)
class MenuLink:
    label: str
    url: str
    icon: str = "settings"


@dataclass(frozen=True, slots=True)
class UserMenu:
    name: str
    email: str
    role: str = ""
    links: tuple[MenuLink, ...] = ()
    sign_out_url: str = "/accounts/logout/"


@dataclass(frozen=True, slots=True)
class SwitchOption:
    label: str
    url: str
    active: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """A choice of scope in the top bar, such as the environment or the customer."""

    label: str
    value: str
    options: tuple[SwitchOption, ...]
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    text: str
    tone: str = "attention"
    icon: str = "eye"
    action_label: str = ""
    action_url: str = ""
    method: str = "get"


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything the shell shows around a page."""

    nav: Navigation = field(default_factory=Navigation)
    user: UserMenu | None = None
    switches: tuple[Switch, ...] = ()
    banner: Banner | None = None
    palette_url: str = ""
    palette_placeholder: str = ""
    home_url: str = "/"


FrameBuilder = Callable[[HttpRequest], Frame]
_builders: dict[str, FrameBuilder] = {}


def register(audience: str, builder: FrameBuilder) -> None:
    """Register the builder of an audience; the audience is the first URL namespace of its pages."""
    _builders[audience] = builder


def build_frame(request: HttpRequest, audience: str) -> Frame:
    """Build the audience's frame with the entry of the current page marked."""
    builder = _builders.get(audience)
    if builder is None:
        return Frame()
    frame = builder(request)
    return replace(frame, nav=mark_active(frame.nav, request.path))


def mark_active(nav: Navigation, path: str) -> Navigation:
    """Mark the one item that fits the path best: the longest prefix wins."""
    best = _best_item((item for section in nav.sections for item in section.items), path)
    sections = tuple(
        replace(section, items=tuple(replace(item, active=item is best) for item in section.items))
        for section in nav.sections
    )
    return replace(nav, sections=sections)


def _best_item(items: Iterable[NavItem], path: str) -> NavItem | None:
    matching = [item for item in items if item.matches(path)]
    return max(matching, key=lambda item: len(item.prefix or item.url), default=None)
