"""No secret, registry address or path of somebody's machine is committed."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Brackets keep this file from matching itself.
FORBIDDEN = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "cloud access key": r"\bAKI[A][0-9A-Z]{16}\b",
    "live payment key": r"\b[sr]k_liv[e]_[0-9A-Za-z]{16,}",
    "payment webhook secret": r"\bwhse[c]_[0-9A-Za-z]{32,}",
    "hosting token": r"\b(gh[pousr]_[0-9A-Za-z]{36}|glpa[t]-[0-9A-Za-z_-]{20})\b",
    "chat token": r"\bxo[x][abprs]-[0-9A-Za-z-]{10,}",
    "package registry": r"python[h]osted\.|\bpy[p]i\.org|registry\.npm[j]s|deb\.de[b]ian\.",
    "machine path": r"(?<![\w.:-])/(roo[t]/\.|wor[k]/(main|wt|shared)\b)|/hom[e]/[a-z]+/",
}
BINARY = {".png", ".webp", ".jpg", ".ico", ".woff2", ".ttf", ".pdf", ".gz", ".tgz", ".mo"}


def committed_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def findings_in(text: str) -> list[str]:
    return [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)]


def test_nothing_forbidden_is_committed():
    readable = [
        path for path in committed_files() if path.suffix not in BINARY and path.is_file() and not path.is_symlink()
    ]
    found = {str(path.relative_to(ROOT)): findings_in(path.read_text(errors="replace")) for path in readable}

    assert len(readable) > 10
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


def test_no_link_is_committed():
    listing = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert [line for line in listing.stdout.splitlines() if line.startswith("120000")] == []


@pytest.mark.parametrize(
    "text, kind",
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "private key"),
        ("key = 'sk_" + "live_" + "a1" * 12 + "'", "live payment key"),
        ("AKI" + "A" + "B2" * 8, "cloud access key"),
        ("https://files.python" + "hosted.org/x", "package registry"),
        ("cd /wor" + "k/main", "machine path"),
    ],
)
def test_a_forbidden_text_is_found(text, kind):
    assert findings_in(text) == [kind]


def test_ordinary_text_is_let_through():
    assert findings_in("sk_test_4eC39HqLyjWDarjtT1zdp7dc POST /api/v1/work/items http://127.0.0.1:8000/home/") == []
