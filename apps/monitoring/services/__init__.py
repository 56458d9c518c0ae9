from apps.monitoring.services.evaluation import evaluate_environment
from apps.monitoring.services.handling import (
    UnableToHandle,
    assign_exception,
    ignore_exception,
    reopen_exception,
    snooze_exception,
    wake_exception,
)
from apps.monitoring.services.previews import preview_rule
from apps.monitoring.services.queueing import evaluate_soon
from apps.monitoring.services.rules import (
    RuleDraft,
    UnableToSaveRule,
    add_rule,
    draft_of,
    remove_rule,
    save_rule,
    switch_rule,
)

__all__ = [
    "RuleDraft",
    "UnableToHandle",
    "UnableToSaveRule",
    "add_rule",
    "assign_exception",
    "draft_of",
    "evaluate_environment",
    "evaluate_soon",
    "ignore_exception",
    "preview_rule",
    "remove_rule",
    "reopen_exception",
    "save_rule",
    "snooze_exception",
    "switch_rule",
    "wake_exception",
]
