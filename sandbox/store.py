"""What the simulated vendors remember: SQLite on disk, the working copy in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Key = tuple[str, str]
Statement = tuple[str, Sequence[tuple[str, ...]]]
SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    vendor TEXT, account TEXT, kind TEXT, id TEXT, data TEXT NOT NULL,
    PRIMARY KEY (vendor, account, kind, id)
);
CREATE TABLE IF NOT EXISTS settings (
    vendor TEXT, account TEXT, name TEXT, value TEXT NOT NULL,
    PRIMARY KEY (vendor, account, name)
);
"""


class Store:
    """Write-through: every change is on disk before the request is answered, every read comes from memory.

    What one request changes is written `together`: a process that is stopped in the middle has done all of it, or
    nothing. A token that was taken back for a new one stays good until the new one is on disk. Callers hold their
    account's lock; the store's own lock only guards the one SQLite connection.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._waiting = threading.local()
        self._db = sqlite3.connect(data_dir / "sandbox.sqlite3", check_same_thread=False, isolation_level=None)
        # Survives the end of the process, which is what a simulator needs; losing power is not its concern.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._objects: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
        self._versions: Counter[tuple[str, str, str]] = Counter()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread changes within is written at the end, also when something was raised."""
        self._waiting.statements = []
        try:
            yield
        finally:
            statements, self._waiting.statements = self._waiting.statements, None
            self._commit(statements)

    def objects(self, key: Key, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind by id, in order of creation. Do not change the result: use `put` and `remove`."""
        place = (*key, kind)
        if place not in self._objects:
            rows = self._read(
                "SELECT id, data FROM objects WHERE vendor=? AND account=? AND kind=? ORDER BY rowid", place
            )
            self._objects[place] = {row[0]: json.loads(row[1]) for row in rows}
        return self._objects[place]

    def version(self, key: Key, kind: str) -> int:
        """Grows with every change of the kind's objects; lets a vendor keep sorted copies."""
        return self._versions[*key, kind]

    def put(self, key: Key, kind: str, items: Iterable[tuple[str, dict[str, Any]]]) -> None:
        items = list(items)
        self.objects(key, kind).update(items)
        self._versions[*key, kind] += 1
        rows = [(*key, kind, object_id, json.dumps(data)) for object_id, data in items]
        self._write(
            "INSERT INTO objects VALUES (?,?,?,?,?) "
            "ON CONFLICT (vendor, account, kind, id) DO UPDATE SET data=excluded.data",
            rows,
        )

    def remove(self, key: Key, kind: str, object_id: str) -> None:
        self.objects(key, kind).pop(object_id, None)
        self._versions[*key, kind] += 1
        self._write("DELETE FROM objects WHERE vendor=? AND account=? AND kind=? AND id=?", [(*key, kind, object_id)])

    def settings(self, key: Key) -> dict[str, Any]:
        rows = self._read("SELECT name, value FROM settings WHERE vendor=? AND account=?", key)
        return {row[0]: json.loads(row[1]) for row in rows}

    def set_setting(self, key: Key, name: str, value: Any) -> None:
        self._write("INSERT OR REPLACE INTO settings VALUES (?,?,?,?)", [(*key, name, json.dumps(value))])

    def forget(self, key: Key) -> None:
        """Remove everything of one account."""
        for place in [place for place in self._objects if place[:2] == key]:
            del self._objects[place]
            self._versions[place] += 1
        self._write("DELETE FROM objects WHERE vendor=? AND account=?", [key])
        self._write("DELETE FROM settings WHERE vendor=? AND account=?", [key])

    def _read(self, sql: str, args: tuple[str, ...]) -> list[tuple[str, ...]]:
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def _write(self, sql: str, rows: Sequence[tuple[str, ...]]) -> None:
        waiting: list[Statement] | None = getattr(self._waiting, "statements", None)
        if waiting is None:
            self._commit([(sql, rows)])
        else:
            waiting.append((sql, rows))

    def _commit(self, statements: Sequence[Statement]) -> None:
        if not statements:
            return
        with self._lock:
            self._db.execute("BEGIN")
            for sql, rows in statements:
                self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
