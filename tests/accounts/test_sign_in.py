from __future__ import annotations

import re
from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import create_person
from apps.audit.models import AuditEvent
from apps.core.planes import tenant_plane
from apps.notifications.models import OutgoingMail
from apps.tenants.models import Partner
from tests.accounts.conftest import PASSWORD

ANN = "ann@example.com"


def code_of(secret: str) -> str:
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"


def test_staff_land_in_the_partner_portal(partner: Partner, make_staff, sign_in) -> None:
    make_staff()

    response = sign_in()

    assert (response.status_code, response["Location"]) == (302, "/manage/")
    with tenant_plane("p_acme"):
        event = AuditEvent.objects.get(action="person.signed_in")
        assert (event.target_label, event.actor_label) == ("olive@acme.example", "Olive")


def test_everybody_else_lands_at_the_root(partner: Partner, now: datetime, sign_in) -> None:
    create_person(email=ANN, name="Ann", password=PASSWORD, now=now)

    assert sign_in(ANN)["Location"] == "/"


def test_the_address_may_be_written_in_any_case(partner: Partner, make_staff, sign_in) -> None:
    make_staff()

    assert sign_in("Olive@ACME.example").status_code == 302


def test_one_address_two_partners_two_passwords(partner: Partner, other_partner: Partner, now: datetime) -> None:
    create_person(email=ANN, name="Ann of Acme", password="acme horse battery", now=now)
    with tenant_plane(other_partner.schema_name):
        create_person(email=ANN, name="Ann of Globex", password="globex horse battery", now=now)

    def status(host: str, password: str) -> int:
        data = {"login": ANN, "password": password}
        return Client(headers={"host": host}).post("/accounts/login/", data).status_code

    assert status("acme.localhost", "acme horse battery") == 302
    assert status("globex.localhost", "globex horse battery") == 302
    assert status("acme.localhost", "globex horse battery") == 200
    assert status("globex.localhost", "acme horse battery") == 200


def test_a_session_is_void_at_another_partner(
    partner: Partner, other_partner: Partner, make_staff, sign_in, client
) -> None:
    make_staff()
    sign_in()

    assert client.get("/accounts/profile/").status_code == 200
    there = client.get("/accounts/profile/", headers={"host": "globex.localhost"})
    assert (there.status_code, there["Location"]) == (302, "/accounts/login/?next=%2Faccounts%2Fprofile%2F")


@pytest.mark.parametrize("email", ["olive@acme.example", "nobody@acme.example"])
def test_a_wrong_password_and_an_unknown_address_look_the_same(partner: Partner, make_staff, sign_in, email) -> None:
    make_staff()

    response = sign_in(email, "wrong")

    assert response.status_code == 200
    assert "The email address and/or password you specified are not correct." in response.content.decode()


def test_guessing_is_stopped_after_five_tries(partner: Partner, make_staff, sign_in) -> None:
    make_staff()
    for _ in range(5):
        sign_in(password="wrong")

    response = sign_in(password=PASSWORD)

    assert response.status_code == 200
    assert "Too many failed login attempts" in response.content.decode()


def test_a_deactivated_person_stays_out(partner: Partner, make_staff, sign_in) -> None:
    user = make_staff()
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert sign_in()["Location"] == "/accounts/inactive/"
    with tenant_plane("p_acme"):
        assert AuditEvent.objects.filter(action="person.signed_in").count() == 0


def test_nobody_signs_up_by_themselves(partner: Partner, client) -> None:
    response = client.post("/accounts/signup/", {"email": ANN, "password1": PASSWORD, "password2": PASSWORD})

    assert "Accounts are by invitation" in response.content.decode()
    with tenant_plane("p_acme"):
        assert User.objects.count() == 0


def test_an_unproven_address_needs_its_code(partner: Partner, make_staff, sign_in, client) -> None:
    user = make_staff()
    EmailAddress.objects.filter(user=user).update(verified=False)

    first = sign_in()
    assert first["Location"] == "/accounts/confirm-email/"
    with tenant_plane("p_acme"):
        mail = OutgoingMail.objects.get()
        assert (mail.kind, mail.is_secret) == ("accounts.verification_code", True)
        code = re.search(r"asked for it:\s+(\S+)", mail.text).group(1)

    assert client.post("/accounts/confirm-email/", {"code": "WRONG1"}).status_code == 200
    done = client.post("/accounts/confirm-email/", {"code": code})
    assert (done.status_code, done["Location"]) == (302, "/manage/")


def test_a_forgotten_password(partner: Partner, make_staff, sign_in, client) -> None:
    make_staff()
    client.post("/accounts/password/reset/", {"email": "olive@acme.example"})
    with tenant_plane("p_acme"):
        mail = OutgoingMail.objects.get(kind="accounts.password_reset")
        assert mail.is_secret is True
        link = re.search(r"http://acme\.localhost(/accounts/password/reset/key/\S+)", mail.text).group(1)

    page = client.get(link, follow=True)
    form_url = page.redirect_chain[-1][0]
    done = client.post(form_url, {"password1": "a whole new sentence", "password2": "a whole new sentence"})

    assert done.status_code == 302
    assert sign_in(password=PASSWORD).status_code == 200
    assert sign_in(password="a whole new sentence").status_code == 302
    with tenant_plane("p_acme"):
        notice = OutgoingMail.objects.get(kind="accounts.security_notice")
        assert (notice.subject, notice.recipient) == ("Your password was reset.", "olive@acme.example")


def test_a_reset_link_is_void_at_another_partner(partner: Partner, other_partner: Partner, make_staff, client) -> None:
    user = make_staff()
    with tenant_plane(other_partner.schema_name):
        twin = create_person(email=user.email, name="Twin", password="globex horse battery", now=user.created_at)
        User.objects.filter(pk=twin.pk).delete()
        User.objects.create(pk=user.pk, email=user.email, name="Twin", created_at=user.created_at, password="!x")
    client.post("/accounts/password/reset/", {"email": user.email})
    with tenant_plane("p_acme"):
        text = OutgoingMail.objects.get(kind="accounts.password_reset").text
    link = re.search(r"(/accounts/password/reset/key/\S+)", text).group(1)

    there = client.get(link, headers={"host": "globex.localhost"}, follow=True)

    assert "This link no longer works" in there.content.decode()


def test_a_reset_of_a_stranger_sends_nothing(partner: Partner, client) -> None:
    response = client.post("/accounts/password/reset/", {"email": "stranger@example.com"})

    assert response["Location"] == "/accounts/password/reset/done/"
    with tenant_plane("p_acme"):
        assert OutgoingMail.objects.count() == 0


@pytest.fixture
def secret(partner: Partner, make_staff) -> str:
    key = generate_totp_secret()
    TOTP.activate(make_staff(), key)
    return key


def test_a_second_factor_is_asked_for(secret: str, sign_in, client) -> None:
    first = sign_in()
    assert first["Location"] == "/accounts/2fa/authenticate/"

    refused = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert refused.status_code == 200
    assert client.get("/accounts/profile/").status_code == 302

    done = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert (done.status_code, done["Location"]) == (302, "/manage/")
    assert client.get("/accounts/profile/").status_code == 200


def test_a_code_works_once(secret: str, sign_in, client) -> None:
    code = code_of(secret)
    sign_in()
    client.post("/accounts/2fa/authenticate/", {"code": code})
    client.logout()
    sign_in()

    again = client.post("/accounts/2fa/authenticate/", {"code": code})

    assert again.status_code == 200


def test_the_key_is_sealed_and_void_in_another_schema(secret: str, other_partner: Partner) -> None:
    row = Authenticator.objects.get(type="totp")
    assert secret not in str(row.data)
    assert row.wrap().validate_code(code_of(secret)) is True

    from apps.core.crypto import SealBroken

    with tenant_plane(other_partner.schema_name), pytest.raises(SealBroken):
        row.wrap().validate_code(code_of(secret))


def test_turning_it_on_asks_for_the_password_again_and_gives_recovery_codes(
    partner: Partner, make_staff, sign_in, client, django_capture_on_commit_callbacks
) -> None:
    make_staff()
    sign_in()
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert client.post(asked["Location"], {"password": "wrong"}).status_code == 200
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == "/accounts/2fa/totp/activate/"
    page = client.get("/accounts/2fa/totp/activate/")
    assert b"data:image/svg+xml" in page.content
    key = re.search(r"Picture with the key (\w+)", page.content.decode()).group(1)

    with tenant_plane("p_acme"), django_capture_on_commit_callbacks(execute=False) as callbacks:
        done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})

    assert done["Location"] == "/accounts/2fa/recovery-codes/"
    codes = re.findall(r"<code>(\w+)</code>", client.get(done["Location"]).content.decode())
    assert len(set(codes)) == 10
    client.logout()
    sign_in()
    assert client.post("/accounts/2fa/authenticate/", {"code": codes[0]})["Location"] == "/manage/"
    with tenant_plane("p_acme"):
        for callback in callbacks:
            callback()
        mail = OutgoingMail.objects.get(kind="accounts.security_notice")
        assert mail.subject == "An authenticator app was added to your account."


def test_sessions_are_listed_and_others_ended(partner: Partner, make_staff, sign_in, client) -> None:
    make_staff()
    elsewhere = Client(headers={"host": "acme.localhost", "user-agent": "Mozilla/5.0 (iPhone) Safari/605"})
    elsewhere.post("/accounts/login/", {"login": "olive@acme.example", "password": PASSWORD})
    sign_in()

    page = client.get("/accounts/sessions/").content.decode()
    assert "Safari on iPhone" in page
    client.post("/accounts/sessions/")

    assert elsewhere.get("/accounts/profile/").status_code == 302
    assert client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize(
    "where",
    ["profile/", "email/", "password/change/", "2fa/", "sessions/"],
)
def test_pages_about_oneself_show_its_tabs_and_not_the_platform(partner, make_staff, sign_in, client, where) -> None:
    make_staff()
    sign_in()

    response = client.get(f"/accounts/{where}")

    assert response.status_code == 200
    body = response.content.decode()
    assert body.count('class="tab" href="/accounts/' + where + '" aria-current="page"') == 1
    assert "Acme" in body
    assert "interlace" not in body.lower()
