"""States as people read them: a word, an icon and one of five tones.

A domain's choices class decides label, tone and icon. `status_of` accepts whatever a page has at hand: such a member, a
`Status`, or the stored word, for which the general vocabulary below gives the tone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    OK = "ok"
    ATTENTION = "attention"
    FAILING = "failing"
    IDLE = "idle"
    INFO = "info"

    @property
    def icon(self) -> str:
        return _ICONS[self]


_ICONS: Mapping[str, str] = {
    "ok": "circle-check",
    "attention": "alert-triangle",
    "failing": "alert-circle",
    "idle": "circle-dashed",
    "info": "progress",
}

_VOCABULARY: Mapping[Tone, str] = {
    Tone.OK: (
        "ok active succeeded success completed complete done paid live healthy resolved approved published met verified "
        "delivered applied accepted closed_won won signed connected sent operational on_track kept ready final low "
        "recognized"
    ),
    Tone.ATTENTION: (
        "attention warning degraded overdue past_due partial part_paid at_risk needs_reauthorization uncertain pending_approval "
        "in_review expiring acknowledged awaiting_customer needs_review snoozed blocked suspended waiting medium onboarding"
    ),
    Tone.FAILING: (
        "failing failed failure error errored dead rejected breached revoked unpaid uncollectible firing critical triggered "
        "expired down lost churned conflict unreachable major_outage disputed high urgent"
    ),
    Tone.INFO: (
        "info running in_progress queued open trialing new draft_ready syncing started processing submitted scheduled retrying "
        "provisioning lead invoiced planned recognizable investigating sandbox"
    ),
}

_TONES: Mapping[str, Tone] = {word: tone for tone, words in _VOCABULARY.items() for word in words.split()}

# What Django's message levels and Bootstrap call the same tones.
_TONE_ALIASES: Mapping[str, Tone] = {
    "success": Tone.OK,
    "danger": Tone.FAILING,
    "error": Tone.FAILING,
    "warning": Tone.ATTENTION,
    "debug": Tone.IDLE,
    "": Tone.INFO,
}

_TONE_OF_WORD: Mapping[str, Tone] = {**_TONES, **_TONE_ALIASES, **{tone.value: tone for tone in Tone}}

# A bare tone needs words too: this is what the maps and strips say.
_TONE_LABELS: Mapping[str, str] = {
    "ok": "In step",
    "attention": "Needs attention",
    "failing": "Failing",
    "idle": "Idle",
    "info": "In progress",
}


@dataclass(frozen=True, slots=True)
class Status:
    label: str
    tone: Tone
    icon: str
    key: str = ""


def tone_of(value: object) -> Tone:
    """Read a tone from a tone, a message tag or a state word; unknown words are idle."""
    return _TONE_OF_WORD.get(str(value or "").lower(), Tone.IDLE)


_QUIET_WORDS = frozenset(["none", "draft", "void", "closed", "inactive", "on_hold", "canceled", "planned", "paused"])


def is_state_word(text: str) -> bool:
    """Whether a stored word is a state, which people read with a capital and without underscores."""
    return text in _TONES or text in _QUIET_WORDS


def humanize_word(word: str) -> str:
    """Turn a stored word into sentence case: "past_due" becomes "Past due"."""
    text = word.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def status_of(value: object, *, label: str = "", tone: str = "", icon: str = "") -> Status:
    """Describe a state; explicit arguments win over the value's own attributes, which win over the vocabulary."""
    key = str(getattr(value, "value", None) or getattr(value, "key", None) or value or "")
    chosen = tone_of(tone or getattr(value, "tone", "") or key or "idle")
    return Status(
        label=str(label or getattr(value, "label", "") or _TONE_LABELS.get(key) or humanize_word(key) or "Unknown"),
        tone=chosen,
        icon=str(icon or getattr(value, "icon", "") or chosen.icon),
        key=key,
    )
