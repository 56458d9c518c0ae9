"""Own templates: forked, written, looked over, published, deprecated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion, VersionStatus
from apps.flows.selectors import list_templates, newer_version, template_versions
from apps.flows.services import (
    UnableToDeployIntegration,
    UnableToRelease,
    UnableToWriteTemplate,
    create_template,
    deploy_integration,
    deprecate_template,
    discard_template_draft,
    fork_template,
    load_templates,
    open_template_draft,
    publish_template,
    return_template,
    revive_template,
    save_template_draft,
    set_release_rules,
    submit_template,
)
from apps.flows.services.templates import LIBRARY, TemplateKeyTaken
from apps.flows.sources import as_source, next_number, read_document, read_template_source

KEY = "custom-deals"


@pytest.fixture
def shipped(partner, now):
    load_templates(now=now)
    return IntegrationTemplateVersion.objects.get(template__key="opportunity-to-project")


@pytest.fixture
def draft(shipped, owner_actor, now):
    return fork_template(actor=owner_actor, now=now, version=shipped, key=KEY, name="Deals: our way")


@pytest.fixture
def colleague(owner_actor) -> Actor:
    return replace(owner_actor, id="colleague", label="Carl Colleague")


def rewritten(version, *pairs, number=""):
    text = version.source.replace("version: 1.0.0", f'version: "{number}"') if number else version.source
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after, 1)
    return text


def test_a_fork_keeps_the_text_and_its_comments_under_its_own_key(shipped, draft):
    assert (draft.template.key, draft.template.name, draft.number) == (KEY, "Deals: our way", "1.0.0")
    assert (draft.template.is_own, draft.template.forked_from, draft.status) == (True, shipped, "draft")
    assert draft.source.splitlines()[:3] == ["key: custom-deals", "version: 1.0.0", "name: 'Deals: our way'"]
    assert draft.source.splitlines()[3:] == shipped.source.splitlines()[3:]
    assert draft.definition["flows"] == shipped.definition["flows"]


@pytest.mark.parametrize(
    "key, name, field",
    [("deals", "A", "key"), ("custom-Ä", "A", "key"), (KEY, "", "name"), ("custom-", "x" * 121, "name")],
)
def test_a_fork_needs_a_key_of_its_own_and_a_name(shipped, owner_actor, now, key, name, field):
    with pytest.raises(UnableToWriteTemplate) as raised:
        fork_template(actor=owner_actor, now=now, version=shipped, key=key, name=name)

    assert raised.value.field == field
    assert IntegrationTemplate.objects.filter(is_own=True).count() == 0


def test_a_key_is_given_once(shipped, draft, owner_actor, now):
    with pytest.raises(UnableToWriteTemplate, match="already"):
        fork_template(actor=owner_actor, now=now, version=shipped, key=KEY, name="Again")


MISTAKES = [
    (
        "role: crm, entity: contact",
        "role: hr, entity: contact",
        "Line 36, flow won-opportunities, read 3: Unknown role 'hr'.",
    ),
    (
        "when: record.stage",
        "whn: record.stage",
        "Line 40, flow won-opportunities, rule 1: Object contains unknown field `whn`.",
    ),
    ("as: provisioned", "as: 5", "Line 42, flow won-opportunities, rule 1: Expected `str`, got `int` (in as)."),
    (
        "budget: record.amount",
        "budget: record.amount +",
        "Line 46, flow won-opportunities, rule 1 (on opportunity): Budget:",
    ),
    ("version: 1.0.0", "version: one", 'Line 2, version: A version is like "1.2.0".'),
    ("key: custom-deals", "key: custom-other", "The key of this template is custom-deals; it stays."),
    ("flows:", "flows: &a [*a]\nothers:", "aliases are not used here"),
    ("summary:", "summary: twice\nsummary:", "Line 5: This is not YAML: summary is given twice."),
    ("documentation: |", "documentation: |\n x\n\tbad", "This is not YAML"),
]


@pytest.mark.parametrize("before, after, message", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_nothing_is_saved(draft, owner_actor, now, before, after, message):
    with pytest.raises(UnableToWriteTemplate) as raised:
        save_template_draft(actor=owner_actor, now=now, version=draft, source=rewritten(draft, (before, after)))

    assert message in raised.value.user_message
    assert raised.value.field == "source"
    assert IntegrationTemplateVersion.objects.get(pk=draft.pk).source == draft.source


def test_a_draft_is_written_published_and_then_stays(draft, owner_actor, now):
    source = rewritten(draft, ("default: Kick-off", "default: Begin"), ("A won deal", "Every won deal"))
    saved = save_template_draft(actor=owner_actor, now=now, version=draft, source=source, note="  First task ")
    published = publish_template(actor=owner_actor, now=now, version=saved)

    assert (published.status, published.released_at, published.note) == ("published", now, "First task")
    assert published.definition["settings"][1]["default"] == "Begin"
    assert IntegrationTemplate.objects.get(key=KEY).summary.startswith("Every won deal")
    assert KEY in [version.template.key for version in list_templates()]
    with pytest.raises(UnableToRelease, match="published"):
        save_template_draft(actor=owner_actor, now=now, version=published, source=source)
    assert list(AuditEvent.objects.filter(target_key=f"template:{draft.template_id}").order_by("at", "id").values_list("action", flat=True)) == [
        "template.written", "template.written", "template.published",
    ]  # fmt: skip


def test_the_next_version_takes_over_from_the_one_before(draft, owner_actor, now):
    publish_template(actor=owner_actor, now=now, version=draft)
    following = open_template_draft(actor=owner_actor, now=now, version=draft)
    again = open_template_draft(actor=owner_actor, now=now, version=draft)

    assert (following.number, following.status, again.pk) == ("1.1.0", "draft", following.pk)
    with pytest.raises(UnableToWriteTemplate, match=r"above 1\.0\.0"):
        save_template_draft(
            actor=owner_actor, now=now, version=following, source=following.source.replace("1.1.0", "0.9.0")
        )
    assert [version.number for version in list_templates() if version.template.key == KEY] == ["1.0.0"]
    publish_template(actor=owner_actor, now=now, version=following)
    assert [version.number for version in list_templates() if version.template.key == KEY] == ["1.1.0"]
    assert [version.number for version in template_versions(draft.template)] == ["1.1.0", "1.0.0"]


def test_numbers_are_counted_not_spelled():
    assert [next_number(number) for number in ("1", "1.9.4", "2.10")] == ["1.1.0", "1.10.0", "2.11.0"]


def test_with_the_rule_somebody_else_publishes(draft, owner_actor, colleague, now):
    set_release_rules(actor=owner_actor, now=now, requires_review=True)

    with pytest.raises(UnableToRelease, match="review first"):
        publish_template(actor=colleague, now=now, version=draft)
    submit_template(actor=owner_actor, now=now, version=draft)
    with pytest.raises(UnableToRelease, match="yourself"):
        publish_template(actor=owner_actor, now=now, version=draft)
    with pytest.raises(UnableToRelease, match="in review"):
        save_template_draft(actor=owner_actor, now=now, version=draft, source=draft.source)
    back = return_template(actor=colleague, now=now, version=draft, reason="Name the first task.")
    assert (back.status, back.review_note, back.reviewer_label) == ("draft", "Name the first task.", "Carl Colleague")
    submit_template(actor=owner_actor, now=now, version=draft)
    key = replace(colleague, kind=ActorKind.API_KEY, id="key")
    with pytest.raises(UnableToRelease, match="A person"):
        publish_template(actor=key, now=now, version=draft)
    published = publish_template(actor=colleague, now=now, version=draft)
    assert (published.status, published.author_label, published.reviewer_label) == (
        "published", "Olive Owner", "Carl Colleague",
    )  # fmt: skip


def test_a_deprecated_version_is_deployed_no_more_and_what_is_deployed_stays(
    deploy, systems, environment, owner_actor, now
):
    integration = deploy("opportunity-to-project")
    version = integration.template_version
    deprecate_template(actor=owner_actor, now=now, version=version, reason="Use the new one.")

    with pytest.raises(UnableToDeployIntegration, match=r"1\.0\.0 of this template is deprecated"):
        deploy("opportunity-to-project")
    assert "opportunity-to-project" not in [found.template.key for found in list_templates()]
    integration.refresh_from_db()
    assert (integration.status, integration.template_version.deprecation_reason) == ("draft", "Use the new one.")
    revive_template(actor=owner_actor, now=now, version=version)
    assert deploy("opportunity-to-project").template_version_id == version.pk


def test_a_draft_is_not_deployed(draft, environment, owner_actor, now):
    with pytest.raises(UnableToDeployIntegration, match="draft"):
        deploy_integration(
            actor=owner_actor,
            now=now,
            environment=environment,
            template_version=draft,
            name="",
            bindings={},
            settings={},
        )


def test_an_integration_is_told_of_a_newer_version(draft, systems, environment, owner_actor, now):
    published = publish_template(actor=owner_actor, now=now, version=draft)
    integration = deploy_integration(
        actor=owner_actor, now=now, environment=environment, template_version=published, name="", settings={},
        bindings={role: systems[role] for role in ("crm", "erp", "delivery")},
    )  # fmt: skip

    assert newer_version(integration) is None
    following = open_template_draft(actor=owner_actor, now=now, version=draft)
    assert newer_version(integration) is None
    publish_template(actor=owner_actor, now=now, version=following)
    assert newer_version(integration) == following


def test_a_discarded_first_draft_takes_its_template_along(draft, owner_actor, now):
    discard_template_draft(actor=owner_actor, now=now, version=draft)

    assert IntegrationTemplate.objects.filter(key=KEY).count() == 0


def test_shipped_templates_are_not_edited(shipped, owner_actor, now):
    with pytest.raises(UnableToRelease, match="Fork it"):
        open_template_draft(actor=owner_actor, now=now, version=shipped)
    with pytest.raises(UnableToRelease, match="published"):
        discard_template_draft(actor=owner_actor, now=now, version=shipped)


def test_templates_are_the_partners_own_peoples_matter(shipped, owner_actor, now, environment):
    bound = replace(owner_actor, scope=frozenset({environment.customer_id}))
    viewer = replace(owner_actor, permissions=frozenset({"integrations.view"}))

    for actor in (bound, viewer):
        with pytest.raises(NotPermitted):
            fork_template(actor=actor, now=now, version=shipped, key=KEY, name="Mine")


def test_a_template_from_a_text_begins_as_a_draft(draft, owner_actor, now):
    made = create_template(actor=owner_actor, now=now, source=draft.source.replace(KEY, "custom-second"))

    assert (made.template.key, made.template.forked_from, made.status) == ("custom-second", None, VersionStatus.DRAFT)
    with pytest.raises(UnableToWriteTemplate, match="begin with custom-"):
        create_template(actor=owner_actor, now=now, source=draft.source.replace(KEY, "second"))


def test_a_file_with_a_higher_version_adds_it_and_keeps_the_earlier_one(shipped, now, tmp_path):
    text = (LIBRARY / "opportunity-to-project.yaml").read_text()
    for number in ("1.10.0", "1.9.0"):
        (tmp_path / f"{number}.yaml").write_text(
            text.replace('"1.0.0"', f'"{number}"').replace("A won", f"{number} - a won")
        )

    load_templates(now=now + timedelta(days=9), library=tmp_path)

    assert [version.number for version in template_versions(shipped.template)] == ["1.10.0", "1.9.0", "1.0.0"]
    newest = next(version for version in list_templates() if version.template_id == shipped.template_id)
    assert (newest.number, newest.template.summary[:13]) == ("1.10.0", "1.10.0 - a wo")
    assert IntegrationTemplateVersion.objects.get(pk=shipped.pk).definition["version"] == "1.0.0"


def test_a_shipped_file_never_takes_over_a_partners_own(draft, now, tmp_path):
    (tmp_path / "taken.yaml").write_text(draft.source)

    with pytest.raises(TemplateKeyTaken):
        load_templates(now=now, library=tmp_path)


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_data_written_as_text_is_read_back_as_the_same(path):
    data, _ = read_template_source(path.read_text())

    assert read_document(as_source(data)).data == data
