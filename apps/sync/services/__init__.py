"""Every write of this room that is not the engine's; the names below are what other rooms may call."""

from apps.sync.services.approvals import ReasonMissing, UnableToApprove, approve, reject
from apps.sync.services.business import call_business_service
from apps.sync.services.changes import note_change, note_facts, run_on_deliveries
from apps.sync.services.customer_joining import request_joining
from apps.sync.services.deletions import UnableToReview, approve_deletions, reject_deletions, start_reconcile
from apps.sync.services.desk import (
    UnableToAssign,
    UnableToComment,
    UnableToIgnore,
    UnableToReopen,
    UnableToSnooze,
    assign_failures,
    comment_failure,
    ignore_failures,
    reopen_failures,
    snooze_failures,
    wake_failures,
)
from apps.sync.services.dry_run import DryRun, DryRunFlow, PlannedChange, dry_run
from apps.sync.services.editing import EditableField, EditableRecord, UnableToEdit, edit_and_retry, find_editable
from apps.sync.services.exports import (
    UnableToCancelExport,
    UnableToExport,
    cancel_export,
    expire_export,
    get_export,
    make_export,
    open_export,
    start_export,
)
from apps.sync.services.failures import UnableToRetry, ignore_failure, retry_failure, retry_failures
from apps.sync.services.id_pairs import UnableToReadPairs, request_pairs
from apps.sync.services.keeping import UnableToKeepLog, keep_connection_payloads, update_log_settings
from apps.sync.services.limits import UnableToLimit, load_limits, save_limits
from apps.sync.services.merge_plans import apply_plan, carry_on_plan, decide_row, discard_plan, undo_plan
from apps.sync.services.merge_preview import PlannedUpdate, preview_merge
from apps.sync.services.pausing import (
    UnableToContinue,
    continue_run,
    end_runs,
    flows_of_connection,
    hold_runs,
    release_runs,
    wake_runs,
)
from apps.sync.services.plan_queue import UnableToCarryOut
from apps.sync.services.purging import purge_logs
from apps.sync.services.retries import UnableToCancelRetry, cancel_retry, carry_out_retry, start_retry
from apps.sync.services.rollout_changes import (
    UnableToChangeRollout,
    answer_member,
    cancel_rollout,
    resume_rollout,
    roll_back,
    roll_back_member,
    skip_member,
)
from apps.sync.services.rollouts import UnableToRollOut, advance_rollout, start_rollout
from apps.sync.services.running import execute_run, reap_runs, run_due_flow
from apps.sync.services.runs import UnableToCancelRun, UnableToStartRun, cancel_run, start_run
from apps.sync.services.stewardship import (
    answer_different,
    answer_later,
    answer_same,
    answer_value,
    undo_merge,
)
from apps.sync.services.trials import UnableToTry, try_template, try_upgrade

__all__ = [
    "DryRun",
    "DryRunFlow",
    "EditableField",
    "EditableRecord",
    "PlannedChange",
    "PlannedUpdate",
    "ReasonMissing",
    "UnableToApprove",
    "UnableToAssign",
    "UnableToCancelExport",
    "UnableToCancelRetry",
    "UnableToCancelRun",
    "UnableToCarryOut",
    "UnableToChangeRollout",
    "UnableToComment",
    "UnableToContinue",
    "UnableToEdit",
    "UnableToExport",
    "UnableToIgnore",
    "UnableToKeepLog",
    "UnableToLimit",
    "UnableToReadPairs",
    "UnableToReopen",
    "UnableToRetry",
    "UnableToReview",
    "UnableToRollOut",
    "UnableToSnooze",
    "UnableToStartRun",
    "UnableToTry",
    "advance_rollout",
    "answer_different",
    "answer_later",
    "answer_member",
    "answer_same",
    "answer_value",
    "apply_plan",
    "approve",
    "approve_deletions",
    "assign_failures",
    "call_business_service",
    "cancel_export",
    "cancel_retry",
    "cancel_rollout",
    "cancel_run",
    "carry_on_plan",
    "carry_out_retry",
    "comment_failure",
    "continue_run",
    "decide_row",
    "discard_plan",
    "dry_run",
    "edit_and_retry",
    "end_runs",
    "execute_run",
    "expire_export",
    "find_editable",
    "flows_of_connection",
    "get_export",
    "hold_runs",
    "ignore_failure",
    "ignore_failures",
    "keep_connection_payloads",
    "load_limits",
    "make_export",
    "note_change",
    "note_facts",
    "open_export",
    "preview_merge",
    "purge_logs",
    "reap_runs",
    "reject",
    "reject_deletions",
    "release_runs",
    "reopen_failures",
    "request_joining",
    "request_pairs",
    "resume_rollout",
    "retry_failure",
    "retry_failures",
    "roll_back",
    "roll_back_member",
    "run_due_flow",
    "run_on_deliveries",
    "save_limits",
    "skip_member",
    "snooze_failures",
    "start_export",
    "start_reconcile",
    "start_retry",
    "start_rollout",
    "start_run",
    "try_template",
    "try_upgrade",
    "undo_merge",
    "undo_plan",
    "update_log_settings",
    "wake_failures",
    "wake_runs",
]
