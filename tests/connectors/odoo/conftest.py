from __future__ import annotations

import pytest

from sandbox.testing import RunningSandbox
from tests.connectors.odoo.support import Firm


@pytest.fixture(params=[17, 19], ids=["odoo17", "odoo19"])
def firm(request: pytest.FixtureRequest, sandbox: RunningSandbox) -> Firm:
    return Firm(sandbox, request.param)
