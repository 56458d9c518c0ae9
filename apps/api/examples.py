"""A body for each request, as a reader of the description would send it, by the name of its serializer."""

from __future__ import annotations

from typing import Any

EVENTS = ["sync.run.finished", "billing.invoice.opened"]
TEMPLATE = """key: custom-deals
version: 1.1.0
name: Deals become projects
summary: Sets up a project for every deal that is won.
documentation: Every deal that is won becomes a project in the ERP.
roles:
  crm: {domain: crm, label: CRM}
  erp: {domain: erp, label: ERP}
flows:
  - key: projects
    name: Projects
    description: Sets up a project for every deal that is won.
    triggers: [{every: 300}, {manual: true}, {api: true}]
    reads:
      - {role: crm, entity: account}
      - {role: crm, entity: opportunity}
    rules:
      - on: opportunity
        when: record.stage == "won"
        derive: project
        as: project
        fields: {name: record.name, status: '"open"'}
        refs: {account: account, opportunity: self}
      - {on: project, when: refs.opportunity != null, write: {role: erp, ensure: [account]}}
"""
CONFIGURATION = """kind: customer
customer: lakeside
environment: production
integrations:
  - name: Opportunity to project
    template: opportunity-to-project
    version: 1.0.0
    status: live
    systems: {crm: HubSpot, erp: Tryton, delivery: Redmine}
    settings: {first_task: Kick-off}
"""
RULE = {
    "name": "Won deal without an invoice",
    "entity": "opportunity",
    "condition": 'record.stage == "won"',
    "expectation": "project.opportunity/invoice.project",
    "within_days": 30,
    "counted_from": "close_date",
    "amount": "record.amount",
    "solver": "partner",
    "description": "A deal was won, and nothing of it was invoiced within a month.",
    "next_step": "See whether its project has approved hours.",
}


def an_id(prefix: str, last: int = 7) -> str:
    return f"{prefix}_019aa5c2d3e47f8090a1b2c3d4e5f6{last:02x}"


EXAMPLES: dict[str, Any] = {
    "ApplyInput": {"yaml": CONFIGURATION, "with_removals": False},
    "AnswerInput": {"answer": "same", "take": ["phone"]},
    "AssignExceptionInput": {"assignee": "sam@partner.example"},
    "AssignInput": {"assignee": "sam@partner.example"},
    "CarryOutInput": {"prefers_joining": False},
    "CommentInput": {"text": "Asked the customer for the missing e-mail address."},
    "ConfigurationInput": {"yaml": CONFIGURATION},
    "ConnectionInput": {
        "customer": an_id("cus"),
        "environment": "production",
        "vendor": "hubspot",
        "name": "HubSpot",
        "settings": {},
        "secrets": {"access_token": "pat-eu1-…"},
    },
    "ConnectLinkInput": {"email": "it@lakeside.example", "message": "Sign in as an administrator, please."},
    "ConnectorNoteInput": {"note": "Reads invoices as well."},
    "ConnectorVersionInput": {"version": 3},
    "CustomerChange": {"contact_name": "Ada Ames", "contact_email": "ada@lakeside.example"},
    "CustomerInput": {
        "name": "Lakeside",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "contact_name": "Ada Ames",
        "contact_email": "ada@lakeside.example",
    },
    "DraftInput": {"yaml": TEMPLATE, "note": "Projects begin on the day the deal was won."},
    "EditInput": {"version": 4, "values": {"email": "ada@lakeside.example"}},
    "EndpointChange": {"events": EVENTS, "description": "Goes to the data warehouse."},
    "EndpointInput": {"url": "https://partner.example/hooks", "events": EVENTS, "description": "Data warehouse"},
    "ForkInput": {"key": "custom-deals", "name": "Deals become projects"},
    "IgnoreExceptionInput": {"reason": "Agreed with the customer: billed at the end of the project."},
    "IgnoreInput": {"reason": "A test record that nobody needs."},
    "KeptPayloadsSerializer": {"keeps_payloads": False},
    "LogExportInput": {
        "kind": "records",
        "format": "csv",
        "customers": [an_id("cus")],
        "error_classes": ["validation"],
        "since": "2026-11-01T00:00:00Z",
    },
    "MappingChangeSerializer": {
        "role": "crm",
        "direction": "read",
        "object": "companies",
        "changes": {"phone": "trim(record.phone)"},
    },
    "OAuthAppInput": {"client_id": "8f2c1d", "client_secret": "…", "webhook_secret": "…"},
    "PaymentInput": {
        "amount": 125000,
        "paid_on": "2026-11-20",
        "method": "bank_transfer",
        "reference": "Statement 47",
    },
    "PublicationSerializer": {"note": "Phones without spaces", "accepted": False},
    "ReasonInput": {"reason": "Checked against the order."},
    "ReplayInput": {"statuses": ["failed"], "since": "2026-11-20T00:00:00Z"},
    "RestoreInput": {"number": 3},
    "RetryInput": {"customer": an_id("cus"), "error_class": "validation"},
    "RolloutInput": {
        "template_version": an_id("tpv"),
        "integrations": [an_id("itg", 1), an_id("itg", 2)],
        "stages": [1],
        "answers": {an_id("itg", 2): {"cost_center": "4711"}},
    },
    "RotateInput": {"overlap_hours": 24},
    "RuleChange": {"within_days": 21, "is_enabled": True},
    "RuleInput": RULE,
    "RunInput": {"flow": an_id("flw"), "read": "period", "first_day": "2026-11-01", "last_day": "2026-11-15"},
    "RunLimitsSerializer": {"per_customer": 4, "max_failed_percent": 20},
    "SnoozeExceptionInput": {"until": "2026-12-01T08:00:00Z"},
    "SnoozeInput": {"until": "2026-12-01T08:00:00Z"},
    "TemplateInput": {"yaml": TEMPLATE},
    "TemplateReasonInput": {"reason": "Replaced by version 2."},
    "WaveChange": {"goal": "Invoices and payments", "cut_over_on": "2026-12-08"},
}
