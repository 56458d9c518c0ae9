"""What the settings pages share: their tabs, and the answer to an action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.accounts.access import ActorRequest
from apps.core.errors import AnticipatedError, NotPermitted, NotVisible

_TABS = [
    ("Brand", "brand", "brand.manage"),
    ("Team", "team", "team.view"),
    ("API keys", "api_keys", "keys.manage"),
    ("Webhooks", "webhooks", "webhooks.view"),
    ("Limits of runs", "run_limits", "integrations.manage"),
    ("Outbound addresses", "outbound", "security.manage"),
    ("Releases", "release_rules", "security.manage"),
    ("Logs and privacy", "log_settings", "security.manage"),
    ("Configuration", "partner_configuration", "templates.manage"),
    ("Sent mail", "mails", "audit.view"),
]


@dataclass(frozen=True, slots=True)
class SettingsTab:
    label: str
    url: str
    active: bool
    count: None = None


def settings_tabs(request: ActorRequest, here: str) -> list[SettingsTab]:
    """Only the tabs the actor may open."""
    return [
        SettingsTab(label, reverse(f"partner_portal:{name}"), name == here)
        for label, name, permission in _TABS
        if request.actor.can(permission)
    ]


def answer(request: ActorRequest, page: str, action: Callable[[], object], done: str) -> HttpResponse:
    """This function will carry the action out and lead back to the page, with a notice of how it went."""
    try:
        action()
    except NotVisible as error:
        raise Http404 from error
    except NotPermitted as error:
        raise PermissionDenied from error
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse(f"partner_portal:{page}"))
