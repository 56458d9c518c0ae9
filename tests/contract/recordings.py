"""Recorded exchanges of real accounts, read from the evidence folder."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import msgspec


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    method: str
    path: str
    status: int
    response: Any


def load(evidence: Path, vendor: str) -> list[Recording]:
    """All recordings of a vendor, in the order of their file names."""
    found = []
    with tarfile.open(evidence / "fixtures/recorded-exchanges.tgz") as archive:
        for member in archive:
            if member.isfile() and member.name.removeprefix("./").startswith(f"{vendor}/"):
                handle = archive.extractfile(member)
                assert handle is not None
                data = json.load(handle)
                found.append(_recording(Path(member.name).name, data))
    return sorted(found, key=lambda recording: recording.name)


def matching(recordings: list[Recording], pattern: str) -> list[tuple[Recording, str]]:
    """The recordings whose path matches, with the first group of the match."""
    pairs = [(recording, re.match(pattern, recording.path)) for recording in recordings]
    return [(recording, match[1]) for recording, match in pairs if match]


def _recording(name: str, data: dict[str, Any]) -> Recording:
    return Recording(
        name=name, method=data["method"], path=data["path"], status=data["status"], response=data["response"]
    )
