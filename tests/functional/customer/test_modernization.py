"""A customer reads how far the move off its old interfaces is; it reads nothing that was not meant for it."""

from __future__ import annotations

import re

from apps.modernization.models import LegacyInterface
from tests.factories.world import World
from tests.functional.conftest import SignIn

OWN = "Nightly file of Harbor"


def test_the_plan_is_read_in_the_customers_words(harbor: World, browse: SignIn) -> None:
    made = harbor.modernization
    assert made is not None
    LegacyInterface.objects.filter(pk=made.interface.pk).update(
        name=OWN, notes="Their people are slow", override_reason="Hurry", status="cut_over"
    )
    client = browse(harbor.viewer)

    page = client.get("/modernization/").content.decode()
    integrations = client.get("/integrations/").content.decode()

    assert OWN in page
    assert re.findall(r'data-label="State">.*?</svg>(.*?)</span>', page) == ["Replaced"]
    assert made.wave.name in page
    assert "<strong>1</strong> of 1 replaced" in page
    assert "<strong>1</strong> of 1 replaced" in integrations
    assert [word for word in ("slow", "Hurry") if word in page] == []


def test_without_old_interfaces_nothing_is_said_of_them(harbor: World, browse: SignIn) -> None:
    LegacyInterface.objects.all().delete()
    client = browse(harbor.viewer)

    assert "Your old interfaces" not in client.get("/integrations/").content.decode()
    assert "Nothing to replace" in client.get("/modernization/").content.decode()
