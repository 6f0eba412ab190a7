"""Viewers that another node carries to the node of their host, where ends cannot go: it has a peer address only."""

import signal

from cluster import Cluster
from rfb import Rfb
from test_gateway_admin import Rest
from typist import Typist
from world import Display, Host, Viewer, run, wait_for

# What a company has for minutes is here for seconds; a pairing computes for some of them on a busy machine.
QUICK = {"relay": {"keepalive": "3s"}}


def metric(node, name):
    """A figure of a node, all labels together."""
    text = Rest(node, token="").ask("GET", "/metrics")[2]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.split("{")[0].split(" ")[0] == f"engawa_{name}")


class Apart:
    """Two nodes, the host at the second, a viewer that knows the first alone; the pairing crosses, too."""

    def __init__(self, world, manager=False, **options):
        self.cluster = Cluster(world, nodes=2, addresses=False, peers=True, deadline_ms=5000, **options)
        self.here, self.there = self.cluster.nodes
        self.license = self.cluster.license()
        self.desktop = Display(world, manager=manager)
        self.host = Host(world, self.cluster, self.license).enroll(gateway=self.there.listen)
        self.host.run("--display", self.desktop.at).online()
        self.viewer = Viewer(world, self.cluster, self.license)
        self.viewer.pair(self.host.ticket(), gateway=self.here.listen)

    def connect(self):
        self.viewer.listen()
        return Rfb(self.viewer.port)

    def rows(self):
        return self.cluster.log("sessions", "--license", self.license["id"])

    def live(self):
        return wait_for("the session", lambda: self.cluster.ctl("session", "list"))[0]


def test_a_session_crosses_and_is_counted_once(world):
    apart = Apart(world, manager=True)
    here, there, license = apart.here, apart.there, apart.license
    typed = apart.desktop.typing_into()
    screen = apart.connect()
    assert screen.image().size == (1024, 768)
    screen.type("across two nodes\n")
    wait_for("what was typed", lambda: typed.read_text() == "across two nodes\n")
    session = apart.live()
    assert session["node"] == there.made["node"]
    assert session["via"] == here.made["node"]
    assert metric(here, "crossings") == metric(there, "peer_legs") == 1
    # Another device of the same license hears what it would hear at the second node.
    other = Viewer(world, apart.cluster, license, "other")
    said = []
    for gateway in (here, there):
        other.pair(apart.host.ticket(), code=75, gateway=gateway.listen)
        said.append(run.last_error.rsplit("engawa-viewer: ", 1)[1].split(", since")[0])
    assert "LICENSE_IN_USE" in said[0] and said[0] == said[1], said
    # It ends like every other one, and both ends agree about what was carried.
    assert apart.viewer.program.stop() == 0
    row = wait_for("the row", lambda: [row for row in apart.rows() if row["id"] == session["id"]])[0]
    assert (row["reason"], row["via"], row["node"]) == ("VIEWER_LEFT", here.made["node"], there.made["node"])
    assert row["receipts"]["agree"] == "yes"
    every = apart.rows()
    for way in ("viewer", "host"):
        counted = sum(row[f"bytes_to_{way}"] for row in every)
        assert counted > 0
        assert metric(there, f"data_to_{way}_bytes_total") == counted
        # What was on its way when the viewer left, one of the two has dropped.
        assert metric(here, f"crossed_to_{way}_bytes_total") > 0
        assert metric(here, f"data_to_{way}_bytes_total") == 0
    # Orders given at the first node reach it at the second, and the viewer is told why.
    for word, reason in (("kill", "ADMIN_DISCONNECT"), ("disable", "LICENSE_DISABLED")):
        apart.viewer.listen()
        session = apart.live()
        here.ctl(*(("session", "kill", session["id"]) if word == "kill" else ("license", "disable", license["id"])))
        assert apart.viewer.program.wait() == 77
        assert reason in apart.viewer.program.text()
        row = wait_for("the row", lambda session=session: [
            row for row in apart.rows() if row["id"] == session["id"]])[0]
        assert row["reason"] == reason
    wait_for("the crossing to be over", lambda: metric(here, "crossings") == metric(there, "peer_legs") == 0)


def test_numbers_arrive_while_either_node_is_lost(world):
    apart = Apart(world, manager=True, config=QUICK)
    typed = apart.desktop.typing_into()
    screen = apart.connect()
    typist = Typist(screen, 1, 300).start()

    def resumed(node, before):
        return node.program.alive() and node.program.text().count("session opened") > before

    for number, victim in ((40, apart.there), (130, apart.here)):
        typist.wait_until(number)
        before = apart.there.program.text().count("session opened")
        victim.program.kill()
        victim.restart()
        wait_for("the session to go on", lambda before=before: resumed(apart.there, before), seconds=90)
    # The node of the host hangs; the other one hears nothing of it and lets the viewer go.
    typist.wait_until(220)
    crossed = apart.here.program.text().count("viewer crosses")
    apart.there.program.kill(signal.SIGSTOP)
    wait_for("the loss to be noticed", lambda: "reason=KEEPALIVE_TIMEOUT" in apart.here.program.text())
    apart.there.program.kill(signal.SIGCONT)
    wait_for("the viewer to cross again",
             lambda: apart.here.program.text().count("viewer crosses") > crossed, seconds=90)
    typist.done()
    wait_for("what was typed to be in the file", lambda: typed.read_text() == typist.text, seconds=90)
    sessions = {row["id"] for row in apart.rows() if row["purpose"] == "session"}
    assert len(sessions | {apart.live()["id"]}) == 1


def revoke(node, other):
    """`node` trusts the certificate of `other` no more; None: all of them again."""
    said = run("openssl", "x509", "-in", other.data / "node.pem", "-noout", "-fingerprint", "-sha256") if other else ""
    (node.data / "revoked.txt").write_text(said)
    node.program.kill(signal.SIGHUP)


def is_cut(judge, revoked):
    """Its connections are closed, the log says why, and it gets no new one."""
    wait_for("the connection to be closed", lambda: any(
        "not trusted any more" in line and f"node={revoked.made['node']}" in line and "revoked" in line
        for line in judge.program.text().splitlines()))
    wait_for("a new one to be refused", lambda: metric(judge, "peers_refused_total") >= 2)


def test_a_session_over_a_revoked_node_is_cut_and_goes_on_later(world):
    apart = Apart(world, manager=True, config={"relay": {"grace": "5m"}})
    here, there = apart.here, apart.there
    typed = apart.desktop.typing_into()
    typist = Typist(apart.connect(), 1, 3000).start()
    session = apart.live()["id"]
    wait_for("typing", lambda: typist.at >= 20)
    # The host's node takes no viewer from a node that it does not trust, until it does again.
    carried = there.program.text().count("viewer carried here")
    revoke(there, here)
    is_cut(there, here)
    wait_for("no viewer to be carried", lambda: metric(there, "peer_legs") == 0)
    assert there.program.text().count("viewer carried here") == carried
    revoke(there, None)
    wait_for("the viewer to be carried again",
             lambda: there.program.text().count("viewer carried here") > carried, seconds=90)
    typist.stop()
    wait_for("what was typed to be in the file", lambda: typed.read_text() == typist.text, seconds=90)
    assert apart.live()["id"] == session
    # The viewer's node brings nobody to one that it does not trust.
    carried = there.program.text().count("viewer carried here")
    revoke(here, there)
    is_cut(here, there)
    wait_for("no viewer to be carried", lambda: metric(here, "crossings") == metric(there, "peer_legs") == 0)
    assert there.program.text().count("viewer carried here") == carried
