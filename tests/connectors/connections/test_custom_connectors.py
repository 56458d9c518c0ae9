"""Connectors that the partner writes down: drafts, versions, trials, and what connections use."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from apps.connectors.models import Connection, ConnectionStatus, CustomConnector
from apps.connectors.registry import UnknownVendor, forget_custom, get_manifest, get_offered, list_manifests
from apps.connectors.services import (
    UnableToConnect,
    UnableToDefine,
    archive_connection,
    archive_connector,
    check_connection,
    create_connection,
    create_custom_connector,
    publish_connector,
    restore_version,
    save_draft,
    try_definition,
)
from apps.connectors.services.custom_connectors import MappedSample
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, NotPermitted
from apps.customers.models import Environment
from sandbox.testing import RunningSandbox

SOURCE = Path("docs/examples/connectors/kimai.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def fresh(partner: object) -> None:
    """Processes remember for seconds what is published; no commit happens here that would make them forget."""
    forget_custom("custom-kimai")


@pytest.fixture
def kimai(partner: object, owner_actor: Actor, now: datetime) -> CustomConnector:
    return create_custom_connector(actor=owner_actor, now=now, source=SOURCE)


@pytest.fixture
def server(sandbox: RunningSandbox) -> str:
    """A Kimai server with two customers; its token is good-token-1234."""
    control = sandbox.control("kimai", "trial")
    control.reset()
    control.credentials(api_key="good-token-1234")
    for name in ("Initech", "Hooli"):
        control.create("customers", {"name": name, "country": "DE", "currency": "EUR", "timezone": "Europe/Berlin"})
    return sandbox.base_url("kimai", "trial")


def published(actor: Actor, now: datetime, connector: CustomConnector) -> CustomConnector:
    publish_connector(actor=actor, now=now, connector=connector)
    forget_custom(connector.key)
    connector.refresh_from_db()
    return connector


def test_a_draft_is_nobodys_until_it_is_published(kimai: CustomConnector, owner_actor: Actor, now: datetime) -> None:
    assert (kimai.key, kimai.name) == ("custom-kimai", "Kimai")
    with pytest.raises(UnknownVendor):
        get_manifest("custom-kimai")

    published(owner_actor, now, kimai)

    assert get_manifest("custom-kimai").stream("timesheets").entity == "time_entry"
    assert "custom-kimai" in [manifest.key for manifest in list_manifests()]


def test_a_new_version_is_used_at_once_and_an_old_one_comes_back(
    kimai: CustomConnector, owner_actor: Actor, now: datetime
) -> None:
    published(owner_actor, now, kimai)
    save_draft(actor=owner_actor, now=now, connector=kimai, source=SOURCE.replace("calls: 120", "calls: 7"))
    before = get_manifest("custom-kimai").rate_limit.calls
    second = publish_connector(actor=owner_actor, now=now, connector=kimai, note="slower")
    forget_custom(kimai.key)
    after = get_manifest("custom-kimai").rate_limit.calls
    first = kimai.versions.get(number=1)
    restored = restore_version(actor=owner_actor, now=now, connector=kimai, version=first)

    assert (before, after) == (120, 7)
    assert (second.number, second.note) == (2, "slower")
    assert (restored.draft, get_manifest("custom-kimai").rate_limit.calls) == (SOURCE, 7)


def test_connections_work_with_it(
    kimai: CustomConnector, owner_actor: Actor, now: datetime, environment: Environment, server: str
) -> None:
    published(owner_actor, now, kimai)
    given = {"environment": environment, "vendor": "custom-kimai", "settings": {"base_url": server}}

    with pytest.raises(UnableToConnect, match="refused these credentials"):
        create_connection(actor=owner_actor, now=now, name="Time", secrets={"api_key": "wrong-token-99"}, **given)  # type: ignore[arg-type]
    made = create_connection(actor=owner_actor, now=now, name="Time", secrets={"api_key": "good-token-1234"}, **given)  # type: ignore[arg-type]

    assert (made.status, made.account_name) == (ConnectionStatus.ACTIVE, "robot")
    assert check_connection(actor=owner_actor, now=now, connection=made).status == ConnectionStatus.ACTIVE


def test_what_connections_rely_on_cannot_vanish(
    kimai: CustomConnector, owner_actor: Actor, now: datetime, environment: Environment, server: str
) -> None:
    published(owner_actor, now, kimai)
    create_connection(
        actor=owner_actor, now=now, environment=environment, vendor="custom-kimai", name="Time",
        settings={"base_url": server}, secrets={"api_key": "good-token-1234"},
    )  # fmt: skip
    head, _, _ = SOURCE.partition("  - name: timesheets")
    save_draft(actor=owner_actor, now=now, connector=kimai, source=head)

    with pytest.raises(Conflict, match="rely on “timesheets”"):
        publish_connector(actor=owner_actor, now=now, connector=kimai)
    with pytest.raises(Conflict, match="1 connection uses it"):
        archive_connector(actor=owner_actor, now=now, connector=kimai)
    Connection.objects.update(archived_at=now)
    assert publish_connector(actor=owner_actor, now=now, connector=kimai).number == 2


def test_an_archived_connector_takes_no_new_connections_and_keeps_its_history(
    kimai: CustomConnector, owner_actor: Actor, now: datetime, environment: Environment, server: str
) -> None:
    published(owner_actor, now, kimai)
    given = {
        "environment": environment, "vendor": "custom-kimai", "settings": {"base_url": server},
        "secrets": {"api_key": "good-token-1234"},
    }  # fmt: skip
    made = create_connection(actor=owner_actor, now=now, name="Time", **given)  # type: ignore[arg-type]
    archive_connection(actor=owner_actor, now=now, connection=made)
    archive_connector(actor=owner_actor, now=now, connector=kimai)

    with pytest.raises(UnableToConnect, match="Choose one of the systems in the catalogue"):
        create_connection(actor=owner_actor, now=now, name="Again", **given)  # type: ignore[arg-type]
    with pytest.raises(UnknownVendor):
        get_offered("custom-kimai")
    assert "custom-kimai" not in {manifest.key for manifest in list_manifests()}
    assert get_manifest("custom-kimai").name == "Kimai"


def test_a_trial_shows_what_is_read_and_what_it_becomes(
    partner: object, owner_actor: Actor, now: datetime, server: str
) -> None:
    trial = try_definition(
        actor=owner_actor, now=now, source=SOURCE, object_name="customers", settings={"base_url": server},
        secrets={"api_key": "good-token-1234"},
    )  # fmt: skip

    assert (trial.account, trial.problem) == ("robot", "")
    assert [sample.fields["name"] for sample in trial.samples] == ["Initech", "Hooli"]
    assert trial.samples[0].data["timezone"] == "Europe/Berlin"
    assert [(call.method, call.status) for call in trial.exchanges] == [("GET", 200), ("GET", 200)]
    assert Connection.objects.count() == 0


def test_a_trial_shows_which_records_one_refers_to(
    partner: object, owner_actor: Actor, now: datetime, sandbox: RunningSandbox, server: str
) -> None:
    control = sandbox.control("kimai", "trial")
    (customer_id, *_) = [row["id"] for row in control.objects("customers")]
    control.create("projects", {"name": "Website", "customer": customer_id})

    def tried(source: str) -> MappedSample:
        trial = try_definition(
            actor=owner_actor, now=now, source=source, object_name="projects", settings={"base_url": server},
            secrets={"api_key": "good-token-1234"},
        )  # fmt: skip
        return trial.samples[0]

    misspelled = tried(SOURCE.replace('text(get(record, \\"customer\\"))', "text(record.client)"))

    assert tried(SOURCE).refs == {"account": str(customer_id)}
    assert "client" in misspelled.problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("list: {path: /api/customers,", "list: {path: /api/customer,"), "Not Found (HTTP 404)"),
        (("list: {path: /api/customers,", "list: {path: /api/customers, records: data,"), "no list at “data”"),
    ],
)
def test_a_trial_tells_what_is_wrong(
    partner: object, owner_actor: Actor, now: datetime, server: str, change: tuple[str, str], problem: str
) -> None:
    trial = try_definition(
        actor=owner_actor, now=now, source=SOURCE.replace(*change), object_name="customers",
        settings={"base_url": server}, secrets={"api_key": "good-token-1234"},
    )  # fmt: skip

    assert problem in trial.problem
    assert "good-token-1234" not in repr(trial)


def test_a_mapping_that_fails_is_told_at_its_record(
    partner: object, owner_actor: Actor, now: datetime, server: str
) -> None:
    trial = try_definition(
        actor=owner_actor, now=now, source=SOURCE.replace("name: record.name\n      currency", "name: get(record, \"nome\")\n      currency"),
        object_name="customers", settings={"base_url": server}, secrets={"api_key": "good-token-1234"},
    )  # fmt: skip

    assert trial.samples[0].problem == "Name is missing"


def test_names_and_texts_are_checked(kimai: CustomConnector, owner_actor: Actor, now: datetime) -> None:
    with pytest.raises(UnableToDefine, match="a connector of this name"):
        create_custom_connector(actor=owner_actor, now=now, source=SOURCE)
    with pytest.raises(UnableToDefine, match="base_url: "):
        save_draft(actor=owner_actor, now=now, connector=kimai, source=SOURCE.replace("https://demo", "demo"))
    kimai.refresh_from_db()
    assert kimai.draft == SOURCE


def test_viewers_may_not(partner: object, now: datetime) -> None:
    viewer = Actor(ActorKind.USER, "1", "V", frozenset({"connections.view"}), scope=None)

    with pytest.raises(NotPermitted):
        create_custom_connector(actor=viewer, now=now, source=SOURCE)
