"""Viewers that another node carries to the node of their host, which ends cannot reach: it has a peer address only."""

import json

from cluster import Cluster
from rfb import Rfb
from world import Display, Host, Viewer, run, wait_for


def metric(node, name):
    """A figure of a node, all labels together."""
    text = node.ctl("metrics", json_out=False)
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.split("{")[0].split(" ")[0] == f"engawa_{name}")


def apart(world, **options):
    """Two nodes, the host at the second, a viewer that knows the first alone; `paired` across."""
    cluster = Cluster(world, nodes=2, addresses=False, peers=True, **options)
    license = cluster.license()
    desktop = Display(world, manager=False)
    host = Host(world, cluster, license).enroll(gateway=cluster.nodes[1].listen).run("--display", desktop.at).online()
    viewer = Viewer(world, cluster, license).pair(host.ticket(), gateway=cluster.nodes[0].listen)
    return cluster, license, desktop, host, viewer


def session_of(node):
    return wait_for("the session", lambda: node.ctl("session", "list"))[0]


def test_a_session_crosses(world):
    cluster, license, desktop, host, viewer = apart(world)
    one, two = cluster.nodes
    viewer.listen()
    screen = Rfb(viewer.port)
    assert screen.image().size == (1024, 768)
    print(session_of(one))
    print(one.program.text()[-3000:])
    print(two.program.text()[-3000:])
