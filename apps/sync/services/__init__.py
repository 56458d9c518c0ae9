"""Every write of this room that is not the engine's; the names below are what other rooms may call."""

from apps.sync.services.changes import note_change
from apps.sync.services.deletions import UnableToReview, approve_deletions, reject_deletions, start_reconcile
from apps.sync.services.dry_run import DryRun, DryRunFlow, PlannedChange, dry_run
from apps.sync.services.failures import UnableToRetry, ignore_failure, retry_failure, retry_failures
from apps.sync.services.id_pairs import PairReport, UnableToReadPairs, apply_pairs, preview_pairs, undo_batch
from apps.sync.services.running import execute_run, reap_runs, run_due_flow
from apps.sync.services.runs import UnableToCancelRun, UnableToStartRun, cancel_run, start_run
from apps.sync.services.stewardship import (
    PlannedUpdate,
    answer_different,
    answer_later,
    answer_same,
    answer_value,
    preview_merge,
    undo_merge,
)

__all__ = [
    "DryRun",
    "DryRunFlow",
    "PairReport",
    "PlannedChange",
    "PlannedUpdate",
    "UnableToCancelRun",
    "UnableToReadPairs",
    "UnableToRetry",
    "UnableToReview",
    "UnableToStartRun",
    "answer_different",
    "answer_later",
    "answer_same",
    "answer_value",
    "apply_pairs",
    "approve_deletions",
    "cancel_run",
    "dry_run",
    "execute_run",
    "ignore_failure",
    "note_change",
    "preview_merge",
    "preview_pairs",
    "reap_runs",
    "reject_deletions",
    "retry_failure",
    "retry_failures",
    "run_due_flow",
    "start_reconcile",
    "start_run",
    "undo_batch",
    "undo_merge",
]
