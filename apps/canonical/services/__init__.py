from apps.canonical.services.absorbing import absorb_record
from apps.canonical.services.custom_fields import UnableToDeclare, archive_custom_field, declare_custom_field
from apps.canonical.services.merging import (
    UnableToMerge,
    UnableToUnmerge,
    check_merge,
    gains,
    merge_records,
    order_pair,
    unmerge_records,
)
from apps.canonical.services.policies import UnableToChangePolicy, reset_match_policy, set_match_policy
from apps.canonical.services.questions import (
    UnableToAnswer,
    ask_questions,
    keep_apart,
    put_off,
    reopen_question,
    touch_records,
)
from apps.canonical.services.values import UnableToDecide, ask_values, decide_value

__all__ = [
    "UnableToAnswer",
    "UnableToChangePolicy",
    "UnableToDecide",
    "UnableToDeclare",
    "UnableToMerge",
    "UnableToUnmerge",
    "absorb_record",
    "archive_custom_field",
    "ask_questions",
    "ask_values",
    "check_merge",
    "decide_value",
    "declare_custom_field",
    "gains",
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
