from __future__ import annotations

from datetime import date

import pytest

from apps.canonical.promoted import match_keys, promoted

KEYS = [
    ("account tax number", "account", {"name": "A", "tax_id": "de 12.345-6"}, ["name:a", "tax:DE123456"]),
    ("account name and domain", "account", {"name": " Vulcan  GmbH ", "domain": "V.example"}, ["name:vlcn", "domain:v.example"]),
    ("account website", "account", {"name": "V", "website": "https://www.v.example:8080/x"}, ["name:v", "domain:v.example"]),
    ("account name alone", "account", {"name": "Industries, Volcan Ltd."}, ["name:indstrs vlcn"]),
    ("account at a mail provider", "account", {"name": "V", "email": "v@gmail.com"}, ["name:v", "email:v@gmail.com"]),
    ("account number alone is none", "account", {"name": "V", "number": "7"}, ["name:v"]),
    ("contact", "contact", {"name": "X", "email": " Ann@Example.com"}, ["name:x", "email:ann@example.com"]),
    ("resource without e-mail", "resource", {"name": "Zoë Müller", "status": "active"}, ["name:mlr z"]),
    ("project", "project", {"name": "P", "status": "open", "code": "Forge-1"}, ["name:p", "code:forge-1"]),
    ("invoice", "invoice", {"number": "INV-1"}, []),
]  # fmt: skip


@pytest.mark.parametrize("case, entity, data, keys", KEYS)
def test_keys_are_what_a_record_is_looked_up_by(case, entity, data, keys):
    assert match_keys(entity, data) == keys


def test_columns_repeat_what_lists_need():
    found = promoted({"description": "d" * 300, "work_date": "2026-10-05", "status": "approved"})

    assert (found.title, found.number, found.state) == ("d" * 250, "", "approved")
    assert found.occurred_on == date(2026, 10, 5)
