"""Scale of one node: idle hosts by the thousand beside HAProxy's idle TLS connections, all hosts back at once after a
kill, live sessions by the hundred, and what one session at full rate does to the keys of another."""

import json
import os
import subprocess
import tempfile
import time

from relay import Relays
from world import BIN, TOOLS, Gateway, run

SMALL_WRITES_MBS = 5  # of 200 sessions: 25 kB/s each, a desktop in use
LINE_MS = 10


class Returning:
    """Hosts of a node with its own defaults; the node is killed, and starts again where it was."""

    def __init__(self, world, count):
        self.world, self.count = world, count
        self.node = Gateway(world, "returning").init()
        self.licenses = world.tmp / "returning.csv"
        holders = world.tmp / "returning-holders.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(count + 2)))
        self.node.start()
        self.licenses.write_text(run(BIN / "engawactl", "--data", self.node.data, "license", "import", holders,
                                     timeout=60 + count))

    def measure(self, down=1.0):
        """What relay_bench says, and how long the node was away."""
        address = self.node.address
        # It ends with all its connections open.
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        load = subprocess.Popen([TOOLS / "relay_bench", "engawa", "return", f"port={address.rsplit(':', 1)[1]}",
                                 f"pid={self.node.program.process.pid}", f"licenses={self.licenses}",
                                 f"pairs={self.count}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        if load.stdout.readline() != "ready\n":
            raise RuntimeError(load.communicate()[1])
        cut = time.monotonic()
        self.node.program.kill()
        time.sleep(down)
        self.node.start(listen=address)
        away = time.monotonic() - cut
        out, err = load.communicate(timeout=300)
        if load.returncode:
            raise RuntimeError(err)
        return {**json.loads(out), "away_s": away}


def idle(wish, relays, figures):
    count = 1000 if wish.quick else 10000
    row = f"{count} idle"
    for kind, pairs in (("engawa", count), ("haproxy", min(count, 4000))):
        got = relays.bench(kind, "idle", pairs=pairs)
        figures.note("scale", f"{row}, KiB each", kind, got["kib_each"])
        figures.note("scale", f"{row}, CPU ms to come in", kind, got["cpu_ms_each"])


def sessions(wish, relays, figures):
    pairs = 40 if wish.quick else 200
    seconds = wish.seconds or (3 if wish.quick else 10)
    for kind in ("engawa", "haproxy"):
        got = relays.bench(kind, "load", alone=True, pairs=pairs, ping=1, line=LINE_MS, seconds=seconds,
                           rate=SMALL_WRITES_MBS * pairs / 200)
        row = f"{pairs} live sessions"
        figures.note("scale", f"{row}, CPU ms per session and s", kind, got["cpu_s"] * 1000 / pairs / got["seconds"])
        figures.note("scale", f"{row}, keys {LINE_MS} ms away p95 µs", kind, got["p95_us"])


def fairness(wish, relays, figures):
    """In turn, so that what else the machine does falls on both; at real-time priority, so that it falls on neither."""
    seconds = wish.seconds or (2 if wish.quick else 4)
    for _ in range(1 if wish.quick else 3):
        for kind in ("engawa", "haproxy"):
            for line, where in ((0, "no line"), (LINE_MS, f"{LINE_MS} ms away")):
                for pairs, beside in ((0, "alone"), (1, "beside one at full rate")):
                    got = relays.bench(kind, "load", alone=True, pairs=pairs, ping=1, line=line, seconds=seconds)
                    figures.note("scale", f"keys, {where}, {beside}, p95 µs", kind, got["p95_us"])
                    if pairs:
                        figures.note("scale", f"the one at full rate, {where}, MB/s", kind, got["gb"] * 1000 / got["seconds"])
                alone, beside = (figures.median("scale", f"keys, {where}, {which}, p95 µs", kind)
                                 for which in ("alone", "beside one at full rate"))
                figures.note("scale", f"keys, {where}, change of p95 %", kind, (beside / alone - 1) * 100)


def returning(wish, relays, figures):
    got = Returning(relays.world, 100 if wish.quick else 1000)
    for _ in range(1 if wish.quick else 3):
        answer = got.measure()
        row = f"{answer['count']} hosts back after a kill"
        figures.note("scale", f"{row}: node away, s", "engawa", answer["away_s"])
        for name in ("p50_s", "p95_s", "all_s"):
            figures.note("scale", f"{row}: {name[:-2]}, s", "engawa", answer[name])
    got.node.program.stop()


def measure(wish, figures):
    with tempfile.TemporaryDirectory(prefix="engawa-scale-") as tmp:
        relays = Relays(tmp, 1200 if wish.quick else 11100)
        try:
            for part in (fairness, sessions, returning, idle):
                try:
                    part(wish, relays, figures)
                except Exception as error:
                    figures.miss(part.__name__, error)
        finally:
            relays.world.end()
    figures.show("scale", "Scale of one node: one worker on one core, TLS 1.3; the load has the other core. An idle host is one "
                 "connection, an idle HAProxy connection two.\nAfter a kill: default settings and workers, times from "
                 "the cut; the node was away for that long of it. median (least–most)",
                 {"engawa": "engawa", "haproxy": "haproxy"}, ratio=("engawa", "haproxy"))
