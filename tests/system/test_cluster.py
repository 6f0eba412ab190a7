"""Several nodes on one Redis: what is true of them together."""

from cluster import Cluster
from world import Display, Host, wait_for


def test_two_nodes_are_one_cluster(world):
    cluster = Cluster(world, nodes=2, deadline_ms=5000)
    one, two = cluster.nodes
    license = cluster.license()
    assert [row["id"] for row in two.ctl("license", "list")] == [license["id"]]
    for node in cluster.nodes:
        listed = wait_for("both nodes in the list", lambda node=node: [
            rows for rows in [node.ctl("node", "list")] if len(rows) == 2])[0]
        assert {row["id"] for row in listed} == set(cluster.names())
    desktop = Display(world, manager=False)
    host = Host(world, two, license).enroll(gateway=cluster.addresses).run("--display", desktop.at)
    for node in cluster.nodes:
        wait_for("the host to be online", lambda node=node: any(
            row["online"] for row in node.ctl("host", "list")))
    one.program.kill()
    two.program.kill()
    two.restart()
    host.online()
    assert cluster.living() is two
