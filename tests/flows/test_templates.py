from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from apps.connectors.registry import get_manifest
from apps.flows.binding import sink_of, stream_of
from apps.flows.definition import InvalidDefinition, parse_template
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.selectors import list_templates
from apps.flows.services import TemplateChanged, load_templates
from apps.flows.services.templates import LIBRARY, read_template

VENDORS = {"crm": ["hubspot"], "erp": ["tryton"], "delivery": ["redmine"], "billing": ["xero", "tryton"]}
# Where not every connector of a domain has the objects, those that have.
PLAYERS = {
    ("expense-to-invoice", "delivery"): ["harvest", "connectwise"],
    ("installment-billing", "crm"): ["salesforce"],
    ("milestone-billing", "delivery"): ["redmine", "jira", "asana"],
    ("payments-to-erp", "erp"): ["tryton", "odoo", "netsuite", "business_central"],
    ("pipeline-to-erp", "crm"): ["hubspot", "salesforce", "bottlecrm", "pipedrive"],
    ("pipeline-to-erp", "erp"): ["tryton", "odoo", "netsuite", "business_central"],
    ("project-structure", "delivery"): ["redmine", "jira", "asana", "harvest", "connectwise"],
    ("project-structure", "erp"): ["tryton", "odoo", "netsuite"],
    ("revenue-recognition", "delivery"): ["redmine", "jira", "harvest", "connectwise"],
    ("quote-to-contract", "crm"): ["hubspot", "salesforce", "bottlecrm"],
    ("renewal-readiness", "billing"): ["stripe_billing", "chargebee"],
    ("resource-and-assignment-sync", "delivery"): ["redmine", "harvest"],
    ("resource-and-assignment-sync", "planning"): ["redmine", "asana", "connectwise", "jira"],
    ("retainers-and-subscriptions", "billing"): ["stripe_billing", "chargebee"],
    ("usage-billing", "billing"): ["stripe_billing", "chargebee"],
}
TEMPLATES = {path.stem: read_template(path) for path in sorted(LIBRARY.glob("*.yaml"))}


def test_the_library_is_loaded_once(partner, now):
    load_templates(now=now)
    load_templates(now=now + timedelta(days=1))

    assert [version.template.name for version in list_templates()] == sorted(
        data["name"] for data in TEMPLATES.values()
    )  # fmt: skip
    assert len(TEMPLATES) == 19
    assert set(IntegrationTemplateVersion.objects.values_list("released_at", flat=True)) == {now}


def test_an_edited_release_is_refused(partner, now):
    load_templates(now=now)
    version = IntegrationTemplateVersion.objects.get(template__key="payment-status")
    version.definition = {**version.definition, "summary": "Edited"}
    version.save()

    with pytest.raises(TemplateChanged):
        load_templates(now=now)
    assert IntegrationTemplate.objects.count() == len(TEMPLATES)


def players(template, role):
    return PLAYERS.get((template.key, role), VENDORS[template.roles[role].domain])


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_shipped_connector_can_play_its_role(key):
    template = parse_template(TEMPLATES[key])

    bound = 0
    for flow in template.flows:
        for read in flow.reads:
            for name in players(template, read.role):
                if read.optional and read.entity not in {stream.entity for stream in get_manifest(name).streams}:
                    continue
                assert stream_of(get_manifest(name), read).entity == read.entity
                bound += 1
        for rule in flow.rules:
            for name in players(template, rule.write.role) if rule.write else []:
                if rule.write.optional and rule.on not in {sink.entity for sink in get_manifest(name).sinks}:
                    continue
                assert sink_of(get_manifest(name), rule.write, rule.on).entity == rule.on
                bound += 1
    assert bound >= 5


def broken(change):
    data = copy.deepcopy(TEMPLATES["opportunity-to-project"])
    change(data["flows"][0])
    return data


MISTAKES = [
    ("unknown role", lambda f: f["reads"].append({"role": "hr", "entity": "account"}), "unknown role 'hr'"),
    ("unknown entity", lambda f: f["rules"].append({"on": "car", "derive": "task", "as": "x"}), "unknown entity 'car'"),
    ("misspelled key", lambda f: f["rules"][0].update(whn="true"), "Object contains unknown field `whn`"),
    ("unknown function", lambda f: f["rules"][0].update(when="shout(record.name)"), "unknown function 'shout'"),
    ("derive without name", lambda f: f["rules"][0].pop("as"), "a derived record needs a name"),
    ("two actions", lambda f: f["rules"][0].update(write={"role": "erp"}), "exactly one of derive, update, write"),
    ("no such reference", lambda f: f["rules"][0]["refs"].update(task="self"), "project has no such reference"),
    (
        "a dead end", lambda f: f["rules"][0]["refs"].update(account="account.boss"),
        "account.boss does not lead from opportunity to account",
    ),
    (
        "a summary from afar",
        lambda f: f["rules"][0].update(gather="true", per=["account"], refs={"account": "contact.account"}),
        "takes references of its own records alone",
    ),
    (
        "wrong way", lambda f: f["rules"].append({"on": "invoice", "via": ["account"], "update": "opportunity"}),
        "via does not lead from invoice to opportunity",
    ),
    ("no such field", lambda f: f.update(conflicts={"account": {"color": {}}}), "account has no field 'color'"),
    ("no such policy", lambda f: f.update(conflicts={"account": {"*": {"policy": "fight"}}}), "unknown policy 'fight'"),
    (
        "owner without role", lambda f: f.update(conflicts={"account": {"*": {"policy": "system_of_record"}}}),
        "system_of_record names a role",
    ),
    ("no such deletion", lambda f: f.update(deletes={"account": "burn"}), "unknown policy 'burn'"),
    ("written twice", lambda f: f["rules"].append({"on": "account", "write": {"role": "erp"}}), "written twice to erp"),
]  # fmt: skip


@pytest.mark.parametrize("case, change, message", MISTAKES)
def test_mistakes_in_a_template_are_named(case, change, message):
    with pytest.raises(InvalidDefinition, match=message.replace("(", r"\(")):
        parse_template(broken(change))
