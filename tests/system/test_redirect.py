"""Viewers and hosts that come in at different nodes: the viewer is sent to the node of its host, and the newest
leg of a host is the host."""

import signal

from cluster import Cluster, Line
from person import totp
from rfb import Rfb
from test_survive import Office
from typist import Typist
from world import Display, Host, Viewer, wait_for


def ask_for_codes(cluster, license):
    """From now on the license needs one-time codes; returns the secret."""
    secret = cluster.ctl("license", "totp", license["id"])["secret"]
    cluster.ctl("license", "totp-confirm", license["id"], totp(secret, step=-1))
    return secret


def node_of_session(cluster):
    rows = wait_for("the session", lambda: cluster.ctl("session", "list"))
    return rows[0]["node"]


def test_a_viewer_is_sent_to_the_node_of_its_host(world):
    cluster = Cluster(world, nodes=2)
    one, two = cluster.nodes
    license = cluster.license()
    desktop = Display(world, manager=False)
    host = Host(world, cluster, license).enroll(gateway=two.listen).run("--display", desktop.at).online()
    listed = wait_for("both nodes in the list", lambda: [
        rows for rows in [one.ctl("node", "list")] if len(rows) == 2])[0]
    assert {row["address"] for row in listed} == {row["peer"] for row in listed} == {one.listen, two.listen}
    # It knows the first node only; the pairing goes where the host is, too.
    viewer = Viewer(world, cluster, license)
    viewer.pair(host.ticket(), gateway=one.listen)
    secret = ask_for_codes(cluster, license)
    # The code is used up at the first node: the token stands for it at the second.
    viewer.listen("--totp", totp(secret))
    screen = Rfb(viewer.port)
    assert screen.image().size == (1024, 768)
    assert node_of_session(cluster) == two.made["node"]
    assert "HOST_ELSEWHERE" in one.program.text()
    joined = [row for row in cluster.log("logins", "--license", license["id"]) if row["joined"]]
    assert len(joined) == 2 and all(row["result"] == "ok" for row in joined), joined


def test_the_newest_leg_of_a_host_is_the_host(world):
    cluster = Cluster(world, nodes=2)
    one, two = cluster.nodes
    license = cluster.license()
    desktop = Display(world, manager=False)
    line = Line(world, one.listen)
    host = Host(world, cluster, license).enroll(gateway=line.address).run("--display", desktop.at).online()
    # The first node hears nothing of what happens to its host now: its leg hangs half open.
    line.say("freeze both")
    host.program.kill()
    host.enroll(gateway=two.listen).run("--display", desktop.at)
    wait_for("the old leg to be closed", lambda: "reason=HOST_REPLACED" in one.program.text())
    # Viewers are sent to the newer one, and it is not shown as away because the older one went.
    viewer = Viewer(world, cluster, license).pair(host.ticket(), gateway=one.listen)
    viewer.listen()
    Rfb(viewer.port)
    assert node_of_session(cluster) == two.made["node"]
    host.online()


def test_a_node_that_slept_feeds_nothing(world):
    """It wakes up with a session that went on at another node, and with keystrokes in its buffers."""
    # Pairing stretches its code for seconds on a busy machine: an end is not given up so soon.
    cluster = Cluster(world, nodes=2, config={"relay": {
        "keepalive": "4s", "claim_ttl": "2s", "claim_renew": "500ms", "presence_ttl": "2s", "presence_renew": "500ms"}})
    office = Office(world, cluster)
    typist = Typist(office.screen, 1, 200).start()
    typist.wait_until(30)
    sleeper = wait_for("a node with the session", office.carrier)
    other, = (node for node in cluster.nodes if node is not sleeper)
    before = other.program.text().count("session opened")
    sleeper.program.kill(signal.SIGSTOP)
    try:
        wait_for("the session to go on at the other node",
                 lambda: other.program.text().count("session opened") > before)
        typist.wait_until(90)
    finally:
        sleeper.program.kill(signal.SIGCONT)
    wait_for("the old one to end", lambda: sleeper.program.text().count("session closed") ==
             sleeper.program.text().count("session opened"))
    typist.done()
    office.arrived(typist.text)
    opened = [int(line.split("fence=")[1].split()[0]) for node in (sleeper, other)
              for line in node.program.text().splitlines() if "session opened" in line]
    assert len(set(opened)) == len(opened), opened
