"""The relay beside HAProxy: one worker thread each, TLS 1.3 with AES-256-GCM and the same certificate on both legs,
the same load program. The relay has one core, the load another."""

import json
import os
import subprocess
import tempfile

from world import BIN, TOOLS, Gateway, World, free_port, run, wait_for

RELAY_CORE, LOAD_CORE = 0, min(1, os.cpu_count() - 1)

HAPROXY = """
global
    nbthread 1
    maxconn 9000
    tune.ssl.cachesize 0
defaults
    mode tcp
    timeout connect 10s
    timeout client 5m
    timeout server 5m
frontend in
    bind 127.0.0.1:{front} ssl crt {pem} ssl-min-ver TLSv1.3 ciphersuites TLS_AES_256_GCM_SHA384 no-tls-tickets
    default_backend out
backend out
    server end 127.0.0.1:{back} ssl verify none ssl-min-ver TLSv1.3 ciphersuites TLS_AES_256_GCM_SHA384 no-ssl-reuse
"""

# All the load comes from this machine.
GATEWAY = """
[log]
level = warn
[relay]
workers = 1
# Idle ends of the load do not answer PING.
keepalive = 10m
accepts_per_address = 1000000
strangers_per_address = 1000000
"""


def pin(pid, alone=False):
    """`alone`: whatever else this machine does, the relay has its core, so that a wait is the relay's own."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {RELAY_CORE})
        if alone:
            os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(5))


def listens(port):
    line = f"0100007F:{port:04X} 00000000:0000 0A"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line in row for row in table)


class Relays:
    """Starts a relay for one measurement: none inherits the heap of the one before."""

    def __init__(self, tmp, licenses):
        self.world = World(tmp)
        self.node = Gateway(self.world).init()
        self.config = self.world.tmp / "gateway.conf"
        self.config.write_text(GATEWAY)
        self.licenses = self.world.tmp / "licenses.csv"
        holders = self.world.tmp / "holders.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(licenses)))
        self.node.start("--config", self.config)
        self.licenses.write_text(run(BIN / "engawactl", "--data", self.node.data, "license", "import", holders,
                                     timeout=60 + licenses))
        self.node.program.stop()

    def bench(self, kind, task, alone=False, **wish):
        """Runs relay_bench against a fresh relay of this kind; what it measured."""
        start = {"engawa": self._engawa, "haproxy": self._haproxy, "direct": self._direct, "limit": self._limit}
        kind, program, words = start[kind]()
        try:
            if program:
                pin(program.process.pid, alone)
                words.append(f"pid={program.process.pid}")
            done = subprocess.run(["taskset", "-c", str(LOAD_CORE), TOOLS / "relay_bench", kind, task, *words,
                                   *(f"{name}={value}" for name, value in wish.items())],
                                  capture_output=True, text=True, timeout=300)
        finally:
            if program:
                program.stop()
        if done.returncode:
            raise RuntimeError(done.stderr or f"relay_bench ended with {done.returncode}")
        return json.loads(done.stdout)

    def _engawa(self):
        self.node.start("--config", self.config)
        return "engawa", self.node.program, [f"port={self.node.address.rsplit(':', 1)[1]}",
                                             f"licenses={self.licenses}"]

    def _listen(self, port):
        return [f"listen={port}", f"listen-cert={self.node.data / 'node.pem'}",
                f"listen-key={self.node.data / 'node.key'}"]

    def _haproxy(self):
        front, back = free_port(), free_port()
        pem, config = self.world.tmp / "haproxy.pem", self.world.tmp / "haproxy.cfg"
        pem.write_text((self.node.data / "node.pem").read_text() + (self.node.data / "node.key").read_text())
        config.write_text(HAPROXY.format(front=front, back=back, pem=pem))
        program = self.world.start("haproxy", ["haproxy", "-db", "-q", "-f", config])
        wait_for("HAProxy to listen", lambda: listens(front))
        return "tls", program, [f"port={front}", *self._listen(back)]

    def _direct(self):
        return "direct", None, self._listen(free_port())

    def _limit(self):
        return "limit", None, []


def measurements(wish):
    """(row, task, wishes, what of the answer) of everything asked of a relay."""
    seconds = wish.seconds or (2 if wish.quick else 5)
    hosts = 60 if wish.quick else 280
    per_gb = [("CPU s per GB", lambda got: got["cpu_s"] / got["gb"])]
    pings = [("p50 µs", lambda got: got["p50_us"]), ("p99 µs", lambda got: got["p99_us"])]
    load = {"seconds": seconds}
    return [
        ("16 pairs", "load", {**load, "pairs": 16, "ping": 0},
         per_gb + [("GB/s", lambda got: got["gb"] / got["seconds"])]),
        ("1 pair", "load", {**load, "pairs": 1, "ping": 0}, per_gb),
        ("ping-pong 64 B, alone", "load", {**load, "pairs": 0, "ping": 1}, pings),
        ("ping-pong 64 B, beside 100 MB/s", "load", {**load, "pairs": 8, "ping": 1, "rate": 100}, pings),
        ("ping-pong 64 B, relay saturated", "load", {**load, "pairs": 16, "ping": 1}, pings),
        ("handshakes of both legs", "handshakes", load, [("CPU ms", lambda got: got["cpu_ms_each"])]),
        ("idle", "idle", {"pairs": hosts}, [("KiB each", lambda got: got["kib_each"]),
                                            ("CPU ms to come in", lambda got: got["cpu_ms_each"])]),
        ("idle joined pair", "pairs", {"pairs": 16 if wish.quick else 48}, [("KiB each", lambda got: got["kib_each"])]),
    ]


def measure_once(wish, relays, figures, kind):
    for row, task, wishes, takes in measurements(wish):
        if kind == "direct" and wishes.get("ping") != 1:
            continue
        try:
            got = relays.bench(kind, task, **wishes)
        except Exception as error:
            figures.miss(f"{kind}, {row}", error)
            continue
        for name, take in takes:
            if kind != "direct" or "CPU" not in name:
                figures.note("relay", f"{row}, {name}", kind, take(got))


def measure(wish, figures):
    rounds = wish.rounds or (1 if wish.quick else 3)
    with tempfile.TemporaryDirectory(prefix="engawa-bench-") as tmp:
        relays = Relays(tmp, 72 if wish.quick else 320)
        try:
            for _ in range(rounds):
                got = relays.bench("limit", "-", seconds=2)
                figures.note("relay", "16 pairs, CPU s per GB", "limit", got["cpu_s"] / got["gb"])
                for kind in ("engawa", "haproxy", "direct"):
                    if not wish.only or kind in wish.only:
                        measure_once(wish, relays, figures, kind)
        finally:
            relays.world.end()
    figures.show("relay", f"Relay: one thread on one core, TLS 1.3 AES-256-GCM on both legs; median (least–most) "
                 f"of {rounds}.\n1 GB = 10⁹ bytes; an idle engawa host is one connection, an idle HAProxy connection "
                 "two (it has no waiting ends).\nlimit: open, seal, one read, one write of 16 KiB; direct: no relay.",
                 {"engawa": "engawa", "haproxy": "haproxy", "direct": "direct", "limit": "limit"},
                 ratio=("engawa", "haproxy"))
