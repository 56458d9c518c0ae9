"""The monthly SLA report as a document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.branding.letterhead import render_document
from apps.branding.selectors import current_brand
from apps.core.formats import format_number
from apps.sla.measures import ObjectiveKey
from apps.sla.models import SlaReport
from apps.sla.words import explain_objective, month_name, name_objective


def render_report_pdf(report: SlaReport) -> bytes:
    """This function will typeset a closed report from its stored results."""
    brand = current_brand()
    sender = [line.strip() for line in brand.postal_address.splitlines() if line.strip()] or [brand.name]
    return render_document("sla_report", brand=brand, data={"sender": sender, **_content(report)})


def _content(report: SlaReport) -> dict[str, Any]:
    locale = report.customer.locale
    failed = report.results["failed_run_count"]
    return {
        "heading": "Service level report",
        "customer": report.customer.name,
        "month": month_name(report.period_start, report.customer.time_zone),
        "policy": str(report.policy_version),
        "is_met": report.is_met,
        "verdict": "Every promise was kept." if report.is_met else "At least one promise was missed.",
        "zone": report.customer.time_zone,
        "runs": f"{format_number(report.results['run_count'], locale)} runs, {format_number(failed, locale)} failed",
        "objectives": [_objective(row, locale) for row in report.results["objectives"]],
    }


def _objective(row: dict[str, Any], locale: str) -> dict[str, Any]:
    return {
        "name": name_objective(ObjectiveKey(row["key"]), row["threshold_seconds"]),
        "how": explain_objective(ObjectiveKey(row["key"]), row["threshold_seconds"]),
        "target": f"{format_number(Decimal(row['target']), locale)} %",
        "achieved": f"{format_number(Decimal(row['achieved']), locale)} %" if row["achieved"] else "No data",
        "budget": f"{format_number(Decimal(row['budget_left']), locale)} %" if row["budget_left"] else "–",
        "is_met": row["is_met"],
    }
