"""Asana's own Python SDK against our simulator: an outside judge of its wire format."""

from __future__ import annotations

import asana
import pytest
from asana.rest import ApiException

from sandbox.asana.vendor import WORKSPACE
from tests.connectors.asana.harness import AsanaHarness

pytestmark = pytest.mark.contract


@pytest.fixture
def harness(server):
    return AsanaHarness(server)


@pytest.fixture
def client(harness):
    configuration = asana.Configuration()
    configuration.host = harness.base_url
    configuration.access_token = harness.credentials(valid=True)["access_token"]
    return asana.ApiClient(configuration)


def test_the_sdk_walks_from_project_to_milestone(client):
    project = asana.ProjectsApi(client).create_project({"data": {"name": "Rollout", "workspace": WORKSPACE}}, {})
    tasks = asana.TasksApi(client)
    body = {"name": "Go-live", "projects": [project["gid"]], "resource_subtype": "milestone", "due_on": "2026-12-18"}
    made = tasks.create_task({"data": body}, {})
    tasks.update_task({"data": {"completed": True}}, made["gid"], {})

    found = tasks.get_task(made["gid"], {"opt_fields": "name,completed,due_on,resource_subtype,projects"})

    assert (found["name"], found["completed"], found["due_on"]) == ("Go-live", True, "2026-12-18")
    assert (found["resource_subtype"], found["projects"][0]["gid"]) == ("milestone", project["gid"])


def test_the_sdk_follows_the_pages(client, harness):
    seeded = harness.seed("tasks", 5)
    project = harness.known("projects")

    found = asana.TasksApi(client).get_tasks({"project": project, "limit": 2, "opt_fields": "name"})

    assert [task["gid"] for task in found] == seeded


def test_the_sdk_understands_refusals(client):
    with pytest.raises(ApiException) as caught:
        asana.TasksApi(client).get_task("404", {})

    assert caught.value.status == 404
    assert b"Unknown object" in caught.value.body
