"""The `jira` library against our simulator: an outside judge of its wire format."""

from __future__ import annotations

import pytest
from jira import JIRA
from jira.exceptions import JIRAError

from tests.connectors.jira.harness import JiraHarness

pytestmark = pytest.mark.contract


@pytest.fixture
def harness(server):
    return JiraHarness(server)


@pytest.fixture
def site(harness):
    token = harness.credentials(valid=True)["api_token"]
    return JIRA(
        server=harness.base_url,
        basic_auth=("sync@example.org", token),
        max_retries=0,
        options={"rest_api_version": "3"},
    )


def test_the_library_walks_from_project_to_worklog(site, harness):
    project = site.project(harness.known("projects"))
    version = site.create_version("1.0", project.key, releaseDate="2026-12-18")
    issue = site.create_issue(
        fields={"project": {"id": project.id}, "issuetype": {"name": "Task"}, "summary": "Migrate"}
    )
    site.transition_issue(issue, "31")
    worklog = site.add_worklog(issue.id, timeSpentSeconds=3600)

    found = site.issue(issue.key)
    assert (found.fields.summary, found.fields.status.name) == ("Migrate", "Done")
    assert (version.name, version.releaseDate) == ("1.0", "2026-12-18")
    assert (worklog.timeSpentSeconds, worklog.issueId) == (3600, issue.id)
    assert [entry.id for entry in site.worklogs(issue.id)] == [worklog.id]


def test_the_library_pages_through_a_search(site, harness):
    seeded = harness.seed("issues", 5)

    found = site.enhanced_search_issues('updated >= "2020-01-01 00:00"', maxResults=2, fields="summary")
    rest = site.enhanced_search_issues(
        'updated >= "2020-01-01 00:00"', nextPageToken=found.nextPageToken, maxResults=10, fields="summary"
    )

    assert [issue.id for issue in (*found, *rest)] == seeded


def test_the_library_understands_refusals(site, harness):
    with pytest.raises(JIRAError) as caught:
        site.create_issue(fields={"project": {"id": "1"}, "issuetype": {"name": "Task"}, "summary": "x"})

    assert caught.value.status_code == 400
    assert "Specify a valid project" in caught.value.text
