"""dlt beside us in the same run: it reads the same pages and loads them, without matching, writing on or a record log.

It is installed for the benchmark alone, into an environment of its own, when it is first wanted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.bench.conftest import ROOT
from tests.bench.measures import Measures

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]
REQUIREMENT = "dlt[postgres]==1.31.0"
FOLDER = ROOT / "var" / "peers" / "dlt"
INSTALL_SECONDS, RUN_SECONDS = 900, 900


@pytest.fixture(scope="module")
def peer_python() -> Path:
    python = FOLDER / "bin" / "python"
    if subprocess.run([python, "-c", "import dlt"], capture_output=True).returncode if python.exists() else True:
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True, timeout=INSTALL_SECONDS)
            install = [python, "-m", "pip", "install", "--quiet", REQUIREMENT]
            subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{REQUIREMENT} cannot be installed here: {error}")
    return python


def test_beside_dlt(peer_python: Path, vendor_url: str, measures: Measures, tmp_path: Path) -> None:
    database = settings.DATABASES["default"]
    place = [str(database[name]) for name in ("HOST", "NAME", "USER")]
    command = [str(peer_python), str(ROOT / "tests/bench/dlt_peer.py"), vendor_url, *place, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    appended, merged = json.loads(done.stdout)

    own = {measure.name: measure.value for measure in measures.all}
    for name, rate, what, share in (
        # Not the same work, so nothing is promised: it appends; we match, refer, log twice and write to a second system.
        ("bulk sync, new records", appended, "bulk sync beside dlt appending", 0.0),
        ("unchanged records read again", merged, "unchanged records beside dlt merging them", 1.0),
    ):
        if name in own:
            measures.rate(what, own[name], "records/s", limit=rate, least=0, share=share)
