"""Real answers of a Jira site: the connector reads and maps them, and the simulator says nothing Jira would not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.jira import CONNECTOR
from apps.connectors.vendors.jira.streams import IssueStream, ProjectStream, UserStream
from apps.connectors.vendors.jira.worklogs import record as worklog_record
from tests.connectors.delivery import mapped
from tests.connectors.jira.harness import JiraHarness
from tests.contract.recordings import load, matching

pytestmark = pytest.mark.contract

PATHS = {
    "issues": r"^.*/rest/api/3/(search/jql|issue/KAN-2$)",
    "projects": r"^.*/rest/api/3/project/(search|\d+$)",
    "users": r"^.*/rest/api/3/(users/search|user$|myself|user/search)",
    "worklogs": r"^.*/rest/api/3/issue/[\w-]+/(worklog)",
}
# Objects mapped per stream; the users leave out 77 apps.
EXPECTED = {"issues": 17, "projects": 4, "users": 5, "worklogs": 8}


@pytest.fixture
def jira() -> Any:
    context = ConnectionContext(
        settings={"base_url": "https://customer.atlassian.net", "email": "a@b.test"},
        credentials={"api_token": "t"},
        now=lambda: datetime.now(UTC),
    )
    return CONNECTOR(context)


def items(response: Any) -> list[dict[str, Any]]:
    """The objects of a list, however it is wrapped, or the one object."""
    if isinstance(response, list):
        return response
    if not isinstance(response, dict):
        return []
    for name in ("issues", "values", "worklogs"):
        if name in response:
            return response[name]
    return [response]


def test_every_recorded_object_is_parsed_and_mapped(evidence, jira, figures):
    parse = {
        "issues": IssueStream(jira).record,
        "projects": ProjectStream(jira).record,
        "users": UserStream(jira).record,
        "worklogs": lambda item: worklog_record(item, "10000"),
    }
    recordings = load(evidence, "jira")
    counts = {}
    exchanges = 0
    for name, pattern in PATHS.items():
        found = [recording for recording, _ in matching(recordings, pattern)]
        exchanges += len(found)
        listed = [item for recording in found for item in items(recording.response)]
        people = [item for item in listed if name != "users" or item["accountType"] == "atlassian"]
        fields = [mapped(jira, name, parse[name](item)) for item in people]
        counts[name] = len(fields)
        if name == "issues":
            assert {entry["status"] for entry in fields} == {"open"}
            assert all(entry["refs"]["project"] == "10000" for entry in fields)
        if name == "worklogs":
            assert {entry["work_date"] for entry in fields} == {"2024-01-15"}
    figures.append(f"jira: {exchanges} recorded exchanges parsed, {sum(counts.values())} objects mapped")
    assert counts == EXPECTED


def test_the_simulator_invents_no_field(evidence, server):
    """Names of fields at the top of each object, and of an issue's fields."""
    recordings = load(evidence, "jira")
    harness = JiraHarness(server)
    harness.seed("worklogs", 1)
    for name, pattern in PATHS.items():
        known = {
            key for recording, _ in matching(recordings, pattern) for item in items(recording.response) for key in item
        }
        shown = {key for item in harness.control.objects(name) for key in item}
        assert shown - known <= {"archived", "deleted"}, name
    real = [item["fields"] for r, _ in matching(recordings, PATHS["issues"]) for item in items(r.response)]
    simulated = harness.control.objects("issues")[0]["fields"]
    assert set(simulated) <= {key for fields in real for key in fields}
    category = real[0]["status"]["statusCategory"]
    assert set(simulated["status"]["statusCategory"]) <= set(category)
    assert simulated["created"][-5:].lstrip("+").isdigit()
