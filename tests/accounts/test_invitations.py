from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from apps.accounts import invitations
from apps.accounts.models import Invitation, StaffMembership, User
from apps.accounts.selectors import InvitationState, InvitationUnusable
from apps.accounts.services import UnableToAccept, UnableToInvite, accept_invitation, create_person, invite
from apps.accounts.services import revoke_invitation as revoke
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, NotPermitted, NotVisible
from apps.core.planes import public_plane, tenant_plane
from apps.events.models import OutboxEvent
from apps.notifications.models import OutgoingMail
from apps.tenants.models import Partner
from tests.accounts.conftest import PASSWORD

EVA = "eva@example.com"


def mailed_token(email: str = EVA) -> str:
    text = OutgoingMail.objects.filter(recipient=email).latest("id").text
    found = re.search(r"http://acme\.localhost/accounts/invitations/([\w-]+)/", text)
    assert found is not None
    return found.group(1)


@pytest.fixture
def token(partner: Partner, owner_actor: Actor, now: datetime) -> str:
    invite(actor=owner_actor, now=now, email=" Eva@Example.com ", role="engineer")
    return mailed_token()


def accept(token: str, now: datetime, **options: object) -> User:
    return accept_invitation(token=token, name="Eva Engineer", password=PASSWORD, now=now, **options)


def test_it_works(token: str, now: datetime) -> None:
    user = accept(token, now)

    assert (user.email, user.name, user.check_password(PASSWORD)) == (EVA, "Eva Engineer", True)
    assert StaffMembership.objects.get(user=user).role == "engineer"
    address = EmailAddress.objects.get(user=user)
    assert (address.verified, address.primary) == (True, True)
    assert Invitation.objects.get().accepted_at == now
    event = OutboxEvent.objects.get(type="accounts.invitation.accepted")
    assert (event.subject_key, event.payload["role"]) == (f"user:{user.pk}", "engineer")
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor_label")) == [
        ("invitation.sent", "Olive Owner"),
        ("invitation.accepted", "Eva Engineer"),
    ]


def test_only_the_hash_is_kept(token: str) -> None:
    row = Invitation.objects.get()

    assert token not in str(row.__dict__)
    assert len(row.token_hash) == 64


def refusal(token: str, now: datetime) -> InvitationState:
    with pytest.raises(InvitationUnusable) as refused:
        accept(token, now)
    return refused.value.state


def test_a_used_one_is_void(token: str, now: datetime) -> None:
    accept(token, now)

    assert refusal(token, now) == InvitationState.USED


@pytest.mark.parametrize("late, usable", [(timedelta(days=7, seconds=-1), True), (timedelta(days=7), False)])
def test_it_expires_after_seven_days(token: str, now: datetime, late: timedelta, usable: bool) -> None:
    if usable:
        assert accept(token, now + late).email == EVA
    else:
        assert refusal(token, now + late) == InvitationState.EXPIRED
        assert User.objects.count() == 0


def test_a_withdrawn_one_is_void(token: str, owner_actor: Actor, now: datetime) -> None:
    revoke(actor=owner_actor, now=now, invitation=Invitation.objects.get())

    assert refusal(token, now) == InvitationState.REVOKED


def test_a_newer_one_replaces_it(token: str, owner_actor: Actor, now: datetime) -> None:
    invite(actor=owner_actor, now=now, email=EVA, role="viewer")

    assert refusal(token, now) == InvitationState.REVOKED
    assert StaffMembership.objects.get(user=accept(mailed_token(), now)).role == "viewer"


def test_it_is_unknown_at_another_partner_even_as_a_copied_row(token: str, other_partner: Partner, now) -> None:
    row = Invitation.objects.get()
    with tenant_plane(other_partner.schema_name):
        assert refusal(token, now) == InvitationState.UNKNOWN
        row.save(force_insert=True)
        assert refusal(token, now) == InvitationState.UNKNOWN


def test_an_accepted_one_cannot_be_withdrawn(token: str, owner_actor: Actor, now: datetime) -> None:
    accept(token, now)

    with pytest.raises(Conflict):
        revoke(actor=owner_actor, now=now, invitation=Invitation.objects.get())


def test_somebody_new_reads_times_in_the_partners_zone(token: str, partner: Partner, now: datetime) -> None:
    with public_plane():
        Partner.objects.filter(pk=partner.pk).update(time_zone="Europe/Berlin")

    assert accept(token, now).time_zone == "Europe/Berlin"


def test_somebody_known_keeps_the_password_and_must_know_it(token: str, now: datetime) -> None:
    user = create_person(email=EVA, name="Eva", password="her own old password", now=now)

    with pytest.raises(UnableToAccept) as refused:
        accept(token, now)
    assert refused.value.field == "password"
    assert Invitation.objects.get().accepted_at is None

    joined = accept_invitation(token=token, name="Mallory", password="her own old password", now=now)
    assert (joined.pk, joined.name) == (user.pk, "Eva")


@pytest.mark.parametrize(
    "email, role, field",
    [("nobody", "viewer", "email"), (EVA, "owner", "role"), (EVA, "king", "role")],
)
def test_what_does_not_fit_is_refused(partner, owner_actor: Actor, now: datetime, email, role, field) -> None:
    with pytest.raises(UnableToInvite) as refused:
        invite(actor=owner_actor, now=now, email=email, role=role)

    assert refused.value.field == field
    assert (Invitation.objects.count(), OutgoingMail.objects.count()) == (0, 0)


def test_a_member_is_not_invited_again(partner: Partner, make_staff, owner_actor: Actor, now: datetime) -> None:
    make_staff(EVA, "viewer")

    with pytest.raises(UnableToInvite, match="on your team already"):
        invite(actor=owner_actor, now=now, email="EVA@example.com", role="viewer")


def test_a_viewer_invites_nobody(partner: Partner, now: datetime) -> None:
    viewer = Actor(ActorKind.USER, "v", "Vera", frozenset({"team.view"}), scope=None)

    with pytest.raises(NotPermitted):
        invite(actor=viewer, now=now, email=EVA, role="viewer")


def test_a_customers_administrator_invites_to_that_customer_only(partner: Partner, now: datetime, monkeypatch) -> None:
    mine, other = uuid4(), uuid4()
    admin = Actor(ActorKind.USER, "a", "Carla", frozenset({"members.manage"}), scope=frozenset({mine}))
    joined: list[tuple[str, str, str]] = []
    monkeypatch.setitem(
        invitations._acceptors, "customer",
        lambda *, user, invitation, now: joined.append((user.email, invitation.subject_key, invitation.role)),
    )  # fmt: skip

    with pytest.raises(NotVisible):
        invite(actor=admin, now=now, email=EVA, role="viewer", subject_key=f"customer:{other}")
    with pytest.raises(NotPermitted):
        invite(actor=admin, now=now, email=EVA, role="viewer")
    invite(actor=admin, now=now, email=EVA, role="viewer", subject_key=f"customer:{mine}", subject_label="Initech")
    accept(mailed_token(), now)

    assert joined == [(EVA, f"customer:{mine}", "viewer")]
    assert StaffMembership.objects.count() == 0
    mail = OutgoingMail.objects.get()
    assert (mail.subject, mail.is_secret) == ("Carla invited you to Initech", True)


def test_the_page_makes_somebody_new_a_member_and_signs_them_in(partner: Partner, owner_actor: Actor, client) -> None:
    invite(actor=owner_actor, now=clock.now(), email=EVA, role="viewer")
    url = f"/accounts/invitations/{mailed_token()}/"

    page = client.get(url).content.decode()
    assert "Join Acme" in page
    assert "Olive Owner invited <strong>eva@example.com</strong> as Viewer." in page
    weak = client.post(url, {"name": "Eva", "password": "12345678"})
    assert "too common" in weak.content.decode()
    done = client.post(url, {"name": "Eva", "password": PASSWORD})

    assert (done.status_code, done["Location"]) == (302, "/manage/")
    assert client.get("/accounts/profile/").status_code == 200
    again = Client(headers={"host": "acme.localhost"}).get(url)
    assert again.status_code == 410
    assert "This invitation was used already." in again.content.decode()


def test_the_page_sends_somebody_known_to_sign_in(partner: Partner, owner_actor: Actor, now: datetime, client) -> None:
    create_person(email=EVA, name="Eva", password=PASSWORD, now=now)
    invite(actor=owner_actor, now=clock.now(), email=EVA, role="viewer")

    done = client.post(f"/accounts/invitations/{mailed_token()}/", {"password": PASSWORD})

    assert done["Location"] == "/accounts/login/"
    assert client.get("/accounts/profile/").status_code == 302


def test_a_made_up_link_says_so(partner: Partner, client) -> None:
    response = client.get("/accounts/invitations/nonsense/")

    assert response.status_code == 410
    assert "This link leads to no invitation." in response.content.decode()
