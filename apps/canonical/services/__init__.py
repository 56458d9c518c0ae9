from apps.canonical.services.absorbing import absorb_record
from apps.canonical.services.merging import UnableToMerge, UnableToUnmerge, merge_records, order_pair, unmerge_records
from apps.canonical.services.policies import UnableToChangePolicy, reset_match_policy, set_match_policy
from apps.canonical.services.questions import (
    UnableToAnswer,
    ask_questions,
    keep_apart,
    put_off,
    reopen_question,
    touch_records,
)

__all__ = [
    "UnableToAnswer",
    "UnableToChangePolicy",
    "UnableToMerge",
    "UnableToUnmerge",
    "absorb_record",
    "ask_questions",
    "keep_apart",
    "merge_records",
    "order_pair",
    "put_off",
    "reopen_question",
    "reset_match_policy",
    "set_match_policy",
    "touch_records",
    "unmerge_records",
]
