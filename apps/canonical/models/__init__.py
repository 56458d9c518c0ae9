from apps.canonical.models.custom_fields import CustomField
from apps.canonical.models.plans import MergeOutcome, MergePlan, MergePlanSource, MergePlanStatus, PlannedMerge
from apps.canonical.models.records import (
    CanonicalChange,
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    Entity,
    name_of,
)
from apps.canonical.models.stewardship import FieldQuestion, MatchPolicy, MatchQuestion, QuestionStatus, RecordMerge

__all__ = [
    "CanonicalChange",
    "CanonicalLink",
    "CanonicalRecord",
    "CrossReference",
    "CustomField",
    "Entity",
    "FieldQuestion",
    "MatchPolicy",
    "MatchQuestion",
    "MergeOutcome",
    "MergePlan",
    "MergePlanSource",
    "MergePlanStatus",
    "PlannedMerge",
    "QuestionStatus",
    "RecordMerge",
    "name_of",
]
