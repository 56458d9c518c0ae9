"""What each connector reads, writes and deletes, as one table. `python -m tests.coverage_table` writes it into its page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

PAGE = Path("docs/guides/connector-coverage.md")
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
DELETIONS_BEGIN, DELETIONS_END = "<!-- deletions -->\n", "<!-- end of deletions -->\n"
ENTITIES = (
    "account", "contact", "opportunity", "quote", "contract", "subscription", "project", "task", "milestone", "resource",
    "assignment", "time_entry", "expense", "invoice_schedule", "usage_record", "revenue", "invoice", "payment",
    "ticket",
)  # fmt: skip


def sorted_manifests() -> list[Any]:
    from apps.connectors.registry import connectors

    order = {"crm": 0, "erp": 1, "billing": 2, "delivery": 3}
    manifests = [kind.manifest for kind in connectors().values()]
    return sorted(manifests, key=lambda manifest: (order[manifest.domain], manifest.name.lower()))


def render_deletions() -> str:
    """Which objects' deletions the system tells of; the rest shows in a full comparison."""
    lines = ["| | The next run sees it | A full comparison finds it |", "|---|---|---|"]
    for manifest in sorted_manifests():
        told = [spec.label for spec in manifest.streams if spec.deletes]
        compared = [spec.label for spec in manifest.streams if not spec.deletes]
        lines.append(f"| **{manifest.name}** | {', '.join(told) or '–'} | {', '.join(compared) or '–'} |")
    return "\n".join(lines) + "\n"


def render() -> str:
    """R read, C created, U changed, D deleted or archived."""
    manifests = sorted_manifests()
    lines = [
        "| | " + " | ".join(name.replace("_", " ") for name in ENTITIES) + " |",
        "|---" * (len(ENTITIES) + 1) + "|",
    ]
    for manifest in manifests:
        cells = []
        for entity in ENTITIES:
            read = "R" if any(spec.entity == entity for spec in manifest.streams) else ""
            sinks = [spec for spec in manifest.sinks if spec.entity == entity]
            marks = (("C", "creates"), ("U", "updates"), ("D", "deletes"))
            cells.append(read + "".join(mark for mark, name in marks if any(getattr(s, name) for s in sinks)))
        lines.append(f"| **{manifest.name}** | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    page = PAGE.read_text(encoding="utf-8")
    for begin, end, table in ((BEGIN, END, render()), (DELETIONS_BEGIN, DELETIONS_END, render_deletions())):
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
