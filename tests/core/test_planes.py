"""Only one plane is ever in the search path."""

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.accounts.models import User
from apps.core.planes import current_schema, public_plane, tenant_plane
from apps.tenants.models import Partner


def search_path() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        return str(cursor.fetchone()[0])


def test_a_partner_is_alone_in_the_search_path(partner: Partner) -> None:
    assert current_schema() == "p_acme"
    assert search_path() == "p_acme"


def test_public_plane_restores_what_was_there(partner: Partner) -> None:
    with public_plane():
        assert search_path() == "public"

    assert search_path() == "p_acme"


def test_public_plane_restores_after_an_error(partner: Partner) -> None:
    with pytest.raises(ZeroDivisionError), public_plane():
        raise ZeroDivisionError

    assert search_path() == "p_acme"


def test_a_missing_table_is_an_error_and_no_look_into_public(partner: Partner, now: object) -> None:
    with public_plane():
        User.objects.create_user("operator@example.com", "secret", created_at=now)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user RENAME TO accounts_user_gone")

    with pytest.raises(ProgrammingError), transaction.atomic():
        User.objects.filter(email="operator@example.com").exists()


def test_one_partner_never_sees_the_rows_of_another(partner: Partner, other_partner: Partner, now: object) -> None:
    User.objects.create_user("ann@example.com", "secret", created_at=now)

    with tenant_plane(other_partner.schema_name):
        assert User.objects.count() == 0
    assert User.objects.count() == 1
