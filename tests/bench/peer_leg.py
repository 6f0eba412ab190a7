"""What a session costs that a second node carries: the same load through one node and through two, in turns on the
same two nodes. Each node has one worker; both stand on one core, the load on another."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from cluster import Cluster
from relay import LOAD_CORE, pin
from world import BIN, TOOLS, World, run

CONFIG = {"log": {"level": "warn"},
          "relay": {"workers": "1", "accepts_per_address": "1000000", "strangers_per_address": "1000000"}}


class Pair:
    """Two nodes: hosts come in at the second, viewers at the second (local) or the first (crossed)."""

    def __init__(self, world, licenses):
        self.cluster = Cluster(world, nodes=2, addresses=False, peers=True, deadline_ms=5000, config=CONFIG)
        self.here, self.there = self.cluster.nodes
        for node in self.cluster.nodes:
            pin(node.pid)
        holders = world.tmp / "holders.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(licenses)))
        lines = run(BIN / "engawactl", "--data", self.here.data, "license", "import", holders, timeout=300)
        self.lines = lines.splitlines()
        self.licenses = world.tmp / "licenses.csv"

    def load(self, pairs, seconds, crossed):
        head, taken, self.lines = self.lines[0], self.lines[1:pairs + 2], [self.lines[0], *self.lines[pairs + 2:]]
        self.licenses.write_text("\n".join([head, *taken, ""]))
        words = [f"port={self.there.listen.rsplit(':', 1)[1]}", f"pid={self.there.pid}", f"licenses={self.licenses}",
                 f"pairs={pairs}", f"seconds={seconds}", "ping=0"]
        if crossed:
            words += [f"viewer-port={self.here.listen.rsplit(':', 1)[1]}", f"via-pid={self.here.pid}"]
        done = subprocess.run(["taskset", "-c", str(LOAD_CORE), TOOLS / "relay_bench", "engawa", "load", *words],
                              capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stderr or f"relay_bench ended with {done.returncode}")
        return json.loads(done.stdout)


def note(figures, row, local, crossed):
    def rate(got, cpu):
        return got["gb"] * 1000 / cpu if cpu else 0

    alone = rate(local, local["cpu_s"])
    figures.note("peer", row, "local", alone)
    for column, cpu in (("host", crossed["cpu_s"]), ("via", crossed["via_cpu_s"]),
                        ("both", crossed["cpu_s"] + crossed["via_cpu_s"])):
        figures.note("peer", row, column, rate(crossed, cpu))
        figures.note("peer", row, f"{column} %", 100 * rate(crossed, cpu) / alone)


def measure(wish, figures):
    seconds = wish.seconds or (2 if wish.quick else 5)
    rounds = wish.rounds or (1 if wish.quick else 3)
    with tempfile.TemporaryDirectory(prefix="engawa-peer-") as place:
        world = World(Path(place))
        try:
            pair = Pair(world, 40 * rounds + 10)
            for _ in range(rounds):
                for pairs in (1, 8):
                    local = pair.load(pairs, seconds, crossed=False)
                    note(figures, f"{pairs} sessions", local, pair.load(pairs, seconds, crossed=True))
        except Exception as error:
            figures.miss("peer", error)
        finally:
            world.end()
    figures.show("peer", f"A session through two nodes, MB per CPU second ({os.cpu_count()} cores)",
                 {"local": "one node", "host": "host's node", "host %": "% of local", "via": "carrying node",
                  "via %": "% of local", "both": "both together", "both %": "% of local"})
