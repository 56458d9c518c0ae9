"""Where the demo keeps its things, and on which ports it was found last time."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.local import children

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("INTERLACE_DEMO_DIR", ROOT / "var" / "demo"))
# What decides how the data come out; the others may change without making a month anew.
DATA_MODULES = ("cast.py", "history.py", "logos.py", "month_end.py", "partners.py", "seed.py", "vendors.py", "work.py")
PREFERRED_WEB_PORT = 8000
PREFERRED_SANDBOX_PORT = 8500


@dataclass(frozen=True)
class Ports:
    """`web` and `sandbox` as they are now; kept, because stored connections and OAuth redirects name them."""

    web: int
    sandbox: int

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox}"

    def site(self, slug: str) -> str:
        return f"http://{slug}.localhost:{self.web}" if slug else f"http://localhost:{self.web}"


def choose_ports() -> Ports:
    """This function will take last time's ports where they are free, else others."""
    before = read_json("ports.json") or {}
    return Ports(
        web=children.free_port(before.get("web", PREFERRED_WEB_PORT)),
        sandbox=children.free_port(before.get("sandbox", PREFERRED_SANDBOX_PORT)),
    )


def remember_ports(ports: Ports) -> None:
    write_json("ports.json", asdict(ports))


def code_fingerprint() -> str:
    """One value for everything that decides what the demo's data look like."""
    digest = hashlib.sha256()
    files = [
        *(ROOT / "apps").glob("*/migrations/*.py"),
        *(ROOT / "apps/provisioning/demo" / name for name in DATA_MODULES),
    ]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def bundle_fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "static" / "dist").rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def read_json(name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    except (OSError, ValueError):
        return None
    return found


def write_json(name: str, value: dict[str, object]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    scratch = FOLDER / f"{name}.new"
    scratch.write_text(json.dumps(value))
    scratch.replace(FOLDER / name)
