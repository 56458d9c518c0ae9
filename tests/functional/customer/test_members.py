"""A customer's administrators decide who acts for it; nobody else does, and nobody for another customer."""

from __future__ import annotations

import pytest

from apps.accounts.models import Invitation
from apps.customers.models import CustomerMembership
from apps.notifications.models import OutgoingMail
from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn


def addresses(world: World) -> list[tuple[str, dict[str, str]]]:
    member = world.memberships["viewer"].pk
    return [
        ("/settings/members/invite/", {"email": "zoe@brightwater.example", "role": "admin"}),
        (f"/settings/members/{member}/role/", {"role": "admin"}),
        (f"/settings/members/{member}/remove/", {}),
        (f"/settings/invitations/{world.invitation.pk}/withdraw/", {}),
    ]


def state(world: World) -> tuple[list[tuple[str, str]], list[str]]:
    members = CustomerMembership.objects.filter(customer=world.customer).order_by("user__email")
    invitations = Invitation.objects.filter(subject_key=world.customer.subject_key, revoked_at=None)
    return list(members.values_list("user__email", "role")), sorted(invitations.values_list("email", flat=True))


def test_somebody_is_invited_by_mail(harbor: World, browse: SignIn) -> None:
    address, given = addresses(harbor)[0]

    response = browse(harbor.admin).post(address, given)

    assert (response.status_code, response["Location"]) == (302, "/settings/")
    assert state(harbor)[1] == ["new@brightwater.example", "zoe@brightwater.example"]
    invitation = Invitation.objects.get(email="zoe@brightwater.example")
    assert (invitation.role, invitation.subject_label) == ("admin", "Brightwater")
    assert OutgoingMail.objects.filter(recipient="zoe@brightwater.example").count() == 1


def test_a_malformed_address_is_said_at_its_field(harbor: World, browse: SignIn) -> None:
    response = browse(harbor.admin).post("/settings/members/invite/", {"email": "nobody", "role": "viewer"})

    assert response.status_code == 422
    assert "Enter a valid email address." in response.content.decode()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (1, [("admin@brightwater.example", "admin"), ("viewer@brightwater.example", "admin")]),
        (2, [("admin@brightwater.example", "admin")]),
    ],
)
def test_members_change(harbor: World, browse: SignIn, step: int, expected: list[tuple[str, str]]) -> None:
    address, given = addresses(harbor)[step]

    assert browse(harbor.admin).post(address, given).status_code == 302
    assert state(harbor)[0] == expected


def test_an_invitation_is_withdrawn(harbor: World, browse: SignIn) -> None:
    address, given = addresses(harbor)[3]

    assert browse(harbor.admin).post(address, given).status_code == 302
    assert state(harbor)[1] == []


@pytest.mark.parametrize("step", range(4))
def test_nobody_else_changes_them(harbor: World, stranger: World, browse: SignIn, step: int) -> None:
    before = state(harbor)
    address, given = addresses(harbor)[step]

    viewer, nobody = browse(harbor.viewer).post(address, given), Browser().post(address, given)
    foreign = browse(stranger.admin).post(address, given) if step else None

    assert (viewer.status_code, nobody.status_code) == (403, 302)
    assert foreign is None or foreign.status_code == 404
    assert state(harbor) == before


def test_the_last_administrator_cannot_lock_themselves_out(harbor: World, browse: SignIn) -> None:
    own = harbor.memberships["admin"].pk
    before = state(harbor)

    demoted = browse(harbor.admin).post(f"/settings/members/{own}/role/", {"role": "viewer"})
    removed = browse(harbor.admin).post(f"/settings/members/{own}/remove/")

    assert (demoted.status_code, removed.status_code) == (404, 404)
    assert state(harbor) == before


def test_somebody_removed_has_no_portal_any_more(harbor: World, browse: SignIn) -> None:
    viewer = browse(harbor.viewer)
    assert viewer.get("/").status_code == 200

    browse(harbor.admin).post(f"/settings/members/{harbor.memberships['viewer'].pk}/remove/")

    assert viewer.get("/").status_code == 404
