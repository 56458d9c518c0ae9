from apps.sync.models.failures import ErrorClass, FailureStatus, RecordFailure
from apps.sync.models.intents import IntentKind, IntentStatus, WriteIntent
from apps.sync.models.logs import RecordAction, RecordLog, RecordPayload, VendorCall
from apps.sync.models.runs import Checkpoint, RunStatus, RunStep, RunTrigger, SyncRun

__all__ = [
    "Checkpoint",
    "ErrorClass",
    "FailureStatus",
    "IntentKind",
    "IntentStatus",
    "RecordAction",
    "RecordFailure",
    "RecordLog",
    "RecordPayload",
    "RunStatus",
    "RunStep",
    "RunTrigger",
    "SyncRun",
    "VendorCall",
    "WriteIntent",
]
