"""Making the demo's data, once: the database, then both partners side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from apps.connectors.models import Connection
from apps.connectors.services import update_connection
from apps.core import clock
from apps.core.planes import public_plane, tenant_plane
from apps.events.relaying import relay_outbox
from apps.flows.services import load_templates
from apps.provisioning.demo import cast, history, modernization, month_end, partners, vendors
from apps.provisioning.demo.cast import CustomerCast, PartnerCast
from apps.provisioning.demo.history import Story
from apps.provisioning.demo.work import Firm
from apps.provisioning.schema_template import build_template
from apps.sla.selectors import month_around
from apps.tenants.models import Partner
from config.local import children

HISTORY_DAYS = 30
# For tests: only the first and the last days of the month.
SMALL = "INTERLACE_DEMO_SMALL"
SMALL_DAYS = 7
MANAGE = Path(settings.BASE_DIR) / "manage.py"


class SeedFailed(RuntimeError):
    """One of the parts ended early; its output says why."""


def first_day(now: datetime) -> datetime:
    """A month ago, but always far enough back that a whole week of last month is in it."""
    midnight = now.replace(hour=6, minute=0, second=0, microsecond=0)
    last_month = midnight.replace(day=1) - timedelta(days=8)
    return min(midnight - timedelta(days=HISTORY_DAYS), last_month)


def make_everything(say: Callable[[str], object]) -> None:
    """This function will migrate, build the partner template and make both partners at the same time."""
    began = time.monotonic()
    now = clock.now()
    call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
    say(f"  shared tables        {time.monotonic() - began:5.1f} s")
    build_template(now=now)
    say(f"  partner template     {time.monotonic() - began:5.1f} s")
    partners.open_platform(first_day(now))
    vendors.open_trial_accounts()
    say("  living the month, which takes the longest")
    parts = {
        partner.slug: children.spawn([sys.executable, str(MANAGE), "demo_seed", "--partner", partner.slug])
        for partner in cast.PARTNERS
    }
    _wait_for_all(parts)
    say(f"  a month of history   {time.monotonic() - began:5.1f} s")


def _wait_for_all(parts: dict[str, subprocess.Popen[bytes]]) -> None:
    """This function will end the other parts as soon as one of them fails."""
    try:
        for slug, process in parts.items():
            if process.wait():
                raise SeedFailed(f"{slug} ended with code {process.returncode}")
    finally:
        for process in parts.values():
            if process.poll() is None:
                children.stop(process, seconds=2)


def make_partner(slug: str) -> None:
    """This function will make one partner with its customers and their past."""
    partner = _cast_of(slug)
    begin = first_day(clock.now())
    with clock.moved_clock(begin):
        made = partners.open_partner(partner, begin)
    with tenant_plane(made.schema_name):
        with clock.moved_clock(begin):
            load_templates(now=begin)
            early = [customer for customer in partner.customers if not customer.joined_after_days]
            stories = [_begin_story(partner, customer, begin) for customer in early]
        _live(partner, stories, begin)


def _begin_story(partner: PartnerCast, customer: CustomerCast, begin: datetime) -> Story:
    made = partners.open_customer(partner, customer, begin)
    owner = partners.owner_of(partner)
    story = Story(partner=partner, cast=customer, customer=made, owner=owner, firm=Firm(partner, customer))
    history.begin(story, begin)
    return story


def _live(partner: PartnerCast, stories: list[Story], begin: datetime) -> None:
    """This function will live every day up to yesterday, then set the vendors' clocks to the present."""
    now = clock.now()
    month_start, _ = month_around(stories[0].customer, now)
    is_closed = False
    days = _days(begin, now)
    for number, day in enumerate(days):
        if not is_closed and stories[0].at(day, 6) > month_start:
            _turn_month(stories, month_start)
            is_closed = True
        for customer in partner.customers:
            if 0 < customer.joined_after_days == number:
                stories.append(_begin_late(partner, customer, stories[0].at(day, 8)))
        for story in stories:
            if not story.cast.is_onboarding:
                history.live_one_day(story, day, days_left=len(days) - number)
    if not is_closed:
        _turn_month(stories, month_start)
    modernization.live_with_the_past(stories[0], now)
    for story in stories:
        story.set_vendor_clocks(None)
        story.listen()
    while relay_outbox(now=clock.now()):
        continue


def _days(begin: datetime, now: datetime) -> list[date]:
    days = [begin.date() + timedelta(days=number) for number in range((now.date() - begin.date()).days)]
    return [*days[:SMALL_DAYS], *days[-SMALL_DAYS:]] if os.environ.get(SMALL) else days


def _begin_late(partner: PartnerCast, customer: CustomerCast, moment: datetime) -> Story:
    with clock.moved_clock(moment):
        return _begin_story(partner, customer, moment)


def _turn_month(stories: list[Story], month_start: datetime) -> None:
    owner = stories[0].owner
    billed = [story.customer for story in stories if not story.cast.is_onboarding]
    month_end.close_last_month(billed, owner, month_start)
    month_end.receive_payment(stories[0].customer, owner, month_start)


def move_connections() -> None:
    """This function will tell every connection the address at which the simulators are now."""
    for partner in cast.PARTNERS:
        with public_plane():
            schema = Partner.objects.get(slug=partner.slug).schema_name
        with tenant_plane(schema):
            _move(partner)


def _move(partner: PartnerCast) -> None:
    owner = partners.owner_of(partner)
    for connection in Connection.objects.filter(archived_at=None):
        account = connection.settings["base_url"].rsplit("/", 1)[1]
        base_url = vendors.VendorAccount(connection.vendor, account).base_url
        moved = update_connection(
            actor=owner,
            now=clock.now(),
            connection=connection,
            name=connection.name,
            settings={**connection.settings, "base_url": base_url},
            secrets=vendors.secrets_of(connection.vendor, account),
        )
        if connection.vendor == "xero":
            partners.consent(owner, moved)
        partners.have_changes_reported(moved, account)


def _cast_of(slug: str) -> PartnerCast:
    return next(partner for partner in cast.PARTNERS if partner.slug == slug)
