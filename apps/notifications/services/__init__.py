from apps.notifications.services.endpoints import (
    UnableToAddEndpoint,
    create_endpoint,
    pause_endpoint,
    remove_endpoint,
    resume_endpoint,
    rotate_secret,
    update_endpoint,
)
from apps.notifications.services.mails import BLANKED, KIND, RETRY_AFTER, deliver_mail, send_mail
from apps.notifications.services.queueing import (
    Selection,
    UnableToReplay,
    replay_delivery,
    replay_selection,
    send_test,
)
from apps.notifications.services.sending import work_endpoint

__all__ = [
    "BLANKED",
    "KIND",
    "RETRY_AFTER",
    "Selection",
    "UnableToAddEndpoint",
    "UnableToReplay",
    "create_endpoint",
    "deliver_mail",
    "pause_endpoint",
    "remove_endpoint",
    "replay_delivery",
    "replay_selection",
    "resume_endpoint",
    "rotate_secret",
    "send_mail",
    "send_test",
    "update_endpoint",
    "work_endpoint",
]
