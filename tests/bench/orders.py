"""How long an order takes to a node other than the one that gave it: from the administrator's call to the end of the
leg at the far node. Some are given while that node's line to Redis is frozen, or while it stands still: those are
counted from when it is back."""

import csv
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

from cluster import Cluster, Line, Redis
from test_gateway_admin import Rest
from world import BIN, TOOLS, World, run, wait_for

AWAY = 10  # trials of each kind of being away


class Orders:
    """Two nodes, hosts at the second, orders at the first."""

    def __init__(self, world, count):
        redis = Redis(world, tcp=True)
        self.cluster = Cluster(world, nodes=1, redis=redis)
        self.one = self.cluster.nodes[0]
        self.line = Line(world, f"127.0.0.1:{redis.port}")
        self.cluster.store = f"redis://{self.line.address}"
        self.two = self.cluster.add()
        holders, licenses = world.tmp / "holders.csv", world.tmp / "licenses.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(count + 2)))
        licenses.write_text(run(BIN / "engawactl", "--data", self.one.data, "license", "import", holders,
                                timeout=60 + count))
        with open(licenses) as file:
            self.ids = [row["id"] for row in csv.DictReader(file)][:count]
        self.hosts = subprocess.Popen(
            [TOOLS / "relay_bench", "engawa", "return", f"port={self.two.address.rsplit(':', 1)[1]}",
             f"pid={self.two.pid}", f"licenses={licenses}", f"pairs={count}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        if self.hosts.stdout.readline() != "ready\n":
            raise RuntimeError(self.hosts.communicate()[1])

    def give(self, license):
        status, _, text = Rest(self.one).ask("PATCH", f"/api/v1/licenses/{license}", {"state": "disabled"})
        assert status == 200, text

    def ended(self, license):
        """When its leg ended at the far node, in seconds since 1970."""
        pattern = re.compile(rf'^time=(\S+) .*event="leg ended".*license={license} ', re.M)
        found = wait_for("the leg to end", lambda: pattern.search(self.two.program.text()), every=0.005)
        return datetime.fromisoformat(found[1].replace("Z", "+00:00")).timestamp()

    def plain(self, license):
        began = time.time()
        self.give(license)
        return self.ended(license) - began

    def line_frozen(self, license):
        self.line.say("freeze both")
        time.sleep(0.5)
        self.give(license)
        self.line.say("thaw both")
        began = time.time()
        return self.ended(license) - began

    def standing_still(self, license):
        self.two.program.kill(signal.SIGSTOP)
        self.give(license)
        began = time.time()
        self.two.program.kill(signal.SIGCONT)
        return self.ended(license) - began

    def end(self):
        self.hosts.kill()
        self.hosts.wait()


def measure(wish, figures):
    trials = 30 if wish.quick else 200
    away = 3 if wish.quick else AWAY
    with tempfile.TemporaryDirectory(prefix="engawa-orders-") as place:
        world = World(Path(place))
        try:
            orders = Orders(world, trials + 2 * away)
            try:
                left = iter(orders.ids)
                for kind, count in ((orders.plain, trials), (orders.line_frozen, away), (orders.standing_still, away)):
                    took = [kind(next(left)) * 1000 for _ in range(count)]
                    row = f"{kind.__name__.replace('_', ' ')}, {count} orders"
                    figures.note("orders", row, "p50", statistics.median(took))
                    figures.note("orders", row, "p99", sorted(took)[max(0, int(len(took) * 0.99) - 1)])
                    figures.note("orders", row, "most", max(took))
            finally:
                orders.end()
        finally:
            world.end()
    figures.show("orders", "Orders to another node over Redis, ms until the leg there has ended",
                 {"p50": "median", "p99": "p99", "most": "longest"})
