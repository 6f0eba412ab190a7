"""A company with 50,000 licenses: import, list, filter, count, export, bulk acts, a restart."""

import http.client
import json
import tempfile
import time
from pathlib import Path

from test_gateway_admin import Rest
from world import Gateway, World

COUNT = 50000
GROUPS = 40
COLUMNS = {"ms": "ms"}


class Link:
    """One kept connection: what is measured is the gateway, not the handshake."""

    def __init__(self, gateway):
        self.rest = Rest(gateway)
        self.link = http.client.HTTPSConnection(self.rest.host, self.rest.port, context=self.rest.trust, timeout=600)

    def ask(self, method, path, body=None, kind="application/json"):
        self.link.request(method, path, body, {"Authorization": f"Bearer {self.rest.token}", "Content-Type": kind})
        answer = self.link.getresponse()
        data = answer.read()
        assert answer.status < 300, data[:300]
        return data

    def timed(self, *words):
        begin = time.monotonic()
        data = self.ask(*words)
        return (time.monotonic() - begin) * 1000, data


def sheet(count):
    lines = [f"社員 {n:05d},group {n % GROUPS},{n % 30},desk {n},2030-03-31\r\n" for n in range(count)]
    return ("holder,group,label:floor,note,expires\r\n" + "".join(lines)).encode()


QUESTIONS = {
    "page of 100": "limit=100",
    "page of 100 with the total": "limit=100&count=1",
    "filter: part of a holder": "limit=100&holder=4999&count=1",
    "filter: any text, no match": "limit=100&q=nowhere&count=1",
    "filter: label": "limit=100&label=floor%3D7&count=1",
    "filter: group, page 5": "limit=100&group=group%203&count=1",
    "filter: online (50,000 presences asked)": "limit=100&online=1&count=1",
    "page of 1,000": "limit=1000",
}


def measure_gateway(gateway, figures, rounds, count):
    link = Link(gateway)
    text = sheet(count)
    took, data = link.timed("POST", "/api/v1/licenses/import?dry_run=1", text, "text/csv")
    figures.note("licenses", f"import of {count:,}, dry run", "ms", took)
    took, data = link.timed("POST", "/api/v1/licenses/import", text, "text/csv")
    end = json.loads(data.splitlines()[-1])
    assert end["done"] == count, end
    figures.note("licenses", f"import of {count:,}", "ms", took)
    took, _ = link.timed("GET", "/api/v1/licenses?q=warm&count=1")
    figures.note("licenses", "first filter after the import", "ms", took)
    for _ in range(rounds):
        for name, query in QUESTIONS.items():
            took, data = link.timed("GET", "/api/v1/licenses?" + query)
            figures.note("licenses", name, "ms", took)
        took, _ = link.timed("GET", "/api/v1/holders?limit=100")
        figures.note("licenses", "holders, page of 100", "ms", took)
        took, _ = link.timed("GET", "/api/v1/licenses?format=csv")
        figures.note("licenses", "export of all as CSV", "ms", took)
        made = json.loads(link.ask("GET", "/api/v1/licenses?limit=1"))["items"][0]
        took, _ = link.timed("PATCH", f"/api/v1/licenses/{made['id']}", json.dumps({"note": str(took)}))
        figures.note("licenses", "change of one", "ms", took)
    for act in ("disable", "enable"):
        took, data = link.timed("POST", "/api/v1/licenses/bulk", json.dumps({"act": act, "filter": {"holder": "社員"}}))
        assert json.loads(data)["done"] == count
        figures.note("licenses", f"bulk {act} of {count:,}", "ms", took)
    rss = int(Path(f"/proc/{gateway.pid}/status").read_text().split("VmRSS:")[1].split()[0])
    figures.note("licenses", "gateway's memory, MiB", "ms", rss / 1024)
    gateway.program.stop()
    gateway.restart()
    took, _ = Link(gateway).timed("GET", "/api/v1/licenses?q=warm&count=1")
    figures.note("licenses", "first filter after a restart", "ms", took)


def measure(wish, figures):
    rounds = wish.rounds or (1 if wish.quick else 5)
    count = 5000 if wish.quick else COUNT
    with tempfile.TemporaryDirectory(prefix="engawa-bench-") as tmp:
        world = World(Path(tmp))
        try:
            measure_gateway(Gateway(world).init().start(), figures, rounds, count)
        except Exception as error:
            figures.miss("licenses", error)
        finally:
            world.end()
    figures.show("licenses", f"{count:,} licenses, SQLite, REST over TLS on one kept connection; median "
                 f"(least–most) of {rounds}.", COLUMNS)
