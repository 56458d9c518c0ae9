"""What each connector reads, writes and deletes, as one table. `python -m tests.coverage_table` writes it into its page."""

from __future__ import annotations

import os
from pathlib import Path

PAGE = Path("docs/guides/connector-coverage.md")
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
ENTITIES = (
    "account", "contact", "opportunity", "quote", "contract", "subscription", "project", "task", "milestone", "resource",
    "assignment", "time_entry", "expense", "invoice_schedule", "usage_record", "invoice", "payment", "ticket",
)  # fmt: skip


def render() -> str:
    """R read, C created, U changed, D deleted or archived."""
    from apps.connectors.registry import connectors

    manifests = [kind.manifest for kind in connectors().values()]
    order = {"crm": 0, "erp": 1, "billing": 2, "delivery": 3}
    manifests.sort(key=lambda manifest: (order[manifest.domain], manifest.name.lower()))
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
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + render() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
