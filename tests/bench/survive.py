"""Nodes that are killed under load: three nodes on one Redis, a hundred hosts, fifty live sessions. The node with the
most of them is killed with -9, over and over, and started again; Redis is restarted once. How long until each host is
online elsewhere and each session is joined again, as the hosts' own logs say, and whether what one of the viewers typed
meanwhile is in the file at the office. Then all nodes are restarted in order, ten times, while somebody signs in."""

import datetime
import re
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import Cluster
from test_drain import Newcomer
from test_survive import Office
from typist import Typist
from world import Host, Viewer, World, wait_for

STAMP = re.compile(r"time=(\S+) .*?event=(\"[^\"]*\"|\S+)")
# Far more than both ends need; what is not back by then counts as lost.
GIVEN_UP_S = 30


def events(program, event, since):
    """When the program said this, wall clock, after `since`."""
    for line in program.text().splitlines():
        found = STAMP.match(line)
        if not found or found.group(2).strip('"') != event:
            continue
        at = datetime.datetime.fromisoformat(found.group(1).replace("Z", "+00:00")).timestamp()
        if at >= since:
            yield at


class Crowd:
    """`hosts` hosts, and viewers of the first `sessions` of them, spread over the nodes."""

    def __init__(self, world, cluster, hosts, sessions):
        addresses = [node.listen for node in cluster.nodes]
        self.hosts, self.viewers = [], []

        def one(i):
            turn = i % len(addresses)
            order = ",".join(addresses[turn:] + addresses[:turn])
            license = cluster.license(f"crowd {i}")
            host = Host(world, cluster, license, f"crowd{i}").enroll(gateway=order).run("--test-picture")
            self.hosts.append(host)
            if i < sessions:
                viewer = Viewer(world, cluster, license, f"crowd{i}-viewer")
                self.viewers.append((host, viewer.pair(host.ticket(), gateway=order).listen()))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, range(hosts)))

    def lost(self, since, seconds=2):
        """Hosts that lost their leg after `since`, and those of them that had a session."""
        time.sleep(seconds)
        gone = [host for host in self.hosts if any(events(host.program, "offline", since))]
        return gone, [host for host, _ in self.viewers if host in gone]


def took(hosts, event, since):
    """Seconds until each said it; None: not within GIVEN_UP_S."""
    def first(host):
        return next(events(host.program, event, since), None)
    end = time.monotonic() + GIVEN_UP_S
    while any(first(host) is None for host in hosts) and time.monotonic() < end:
        time.sleep(0.2)
    return [at - since if (at := first(host)) else None for host in hosts]


def p95(values):
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def kills(wish, figures, cluster, crowd, office):
    rounds = wish.rounds or (4 if wish.quick else 20)
    last = 300 if wish.quick else 5000
    typist = Typist(office.screen, 1, last, pause=0.01).start()
    hosts, sessions, lost = [], [], 0
    for round_ in range(rounds):
        rows = [row for row in cluster.ctl("node", "list") if not row["away"]]
        busiest = max(rows, key=lambda row: (row["sessions"], row["hosts"]))["id"]
        node = next(node for node in cluster.nodes if node.made["node"] == busiest)
        since = time.time()
        node.program.kill()
        gone, joined = crowd.lost(since)
        back, resumed = took(gone, "online", since), took(joined, "session resumed", since)
        lost += back.count(None) + resumed.count(None)
        hosts += [seconds for seconds in back if seconds is not None]
        sessions += [seconds for seconds in resumed if seconds is not None]
        if round_ == rounds // 2:
            cluster.redis.restart()
        node.restart()
        time.sleep(1)
    typist.done(1200)
    wait_for("what was typed to be in the file", lambda: office.typed.read_text() == typist.text, seconds=120)
    for what, seconds in (("hosts back", hosts), ("sessions joined again", sessions)):
        figures.note("survive", f"{what}, s", "count", len(seconds))
        figures.note("survive", f"{what}, s", "p50", statistics.median(seconds))
        figures.note("survive", f"{what}, s", "p95", p95(seconds))
        figures.note("survive", f"{what}, s", "worst", max(seconds))
    figures.note("survive", f"not back within {GIVEN_UP_S} s", "count", lost)
    figures.note("survive", f"numbers typed, all in the file once, {rounds} kills", "count", last)


def rolling(wish, figures, cluster, office):
    rounds = 2 if wish.quick else 10
    newcomer = Newcomer(office.host.world, cluster, office.desktop)
    typist = Typist(office.screen, 1, rounds * 100, pause=0.1).start()
    for _ in range(rounds):
        for node in cluster.nodes:
            node.program.stop()
            node.restart()
    newcomer.done()
    typist.done(600)
    wait_for("what was typed to be in the file", lambda: office.typed.read_text().endswith(typist.text), seconds=120)
    figures.note("survive", f"sign-ins during {rounds} rolling restarts, none lost", "count", newcomer.good)


def measure(wish, figures):
    count, sessions = (12, 6) if wish.quick else (100, 50)
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        try:
            cluster = Cluster(world, nodes=3, config={"relay": {"node_lost": "20s"}}, deadline_ms=5000)
            office = Office(world, cluster)
            crowd = Crowd(world, cluster, count, sessions)
            kills(wish, figures, cluster, crowd, office)
            rolling(wish, figures, cluster, office)
            assert office.viewer.program.stop() == 0
            wait_for("every part to have its closing row once", office.closed_once, seconds=120, every=1)
            assert cluster.ctl("audit", "verify")["ok"] is True
        finally:
            world.end()
    figures.show("survive", f"Nodes killed under {count} hosts and {sessions} sessions",
                 {"count": "count", "p50": "median", "p95": "p95", "worst": "worst"})
