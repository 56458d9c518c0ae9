"""A vendor as fast as Python can play one: `python -m tests.bench.vendor_server` prints its port.

`GET /records?after=N&limit=M` pages through generated records of about 1.2 kB (`?version=` changes them);
`POST /batch` takes a list of objects and answers with their ids, or refuses them all (`POST /refuse?on=1`), after a while (`POST /slow?ms=N`); objects that
came with a `ref` are found again by it (`GET /found?ref=`).
`POST /grow?count=N` makes new records, `GET /taken` tells what was taken: {name: [how often, when last]}. Speaks just
enough HTTP/1.1 for a keep-alive client.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

FILLER = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 16


class Vendor:
    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self.refuses = False
        self.answers_after = 0.0  # seconds that a write takes
        self.names: dict[str, list[float]] = {}
        self.refs: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, bytes] = {}

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/batch":
            return self.take(orjson.loads(body))
        if parts.path == "/taken":
            return orjson.dumps(self.names)
        if parts.path == "/found":
            return orjson.dumps({"result": self.refs.get(query["ref"])})
        if method == "POST":
            return self.change(parts.path, query)
        if target not in self.pages:
            self.pages[target] = self.page(int(query["after"]), int(query["limit"]), query.get("version", "1"))
        return self.pages[target]

    def change(self, path: str, query: dict[str, str]) -> bytes:
        if path == "/refuse":
            self.refuses = query["on"] == "1"
        elif path == "/slow":
            self.answers_after = int(query["ms"]) / 1000
        else:
            self.total += int(query["count"])
            self.pages = {}
        return b"{}"

    def page(self, after: int, limit: int, version: str) -> bytes:
        numbers = range(after + 1, min(after + limit, self.total) + 1)
        left = max(self.total - after - limit, 0)
        return orjson.dumps({"results": [record(number, version) for number in numbers], "left": left})

    def take(self, objects: list[dict[str, Any]]) -> bytes:
        if self.refuses:
            return orjson.dumps({"results": [{"refused": True} for _ in objects]})
        first = self.taken + 1
        self.taken += len(objects)
        for fields in objects:
            known = self.names.setdefault(fields["name"], [0, 0.0])
            known[0], known[1] = known[0] + 1, time.time()
        rows = [{**fields, "id": str(fields.get("id") or f"t{first + n}")} for n, fields in enumerate(objects)]
        self.refs.update({row["ref"]: row for row in rows if "ref" in row})
        return orjson.dumps({"results": rows})


def record(number: int, version: str) -> dict[str, Any]:
    return {
        "id": f"s{number}", "name": f"Company {number} v{version}", "domain": f"c{number}.example",
        "email": f"info@c{number}.example", "phone": f"+49 30 {number:07}", "website": f"https://c{number}.example/",
        "number": f"K-{number:06}", "modified": "2026-11-01T08:00:00Z", "notes": FILLER,
    }  # fmt: skip


async def serve(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            length = next(
                (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0
            )
            content = vendor.answer(method, target, await reader.readexactly(length))
            if vendor.answers_after and target == "/batch":
                await asyncio.sleep(vendor.answers_after)
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
            )
            writer.write(content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(total: int) -> None:
    vendor = Vendor(total)
    server = await asyncio.start_server(lambda r, w: serve(vendor, r, w), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
