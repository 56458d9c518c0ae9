"""What the log keeps of values: rules, secrets wherever they stand, and a hidden value that must appear nowhere."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.accounts.services import create_api_key
from apps.connectors.models import Connection
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.redaction import MASK
from apps.core.actor import Actor
from apps.sync.explorer import LogFilters
from apps.sync.models import LogExport, RecordFailure, RecordLog, RecordPayload
from apps.sync.redaction import ALWAYS_HIDDEN, PayloadRules, is_secret
from apps.sync.services import (
    keep_connection_payloads,
    make_export,
    open_export,
    start_export,
    update_log_settings,
)
from apps.sync.services.keeping import UnableToKeepLog
from tests.browsing import Browser
from tests.factories.askers import owner, owner_actor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

__all__ = ["owner", "owner_actor"]

CANARY = "vera-canary@vulcan.example"
RULES = PayloadRules(patterns=(*ALWAYS_HIDDEN, "email", "contact.*phone*"))


@pytest.mark.parametrize(
    ("entity", "name", "value", "kept"),
    [
        ("contact", "email", "vera@vulcan.example", MASK),
        ("contact", "mobile_phone", "+49 30 1", MASK),
        ("account", "mobile_phone", "+49 30 1", "+49 30 1"),
        ("contact", "email", None, None),
        ("account", "bank_account", "12", MASK),
        ("account", "custom", {"iban_of_payer": "x", "color": "red"}, {"iban_of_payer": MASK, "color": "red"}),
        ("invoice", "lines", [{"email": "a@b.example", "amount": 5}], [{"email": MASK, "amount": 5}]),
        ("account", "total", {"amount": 1050, "currency": "EUR"}, {"amount": 1050, "currency": "EUR"}),
        ("task", "notes", "Pay to DE89 3704 0044 0532 0130 00 please", MASK),
    ],
)
def test_a_rule_hides_the_value(entity: str, name: str, value: Any, kept: Any) -> None:
    assert RULES.hide_diff(entity, {name: [None, value]}) == {name: [None, kept]}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", True),
        ("Authorization: Bearer 0123456789abcdef", True),
        ("GB29 NWBK 6016 1331 9268 19", True),
        ("GB29 NWBK 6016 1331 9268 18", False),  # the check digits are wrong: no account
        ("card 4111 1111 1111 1111", True),
        ("card 4111 1111 1111 1112", False),
        ("2026-11-02T09:30:15.123456+00:00", False),
        ("Forge rollout, second stage", False),
        ("9182736455463728", False),  # a long id of a system
    ],
)
def test_secrets_are_known_by_their_check_digits(text: str, secret: bool) -> None:
    assert is_secret(text) is secret


def test_what_a_system_repeats_is_hidden_by_the_rules_of_every_entity() -> None:
    values = {
        "mobile_phone": "+49 30 123456", "name": "Vulcan Industries", "payer": {"email": CANARY},
        "notes": ["DE89 3704 0044 0532 0130 00"],
    }  # fmt: skip
    said = f"Vulcan Industries: +49 30 123456, {CANARY} and DE89 3704 0044 0532 0130 00 are refused"

    assert RULES.hide_text(said, values) == f"Vulcan Industries: {MASK}, {MASK} and {MASK} are refused"


def test_what_hides_nothing_is_handed_on_as_it_is() -> None:
    diff = {"name": ["Forge", "Forge rollout"], "total": [None, {"amount": 5, "currency": "EUR"}]}

    assert RULES.hide_diff("project", diff) is diff


def seed() -> None:
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("people", "p1", name="Vera Vulcan", email=CANARY, company="c1")
    crm.put("deals", "d1", name="Forge rollout", stage="won", company="c1", close_date="2026-10-01")


def hide(actor: Actor, now: Any, *fields: str, keeps_payloads: bool = True) -> None:
    update_log_settings(actor=actor, now=now, hidden_fields=fields, keeps_payloads=keeps_payloads, days={})


def log_tables() -> str:
    """Everything the log holds, as text."""
    with connection.cursor() as cursor:
        found = []
        for table in (
            "sync_recordlog",
            "sync_recordpayload",
            "sync_vendorcall",
            "sync_recordfailure",
            "sync_writeintent",
        ):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            found.append(cursor.fetchone()[0] or "")
    return " ".join(found)


def test_without_a_rule_the_value_is_in_the_log(deploy: Any, now: Any) -> None:
    seed()
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert CANARY in log_tables()


def test_a_hidden_value_appears_nowhere(deploy: Any, owner: User, owner_actor: Actor, now: Any) -> None:
    seed()
    hide(owner_actor, now, "email")
    run_flow(flow_of(deploy("opportunity-to-project")), now)
    log = RecordLog.objects.get(entity="contact", direction="read")
    _, key = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=["runs.view", "payloads.view"])
    browser = Browser()
    browser.force_login(owner)

    page = browser.get(f"/manage/runs/records/{log.pk}/").content.decode()
    run_page = browser.get(f"/manage/runs/{log.run_id}/").content.decode()
    answer = Browser(authorization=f"Bearer {key}").get(f"/api/v1/log/records/{log.pk}").json()
    later = now + timedelta(minutes=1)
    export = start_export(actor=owner_actor, now=later, kind="records", format="jsonl", asked=LogFilters())
    make_export(export_id=export.pk, now=lambda: now)
    file = open_export(owner_actor, export).read().decode()

    assert log.payload.diff["email"] == [None, MASK]
    assert answer["changes"]["email"] == [None, MASK]
    assert MASK in page
    assert MASK in file
    assert [text.count(CANARY) for text in (log_tables(), page, run_page, str(answer), file)] == [0, 0, 0, 0, 0]
    assert "Vera Vulcan" in file  # what no rule names is kept


def test_the_name_of_a_record_is_hidden_as_title(deploy: Any, owner_actor: Actor, now: Any) -> None:
    seed()
    hide(owner_actor, now, "contact.title", "contact.name")
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert set(RecordLog.objects.filter(entity="contact").values_list("title", flat=True)) == {MASK}
    assert "Vera Vulcan" not in log_tables()
    assert RecordLog.objects.filter(entity="account", title="Vulcan Industries").exists()


def test_a_partner_may_keep_no_values_at_all(deploy: Any, owner_actor: Actor, now: Any) -> None:
    seed()
    hide(owner_actor, now, keeps_payloads=False)
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert RecordPayload.objects.count() == 0
    contact = RecordLog.objects.get(entity="contact", direction="read")
    assert "email" in contact.changed_fields


def test_a_connection_may_keep_no_values(
    deploy: Any, systems: dict[str, Connection], owner_actor: Actor, now: Any
) -> None:
    seed()
    keep_connection_payloads(actor=owner_actor, now=now, connection=systems["crm"], is_kept=False)
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    kept = set(RecordLog.objects.filter(payload__isnull=False).values_list("connection_id", flat=True))
    assert kept == {systems["erp"].pk, systems["delivery"].pk}
    keep_connection_payloads(actor=owner_actor, now=now, connection=systems["crm"], is_kept=True)
    vendor("crm").put("people", "p2", name="Vim", email="vim@vulcan.example", company="c1")
    run_flow(flow_of(deploy("opportunity-to-project")), now)
    assert RecordPayload.objects.filter(log__connection_id=systems["crm"].pk).exists()


def test_a_system_that_repeats_the_value_does_not_bring_it_back(
    deploy: Any, owner_actor: Actor, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed()
    hide(owner_actor, now, "name")
    taken = RecordRejected("The name Forge rollout is taken.", code="TAKEN")
    vendor("erp").refusals["Forge rollout"] = taken
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    failure = RecordFailure.objects.get()
    log = RecordLog.objects.get(action="failed")
    assert failure.message == log.error == f"The name {MASK} is taken."
    assert failure.payload["name"] == MASK
    assert log.error_class == failure.error_class == "validation"


@pytest.mark.parametrize("rule", ["*", "e mail", "a" * 81, "name;drop"])
def test_a_rule_that_names_no_field_is_refused(owner_actor: Actor, partner: object, now: Any, rule: str) -> None:
    with pytest.raises(UnableToKeepLog) as refused:
        hide(owner_actor, now, rule)

    assert refused.value.field == "hidden_fields"


def test_a_spreadsheet_is_given_no_formula(deploy: Any, owner_actor: Actor, now: Any) -> None:
    seed()
    vendor("crm").put("companies", "c1", name="=HYPERLINK(1)", domain="vulcan.example")
    run_flow(flow_of(deploy("opportunity-to-project")), now)
    later, asked = now + timedelta(minutes=1), LogFilters(entities=("account",))
    export = start_export(actor=owner_actor, now=later, kind="records", format="csv", asked=asked)
    make_export(export_id=export.pk, now=lambda: now)

    rows = list(csv.DictReader(io.StringIO(open_export(owner_actor, export).read().decode())))
    assert {row["title"] for row in rows} == {"'=HYPERLINK(1)"}
    assert LogExport.objects.get().total == len(rows)
