"""A small estate of old interfaces with a comparison that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.core.actor import system_actor
from apps.flows.models import Integration
from apps.modernization.models import (
    ChecklistPoint,
    LegacyInterface,
    MigrationWave,
    ParallelDifference,
    ParallelRun,
)
from apps.modernization.services import (
    InterfaceDraft,
    WaveDraft,
    add_interface,
    add_wave,
    bring_result,
    carry_out_comparison,
    start_comparison,
)


@dataclass
class Modernization:
    wave: MigrationWave
    interface: LegacyInterface
    point: ChecklistPoint
    run: ParallelRun
    finding: ParallelDifference


def make_modernization(integration: Integration, now: datetime) -> Modernization:
    """One wave, one interface that the integration replaces, and one row that no record is like."""
    actor, customer = system_actor(), integration.customer
    wave = add_wave(actor=actor, now=now, customer=customer, draft=WaveDraft(name=f"Wave of {customer.name}"))
    interface = add_interface(
        actor=actor, now=now, customer=customer,
        draft=InterfaceDraft(
            name=f"Nightly file of {customer.name}", kind="file_drop", source="ERP", target="Billing", entity="invoice",
            wave=wave, integration=integration,
        ),
    )  # fmt: skip
    run = bring_result(
        actor=actor, now=now, interface=interface, name=f"{customer.slug}.csv", content=b"Number,Total\nOLD-1,10.00\n"
    )
    start_comparison(actor=actor, now=now, run=run, comparison=run.rules)
    carry_out_comparison(run_id=run.pk, now=lambda: now)
    point = interface.points.order_by("id")[0]
    finding = ParallelDifference.objects.filter(run=run, kind="only_old").get()
    return Modernization(wave, interface, point, ParallelRun.objects.get(pk=run.pk), finding)
