"""A month in the life of one customer, lived by the engine itself: each day people work, then the flows run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.connectors.models import Connection
from apps.core import clock
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.flows.models import Flow, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, go_live
from apps.provisioning.demo.cast import CustomerCast, PartnerCast
from apps.provisioning.demo.partners import have_changes_reported
from apps.provisioning.demo.work import FREELANCER, Firm, email_of, is_approved, slug
from apps.sync.services import run_due_flow

# Once a day: a month of a flow every five minutes would take a day to make.
RUN_HOUR = 17
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
DOMAIN_ROLES = {"hubspot": "crm", "tryton": "erp", "redmine": "delivery"}
# In the order in which a deal travels.
TEMPLATES = {
    "opportunity-to-project": ("crm", "erp", "delivery"),
    "time-to-invoice": ("delivery", "erp", "billing"),
    "payment-status": ("billing", "crm"),
}
# Every 503 of a day: more calls than anybody makes.
DOWN = {"kind": "status", "status": 503, "times": 10_000, "match": {}}
# Counted in working days; the last one in days before today.
DOWN_DAY, NEWCOMER_DAY, WELCOME_DAY, TYPO_DAY, REPAIR_DAY, REVOKED_BEFORE_END = 6, 8, 10, 11, 13, 4
UNFINISHED_BEFORE_END = 4  # days before today, of which some are working days


@dataclass
class Story:
    """One customer's month: who it is, its flows, and what was left half done for a later day."""

    partner: PartnerCast
    cast: CustomerCast
    customer: Customer
    owner: Actor
    firm: Firm
    flows: list[Flow] = field(default_factory=list)
    working_days: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.partner.time_zone)

    def at(self, day: date, hour: float) -> datetime:
        moment = datetime.combine(day, time(0), self.zone) + timedelta(hours=hour)
        return moment.astimezone(ZoneInfo("UTC"))

    def set_vendor_clocks(self, moment: datetime | None) -> None:
        for system in self.firm.systems.values():
            system.set_clock(moment)

    def listen(self) -> None:
        """This method will have the vendors report changes from now on; the past needed no webhooks."""
        for connection in Connection.objects.filter(customer=self.customer, archived_at=None):
            have_changes_reported(connection, self.cast.slug)


def begin(story: Story, now: datetime) -> None:
    """This function will furnish the firm's systems, deploy every template and switch it live."""
    story.set_vendor_clocks(now)
    story.firm.furnish()
    story.firm.open_deals(9, now.date())
    if not story.cast.is_onboarding:
        for key in TEMPLATES:
            _deploy(story, key, now)


def _deploy(story: Story, key: str, now: datetime) -> None:
    connections = {found.vendor: found for found in Connection.objects.filter(customer=story.customer)}
    by_role = {role: connections[vendor] for vendor, role in DOMAIN_ROLES.items()}
    by_role["billing"] = connections[story.cast.billing]
    integration = deploy_integration(
        actor=story.owner,
        now=now,
        environment=get_environment(story.customer),
        template_version=IntegrationTemplateVersion.objects.get(template__key=key),
        name="",
        bindings={role: by_role[role] for role in TEMPLATES[key]},
        settings=_settings(story) if key == "time-to-invoice" else {},
    )
    go_live(actor=story.owner, now=now, integration=integration)
    story.flows += Flow.objects.filter(integration=integration)


def _settings(story: Story) -> dict[str, Any]:
    rates = [f"{email_of(role, story.cast)} = {role.rate}.00" for role in story.cast.team]
    lowest = min(role.rate for role in story.cast.team)
    return {"default_rate": f"{lowest}.00", "rate_card": "\n".join(rates), "payment_days": 14, "invoice_status": "open"}


def live_one_day(story: Story, day: date, *, days_left: int) -> None:
    """This function will have the people work and the flows run; on Sundays nothing happens."""
    if day.weekday() == SUNDAY:
        return
    with clock.moved_clock(story.at(day, 9)):
        story.set_vendor_clocks(story.at(day, 9))
        if day.weekday() < SATURDAY:
            _work(story, day)
            _mishap(story, days_left)
            story.working_days += 1
    run_flows(story, story.at(day, RUN_HOUR))
    story.firm.systems["tryton"].set_faults()


def run_flows(story: Story, moment: datetime) -> None:
    story.set_vendor_clocks(moment)
    for flow in story.flows:
        with clock.moved_clock(moment, is_running=True):
            run_due_flow(flow_id=flow.pk, now=clock.now())


def _work(story: Story, day: date) -> None:
    firm = story.firm
    if firm.dice.random() < 0.5:
        firm.open_deals(firm.dice.choice((1, 1, 2)), day)
    if story.working_days < 2 or firm.dice.random() < 0.3:
        firm.win_deals(1, day)
    if firm.dice.random() < 0.1:
        firm.lose_deal(day)
    firm.plan_tasks()
    firm.book_time(day)
    if day.weekday() == FRIDAY:
        firm.approve_time(day + timedelta(days=1))
    firm.receive_payments(day, share=0.5)


def _mishap(story: Story, days_left: int) -> None:
    """What goes wrong, and who puts it right. Each firm has its own bad luck."""
    if story.cast.has_revoked_token:
        if days_left <= REVOKED_BEFORE_END and not story.notes.get("revoked"):
            story.notes["revoked"] = True
            story.firm.systems["hubspot"].order("POST", "credentials", {"api_key": "a-key-nobody-here-knows"})
        return
    if story.cast is story.partner.customers[0] and days_left <= UNFINISHED_BEFORE_END:
        _leave_for_the_desk(story)
    luck = MISHAPS[story.partner.customers.index(story.cast) % len(MISHAPS)]
    happening = luck.get(story.working_days)
    if happening:
        happening(story)


def _leave_for_the_desk(story: Story) -> None:
    """What nobody has put right when the visitor comes: a cause of each kind that a support person meets most."""
    _correct_late(story)
    _book_unknown(story, FREELANCER, "Freelance drafting")
    if not story.notes.get("left a typo"):
        story.notes["left a typo"] = True
        _typo(story)


def _correct_late(story: Story) -> None:
    """Somebody adds two hours to the oldest time, which was invoiced long ago: the invoice and the time now differ."""
    redmine = story.firm.systems["redmine"]
    approved = [entry for entry in redmine.objects("time_entries") if is_approved(entry)]
    if approved and not story.notes.get("corrected"):
        story.notes["corrected"] = True
        redmine.update("time_entries", approved[0]["id"], {"hours": float(approved[0]["hours"]) + 2})


def _vendor_down(story: Story) -> None:
    story.firm.systems["tryton"].set_faults(DOWN)


def _newcomer(story: Story) -> None:
    _book_unknown(story, "Robin Neumann", "Induction")


def _book_unknown(story: Story, name: str, comments: str) -> None:
    """Somebody the ERP does not know (yet) books approved time."""
    redmine = story.firm.systems["redmine"]
    login, (first, _, last) = slug(name), name.partition(" ")
    known = next((user for user in redmine.objects("users") if user["login"] == login), None)
    user = known or redmine.create(
        "users",
        {
            "firstname": first,
            "lastname": last,
            "login": login,
            "mail": f"{login.replace('-', '.')}@{story.cast.domain}",
        },
    )
    today = clock.now().date().isoformat()
    entry = {
        "user": user["id"], "issue_id": redmine.objects("issues")[0]["id"], "hours": 3, "spent_on": today,
        "comments": comments, "approved": True,
    }  # fmt: skip
    redmine.create("time_entries", entry)


def _welcome(story: Story) -> None:
    story.firm.systems["tryton"].create(
        "employees", {"name": "Robin Neumann", "email": f"robin.neumann@{story.cast.domain}"}
    )


def _typo(story: Story) -> None:
    """A correction booked as negative hours: refused by everybody who takes timesheets seriously."""
    redmine = story.firm.systems["redmine"]
    users, issues = redmine.objects("users"), redmine.objects("issues")
    today = clock.now().date().isoformat()
    entry = {
        "user": users[-1]["id"],
        "issue_id": issues[0]["id"],
        "hours": -1.5,
        "spent_on": today,
        "comments": "Correction",
        "approved": True,
    }
    story.notes["typo"] = redmine.create("time_entries", entry)["id"]


def _repair(story: Story) -> None:
    if "typo" in story.notes:
        story.firm.systems["redmine"].update("time_entries", story.notes["typo"], {"hours": 1.5})


MISHAPS: tuple[dict[int, Callable[[Story], None]], ...] = (
    {DOWN_DAY: _vendor_down, TYPO_DAY: _typo, REPAIR_DAY: _repair},
    {NEWCOMER_DAY: _newcomer, WELCOME_DAY: _welcome, DOWN_DAY + 6: _vendor_down},
    {DOWN_DAY: _typo, NEWCOMER_DAY: _repair},
)
