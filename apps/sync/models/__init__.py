from apps.sync.models.approvals import ApprovalRequest, ApprovalStatus, RuleNotice
from apps.sync.models.deletions import DeletionReview, Removal, RemovalStatus, ReviewStatus
from apps.sync.models.desk import FailureNote, FailureRetry, NoteKind
from apps.sync.models.exports import ExportFormat, ExportKind, ExportStatus, LogExport
from apps.sync.models.failures import UNSOLVED, ErrorClass, FailureStatus, RecordFailure
from apps.sync.models.intents import IntentKind, IntentStatus, WriteIntent
from apps.sync.models.keeping import LogClass, LogSettings
from apps.sync.models.limits import RunLimits
from apps.sync.models.logs import RecordAction, RecordLog, RecordPayload, VendorCall
from apps.sync.models.runs import Checkpoint, HeldBy, RunStatus, RunStep, RunTrigger, SyncRun

__all__ = [
    "UNSOLVED",
    "ApprovalRequest",
    "ApprovalStatus",
    "Checkpoint",
    "DeletionReview",
    "ErrorClass",
    "ExportFormat",
    "ExportKind",
    "ExportStatus",
    "FailureNote",
    "FailureRetry",
    "FailureStatus",
    "HeldBy",
    "IntentKind",
    "IntentStatus",
    "LogClass",
    "LogExport",
    "LogSettings",
    "NoteKind",
    "RecordAction",
    "RecordFailure",
    "RecordLog",
    "RecordPayload",
    "Removal",
    "RemovalStatus",
    "ReviewStatus",
    "RuleNotice",
    "RunLimits",
    "RunStatus",
    "RunStep",
    "RunTrigger",
    "SyncRun",
    "VendorCall",
    "WriteIntent",
]
