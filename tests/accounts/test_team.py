from __future__ import annotations

from datetime import datetime

import pytest
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import StaffMembership, User
from apps.accounts.services import UnableToChangeTeam, change_role, deactivate, reactivate, transfer_ownership
from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.core.planes import public_plane, tenant_plane
from apps.tenants.models import Partner
from tests.accounts.conftest import PASSWORD


def membership(email: str) -> StaffMembership:
    return StaffMembership.objects.get(user__email=email)


@pytest.fixture
def team(partner: Partner, make_staff) -> None:
    make_staff()
    make_staff("eva@acme.example", "engineer")
    make_staff("vera@acme.example", "viewer")


def test_a_role_is_changed_and_audited(team: None, owner_actor: Actor, now: datetime) -> None:
    change_role(actor=owner_actor, now=now, membership=membership("eva@acme.example"), role="admin")

    assert membership("eva@acme.example").role == "admin"
    event = AuditEvent.objects.get(action="team.role_changed")
    assert (event.before, event.after) == ({"role": "engineer"}, {"role": "admin"})


@pytest.mark.parametrize("email, role", [("olive@acme.example", "admin"), ("eva@acme.example", "owner")])
def test_ownership_is_never_given_or_taken_by_role(team: None, owner_actor: Actor, now, email, role) -> None:
    before = membership(email).role

    with pytest.raises(UnableToChangeTeam):
        change_role(actor=owner_actor, now=now, membership=membership(email), role=role)
    assert membership(email).role == before


def test_ownership_is_transferred(team: None, owner_actor: Actor, now: datetime) -> None:
    transfer_ownership(actor=owner_actor, now=now, membership=membership("eva@acme.example"))

    assert (membership("eva@acme.example").role, membership("olive@acme.example").role) == ("owner", "admin")


def test_what_is_so_already_is_not_noted_again(team: None, owner_actor: Actor, now: datetime) -> None:
    eva, owner = membership("eva@acme.example"), membership("olive@acme.example")

    change_role(actor=owner_actor, now=now, membership=eva, role="engineer")
    transfer_ownership(actor=owner_actor, now=now, membership=owner)
    reactivate(actor=owner_actor, now=now, membership=eva)
    for _ in range(2):
        deactivate(actor=owner_actor, now=now, membership=eva)

    noted = AuditEvent.objects.filter(action__startswith="team.").values_list("action", flat=True)
    assert list(noted) == ["team.member_deactivated"]


def test_an_admin_does_not_transfer_it(team: None, now: datetime) -> None:
    admin = Actor(ActorKind.USER, "a", "Adam", frozenset({"team.manage"}), scope=None)

    with pytest.raises(NotPermitted):
        transfer_ownership(actor=admin, now=now, membership=membership("eva@acme.example"))
    assert membership("olive@acme.example").role == "owner"


def test_a_deactivated_person_loses_the_session(team: None, owner_actor: Actor, now: datetime, client) -> None:
    client.post("/accounts/login/", {"login": "eva@acme.example", "password": PASSWORD})
    assert client.get("/manage/settings/team/").status_code == 200

    with tenant_plane("p_acme"):
        deactivate(actor=owner_actor, now=now, membership=membership("eva@acme.example"))

    assert client.get("/manage/settings/team/").status_code == 302


def test_the_owner_and_oneself_stay(team: None, owner_actor: Actor, now: datetime) -> None:
    eva = membership("eva@acme.example")
    as_eva = Actor(ActorKind.USER, str(eva.user_id), "Eva", frozenset({"team.manage"}), scope=None)

    with pytest.raises(UnableToChangeTeam, match="owner"):
        deactivate(actor=as_eva, now=now, membership=membership("olive@acme.example"))
    with pytest.raises(UnableToChangeTeam, match="yourself"):
        deactivate(actor=as_eva, now=now, membership=eva)
    assert User.objects.filter(is_active=True).count() == 3


def signed_in(email: str) -> Client:
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
    return browser


def test_the_page_invites_changes_and_deactivates(team: None) -> None:
    owner = signed_in("olive@acme.example")
    page = owner.get("/manage/settings/team/").content.decode()
    assert page.count('<td data-label="Role">') == 3
    eva_id = membership_id("eva@acme.example")

    owner.post("/manage/settings/team/invite/", {"email": "new@acme.example", "role": "support"})
    owner.post(f"/manage/settings/team/{eva_id}/role/", {"role": "finance"})
    owner.post(f"/manage/settings/team/{membership_id('vera@acme.example')}/deactivate/")

    page = owner.get("/manage/settings/team/").content.decode()
    assert "new@acme.example" in page
    assert "Deactivated" in page
    with tenant_plane("p_acme"):
        assert membership("eva@acme.example").role == "finance"
        assert User.objects.get(email="vera@acme.example").is_active is False


def membership_id(email: str) -> object:
    with tenant_plane("p_acme"):
        return membership(email).pk


def test_a_viewer_looks_and_changes_nothing(team: None) -> None:
    viewer = signed_in("vera@acme.example")
    eva_id = membership_id("eva@acme.example")

    page = viewer.get("/manage/settings/team/")
    assert page.status_code == 200
    assert "Invite somebody" not in page.content.decode()
    assert viewer.post(f"/manage/settings/team/{eva_id}/role/", {"role": "viewer"}).status_code == 403
    assert viewer.get("/manage/settings/team/invite/").status_code == 403
    assert viewer.get("/manage/settings/brand/").status_code == 403
    assert viewer.get("/manage/settings/api-keys/").status_code == 403
    assert viewer.get("/manage/settings/mail/").status_code == 403
    with tenant_plane("p_acme"):
        assert membership("eva@acme.example").role == "engineer"


def test_a_customers_person_finds_no_such_page(team: None, now: datetime) -> None:
    from apps.accounts.services import create_person

    with tenant_plane("p_acme"):
        create_person(email="cora@customer.example", name="Cora", password=PASSWORD, now=now)

    assert signed_in("cora@customer.example").get("/manage/settings/team/").status_code == 404


def test_operators_are_made_on_the_command_line(db: None, monkeypatch, capsys) -> None:
    monkeypatch.setenv("INTERLACE_OPERATOR_PASSWORD", PASSWORD)
    call_command("create_operator", "first@platform.example", name="First")
    call_command("create_operator", "second@platform.example", name="Second")

    with public_plane():
        assert membership("first@platform.example").role == "owner"
        assert membership("second@platform.example").role == "admin"
    browser = Client(headers={"host": "localhost"})
    response = browser.post("/accounts/login/", {"login": "first@platform.example", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
