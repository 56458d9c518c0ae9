"""Old interfaces in the portal: listed, planned, compared, cut over and rolled back by a person with a browser."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.core.actor import system_actor
from apps.modernization.fields import FieldChoice, choices_of
from apps.modernization.models import ChecklistPoint, LegacyInterface, MigrationWave, ParallelRun
from apps.partner_portal.lists.modernization import said_row, said_value
from tests.factories.delivery import make_flow
from tests.modernization.conftest import Estate, findings, make_estate

CSV = "Invoice No,Gross amount\nI-1,10.00\n=I-2,21.00\nI-3,5.00\n"


@pytest.fixture
def estate(partner: object, now: datetime) -> Estate:
    return make_estate(system_actor(), now)


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def inventory(estate: Estate) -> str:
    return f"/manage/customers/{estate.customer.pk}/modernization/"


def page_of(interface: LegacyInterface) -> str:
    return f"/manage/modernization/interfaces/{interface.pk}/"


def test_an_empty_inventory_says_what_to_do(owner: Client, viewer: Client, estate: Estate) -> None:
    assert "No old interfaces written down" in text_of(owner, inventory(estate))
    assert "Import a list" in text_of(owner, inventory(estate))
    assert "Import a list" not in text_of(viewer, inventory(estate))


def test_interfaces_and_waves_are_added_listed_and_filtered(owner: Client, estate: Estate) -> None:
    root = inventory(estate)
    assert owner.post(f"{root}waves/add/", {"name": "Money", "cut_over_on": "2026-12-01"})["Location"] == root
    wave = MigrationWave.objects.get()
    given = {
        "name": "Nightly <b>file</b>", "kind": "file_drop", "source": "ERP", "target": "Billing", "entity": "invoice",
        "criticality": "high", "documentation": "none", "wave": str(wave.pk), "integration": str(estate.integration.pk),
    }  # fmt: skip
    refused = owner.post(f"{root}add/", {**given, "source": ""})
    made = owner.post(f"{root}add/", given)
    estate.interface("Other", integration=None)

    interface = LegacyInterface.objects.get(wave=wave)
    assert (refused.status_code, made["Location"]) == (422, page_of(interface))
    shown = text_of(owner, root)
    assert "Nightly &lt;b&gt;file&lt;/b&gt;" in shown
    assert "<strong>0</strong> of 1 cut over" in shown
    assert "Nothing replaces Other yet." in shown
    listed = owner.get(root, {"wave": str(wave.pk)}, headers={"HX-Request": "true"}).content.decode()
    assert ("Nightly" in listed, "Other" in listed, "About the plan" in listed) == (True, False, False)
    edited = owner.post(f"{page_of(interface)}edit/", {**given, "way_back": "Start the job", "depends_on": []})
    assert edited["Location"] == page_of(interface)
    assert LegacyInterface.objects.get(pk=interface.pk).way_back == "Start the job"
    assert owner.post(f"/manage/modernization/waves/{wave.pk}/remove/")["Location"] == root
    assert MigrationWave.objects.count() == 1


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(owner: Client, estate: Estate) -> None:
    root, interface = inventory(estate), estate.interface("Nightly")
    owner.post(f"{root}waves/add/", {"name": "Money"})
    wave_page = f"/manage/modernization/waves/{MigrationWave.objects.get().pk}/"

    for path, change in ((f"{page_of(interface)}edit/", {"owner": "Marta"}), (wave_page, {"goal": "One ledger"})):
        shown = owner.get(path).context["form"]
        given = {name: shown[name].value() or "" for name in shown.fields}
        assert f'value="{given["seen"]}"' in text_of(owner, path)
        told = [owner.post(path, {**given, **one}) for one in (change, {}, {"seen": ""})]
        again = owner.post(path, {**given, **change, "seen": owner.get(path).context["form"]["seen"].value()})
        assert [answer.status_code for answer in (*told, again)] == [302, 422, 302, 302]
        assert "Somebody else has changed this meanwhile" in told[1].content.decode()


def test_a_list_is_looked_at_and_then_carried_out(owner: Client, estate: Estate) -> None:
    path = f"{inventory(estate)}import/"
    text = "name,kind,source,target,wave\nNightly,script,ERP,CRM,First\n"

    looked = owner.post(path, {"file": SimpleUploadedFile("list.csv", text.encode())})
    assert ("What it changes" in looked.content.decode(), LegacyInterface.objects.count()) == (True, 0)
    broken = owner.post(path, {"source": "name,kind,source,target\nNightly,odd,ERP,CRM\n"}).content.decode()
    assert "Line 2, Nightly: Kind: Use one of" in broken
    assert "Carry this out" not in broken
    assert owner.post(path, {"source": text, "confirmed": "1"})["Location"] == inventory(estate)
    assert str(LegacyInterface.objects.get().wave) == "First"
    exported = owner.get(f"{inventory(estate)}interfaces.csv")
    assert exported.content.decode().splitlines()[1].startswith("Nightly,script,ERP,CRM,")
    assert "name: First" in owner.get(f"{inventory(estate)}interfaces.yaml").content.decode()
    assert owner.get(f"{inventory(estate)}interfaces.exe").status_code == 404


def test_a_result_is_brought_set_up_and_compared(owner: Client, viewer: Client, estate: Estate) -> None:
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    estate.invoice("=I-2", 2000)
    upload = SimpleUploadedFile("october.csv", CSV.encode())

    run_page = owner.post(f"{page_of(interface)}compare/", {"file": upload, "entity": "invoice"})["Location"]
    setup = text_of(owner, run_page)
    assert "3</span> rows" in setup
    assert "I-1, =I-2, I-3" in setup
    assert "Being set up" in text_of(viewer, run_page)
    given = {
        "column_0": "number", "key_0": "on", "column_1": "total", "amount_tolerance": "0", "day_tolerance": "0",
        "decimal": ".", "dates": "",
    }  # fmt: skip
    assert owner.post(run_page, {**given, "key_0": ""}).status_code == 422
    assert owner.post(run_page, given)["Location"] == run_page
    assert "data-poll" in text_of(owner, run_page)
    run = estate.carry_out(ParallelRun.objects.get())
    assert findings(run) == [("different", "=I-2", "total", "21", "20"), ("only_old", "I-3", "", "Total: 5", "")]
    shown = text_of(owner, run_page)
    assert "Only in the old result" in shown
    assert "Accept all" not in text_of(viewer, run_page)
    only = owner.get(run_page, {"kind": "only_old"}, headers={"HX-Request": "true"}).content.decode()
    assert ("I-3" in only, "=I-2" in only) == (True, False)


def test_findings_are_accepted_and_the_interface_cut_over_and_rolled_back(owner: Client, estate: Estate) -> None:
    interface = estate.interface(way_back="Start the job")
    estate.invoice("I-1", 1000)
    estate.invoice("=I-2", 2000)
    run = estate.compare(interface, CSV, columns={"Invoice No": "number", "Gross amount": "total"})
    run_page = f"/manage/modernization/comparisons/{run.pk}/"
    exported = b"".join(owner.get(f"{run_page}findings.csv")).decode().splitlines()  # type: ignore[arg-type]
    assert exported[1].startswith("Different,'=I-2,Total,21,20,")
    owner.post(f"{run_page}accept/", {"kind": "different", "field": "total", "reason": "Rounding"})
    finding = run.differences.get(kind="only_old")
    owner.post(f"{run_page}accept/", {"finding": finding.pk, "reason": "Test row"})
    assert "Everything is accepted" in text_of(owner, run_page)
    owner.post(f"{run_page}findings/{finding.pk}/withdraw/")
    assert "Everything is accepted" not in text_of(owner, run_page)
    owner.post(f"{run_page}accept/", {"finding": finding.pk, "reason": "Test row"})
    for point in ChecklistPoint.objects.all():
        owner.post(f"/manage/modernization/points/{point.pk}/tick/")
    assert "Everything holds." in text_of(owner, page_of(interface))
    owner.post(f"{page_of(interface)}cut-over/")
    assert "Keep it for 14 quiet days" in text_of(owner, page_of(interface))
    owner.post(f"{page_of(interface)}retire/", {"reason": "I am sure"})
    assert LegacyInterface.objects.get().status == "cut_over"
    owner.post(f"{page_of(interface)}roll-back/", {"reason": "Totals are wrong"})
    shown = text_of(owner, page_of(interface))
    assert "Totals are wrong" in shown
    assert LegacyInterface.objects.get().status == "in_use"


def test_a_comparison_says_how_it_was_made(owner: Client, estate: Estate) -> None:
    columns = {"No": "number", "Amount": "total", "Date": "issue_date"}
    cut = {"date_field": "issue_date", "first_day": date(2026, 10, 1), "last_day": date(2026, 10, 31)}
    text, interface = "No,Amount,Date\nI-1,10.00,2026-10-05\n", estate.interface()
    strict = estate.compare(interface, text, columns=columns)
    lax = estate.compare(interface, text, columns=columns, amount_tolerance="0.01", day_tolerance=1, **cut)

    facts = [owner.get(f"/manage/modernization/comparisons/{run.pk}/").context["facts"] for run in (strict, lax)]

    assert facts[0] == [
        ("Told apart by", "Number"), ("Period", "All"), ("Environment", "Production"), ("May differ", "Nothing"),
        ("Asked for by", "System"),
    ]  # fmt: skip
    assert [facts[1][number] for number in (1, 3)] == [
        ("Period", "2026-10-01 to 2026-10-31"), ("May differ", "amounts by 0.01, dates by 1 day"),
    ]  # fmt: skip


def test_an_old_comparison_names_the_systems_it_was_made_with(owner: Client, estate: Estate) -> None:
    interface, token = estate.interface(), f"@{estate.billing.pk}"
    run = estate.compare(interface, CSV, columns={"Invoice No": token, "Gross amount": "total"}, keys=[token])
    LegacyInterface.objects.update(integration=make_flow(estate.customer).integration)

    assert "Id in Xero" in text_of(owner, f"/manage/modernization/comparisons/{run.pk}/")


def test_keys_alone_are_not_called_the_same(owner: Client, estate: Estate) -> None:
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    rules = ({"Invoice No": "number"}, {"Invoice No": "number", "Gross amount": "total"})
    keys, both = (estate.compare(interface, "Invoice No,Gross amount\nI-1,10.00\n", columns=one) for one in rules)

    pages = [text_of(owner, f"/manage/modernization/comparisons/{run.pk}/") for run in (keys, both)]

    assert ["Both results are the same" in page for page in pages] == [False, True]
    assert ["It only looked which records there are" in page for page in pages] == [True, False]


def test_points_are_kept_and_open_ones_hold_up_all_but_an_owner(owner: Client, sign_in, estate: Estate) -> None:  # type: ignore[no-untyped-def]
    interface, engineer = estate.interface(), sign_in("engineer")
    owner.post(f"{page_of(interface)}points/", {"text": "Ask the auditor"})
    owner.post(f"{page_of(interface)}points/", {"text": ""})
    assert interface.points.count() == 4

    assert "Cut over all the same" in text_of(owner, page_of(interface))
    assert "Cut over all the same" not in text_of(engineer, page_of(interface))
    assert engineer.post(f"{page_of(interface)}cut-over/", {"reason": "Now"}).status_code == 403
    owner.post(f"{page_of(interface)}cut-over/")
    assert LegacyInterface.objects.get().status == "in_use"
    owner.post(f"{page_of(interface)}cut-over/", {"reason": "The server is dead"})
    assert LegacyInterface.objects.get().status == "cut_over"


def test_pages_ask_few_questions(owner: Client, estate: Estate, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(8):
        estate.interface(f"Interface {number}")
    run = estate.compare(LegacyInterface.objects.first(), CSV, columns={"Invoice No": "number"})  # type: ignore[arg-type]
    owner.get(inventory(estate))

    for path in (inventory(estate), page_of(run.interface), f"/manage/modernization/comparisons/{run.pk}/"):
        with django_assert_max_num_queries(15):
            assert owner.get(path).status_code == 200


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("money", "5939.5", "5,939.50"), ("money", "7740", "7,740"), ("money", "-0.125", "−0.125"),
        ("number", "12.3456789", "12.3456789"), ("integer", "1200", "1,200"), ("hours", "8.5", "8.5 h"),
        ("hours", "8.333", "8.333 h"), ("date", "2026-11-03", "3 Nov 2026"), ("boolean", "true", "Yes"), ("text", "a", "a"),
        ("date", "", "–"),
    ],
)  # fmt: skip
def test_what_differs_is_said_as_people_write_it_and_rounded_nowhere(kind: str, text: str, shown: str) -> None:
    assert said_value(text, FieldChoice("field", "Field", kind, "field")) == shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            "Description: Night shift · late · Work date: 2026-11-03 · Duration in hours: 7.25",
            "Description: Night shift · late · Work date: 3 Nov 2026 · Duration in hours: 7.25 h",
        ),
        ("Work date: 2026-1", "Work date: 2026-1"),
        ("Gone field: 5", "Gone field: 5"),
        ("", "–"),
    ],
)
def test_a_whole_row_is_said_field_by_field(told: str, shown: str) -> None:
    assert said_row(told, choices_of("time_entry")) == shown
