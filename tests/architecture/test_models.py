"""String references are invisible to import contracts, so every model's foreign keys are walked here."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models

ROOT = Path(__file__).resolve().parents[2]
TABLE_BUDGET = 120


def room_of(model: type[models.Model]) -> str:
    name = apps.get_app_config(model._meta.app_label).name
    return name.removeprefix("apps.")


def placement_of(model: type[models.Model]) -> str:
    name = apps.get_app_config(model._meta.app_label).name
    public, partner = name in settings.SHARED_APPS, name in settings.TENANT_APPS
    return "both" if public and partner else "public" if public else "partner"


def layers() -> dict[str, int]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = next(contract["layers"] for contract in contracts if contract["id"] == "app-layers")
    return {room.strip(" ()"): -place for place, line in enumerate(names) for room in line.split("|")}


def foreign_keys() -> list[tuple[type[models.Model], models.ForeignKey, type[models.Model]]]:
    return [
        (model, field, field.related_model)
        for model in apps.get_models()
        if room_of(model) in layers()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
    ]


def test_no_foreign_key_crosses_the_planes() -> None:
    # A table that lives in both planes may only point at tables that do too: a partner restores and moves alone.
    allowed = {("both", "both"), ("public", "public"), ("public", "both"), ("partner", "partner"), ("partner", "both")}
    crossing = [
        f"{model.__name__}.{field.name}"
        for model, field, target in foreign_keys()
        if (placement_of(model), placement_of(target)) not in allowed
    ]
    assert crossing == []


def test_foreign_keys_point_downwards() -> None:
    height = layers()
    upwards = [
        f"{model.__name__}.{field.name} → {target.__name__}"
        for model, field, target in foreign_keys()
        if room_of(target) in height and height[room_of(target)] > height[room_of(model)]
    ]
    assert upwards == []
    assert len(foreign_keys()) > 50


def test_what_a_customer_owns_carries_its_id_and_never_null() -> None:
    owned = [model for model in apps.get_models() if any(f.name == "customer" for f in model._meta.fields)]

    assert len(owned) >= 10
    assert [model.__name__ for model in owned if model._meta.get_field("customer").null] == []


def test_every_id_is_a_uuid_or_a_log_facts_bigint() -> None:
    kinds = {type(model._meta.pk).__name__ for model in apps.get_models() if room_of(model) in layers()}
    assert kinds <= {"UUIDField", "BigAutoField", "OneToOneField", "CharField"}


@pytest.mark.django_db
def test_a_partner_schema_stays_within_its_table_budget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'p_acme'")
        count = cursor.fetchone()[0]

    assert 50 < count <= TABLE_BUDGET


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
