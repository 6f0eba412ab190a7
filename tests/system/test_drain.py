"""Nodes leave in order: hosts and live sessions go to other nodes and nobody notices."""

import threading
import time

from cluster import Cluster
from test_survive import Office
from typist import Typist
from world import Host, Viewer, run, wait_for

# Short enough for a test; a living node still writes every second.
SETTINGS = {"relay": {"drain_time": "2s", "node_lost": "6s"}}


def readiness(node):
    """HTTP status and what /readyz says."""
    text = run("curl", "-s", "-w", "\n%{http_code}", "--cacert", node.ca, f"https://{node.admin}/readyz", code=None)
    body, status = text.rsplit("\n", 1)
    return status, body


def online_at(cluster, node):
    return [row for row in cluster.ctl("host", "list") if row.get("online") and row.get("node") == node.made["node"]]


def test_a_drained_node_hands_everything_on(world):
    cluster = Cluster(world, nodes=2, config=SETTINGS, deadline_ms=5000)
    one, two = cluster.nodes
    office = Office(world, cluster)
    name = one.made["node"]
    wait_for("the host at the first node", lambda: online_at(cluster, one))
    typist = Typist(office.screen, 1, 150).start()
    typist.wait_until(20)
    one.ctl("node", "drain", name)
    wait_for("readiness to say it", lambda: readiness(one)[0] == "503" and "draining" in readiness(one)[1])
    assert readiness(two)[0] == "200"
    wait_for("the host at the second node", lambda: online_at(cluster, two))
    wait_for("the session at the second node", lambda: [
        row for row in cluster.ctl("session", "list") if row["node"] == two.made["node"]])
    wait_for("nobody at the first node", lambda: [
        row for row in two.ctl("node", "list") if row["id"] == name and row["hosts"] + row["viewers"] == 0])
    # Nobody new gets in there, and finds the other node by himself.
    other = Viewer(world, cluster, office.license, "other")
    other.pair(office.host.ticket(), code=75)
    one.ctl("node", "undrain", name)
    wait_for("the node to be ready", lambda: readiness(one)[0] == "200")
    typist.done()
    office.arrived(typist.text)
    # Both ends had time to say what they counted.
    rows = wait_for("the closing row of the first part", lambda: [row for row in office.closed() if row["purpose"] == "session"])
    assert [row["reason"] for row in rows] == ["DRAINING"]
    assert rows[0]["receipts"]["agree"] == "yes", rows


class Newcomer:
    """Somebody who signs in again and again, and tries at once once more when he is told to try later."""

    def __init__(self, world, cluster, desktop):
        license = cluster.license("鈴木 一郎")
        self.host = Host(world, cluster, license, "host-two").enroll().run("--display", desktop.at)
        self.viewer = Viewer(world, cluster, license, "newcomer").pair(self.host.ticket())
        self.license, self.stop = license, threading.Event()
        self.good, self.lost = 0, []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _sign_in(self):
        errors = []
        for _ in range(20):
            try:
                self.viewer.screenshot(after=0)
                self.good += 1
                return
            except AssertionError as error:
                errors.append(str(error)[-300:])
                if getattr(error, "code", 0) not in (69, 75):
                    break
                time.sleep(0.5)
        self.lost.append(errors)

    def _run(self):
        while not self.stop.is_set():
            self._sign_in()

    def done(self):
        self.stop.set()
        self.thread.join(120)
        assert not self.lost, self.lost
        assert self.good > 1


def test_a_rolling_restart_loses_nothing(world):
    cluster = Cluster(world, nodes=2, config=SETTINGS, deadline_ms=5000)
    office = Office(world, cluster)
    newcomer = Newcomer(world, cluster, office.desktop)
    typist = Typist(office.screen, 1, 400, pause=0.08).start()
    for _ in range(2):
        for node in cluster.nodes:
            wait_for("the session to be somewhere", lambda: any(
                row["license"] == office.license["id"] for row in cluster.ctl("session", "list")))
            assert node.program.stop() == 0
            node.restart()
            wait_for("the node to be ready", lambda node=node: readiness(node)[0] == "200")
    newcomer.done()
    typist.done()
    office.arrived(typist.text)
    assert office.viewer.program.stop() == 0
    wait_for("every part of the session to have its closing row once", lambda: office.closed_once())
    rows = cluster.log("sessions")
    assert not [row for row in rows if row.get("ended") and row["receipts"]["agree"] == "no"]
    closed = [row for row in rows if row.get("ended")]
    bandwidth = cluster.log("bandwidth")
    for name in ("bytes_to_viewer", "bytes_to_host"):
        assert sum(row[name] for row in bandwidth) == sum(row[name] for row in closed)
    assert cluster.ctl("audit", "verify")["ok"] is True
