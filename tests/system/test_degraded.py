"""Redis is away and the node was told to use what it remembers: who was let in before comes to his PC on this node,
nobody else comes in, and when Redis is back it is as if it had never been away."""

import json

import pytest
from cluster import Cluster, Line, Redis
from ldap_peer import Slapd
from rfb import Rfb
from test_redis import PATIENT_MS, SHORT, is_degraded, ready
from world import Display, Host, ProgramFailed, Viewer, have, wait_for


def opened(node, license):
    """The fences of the sessions that this node has opened for a license."""
    return [int(line.split("fence=")[1].split()[0]) for line in node.program.text().splitlines()
            if "session opened" in line and license["id"] in line]


def comes_in(node, viewer):
    """A session of its own, with a picture."""
    before = len(opened(node, viewer.license))
    viewer.listen()
    Rfb(viewer.port).pump(0.1)
    wait_for("the session", lambda: len(opened(node, viewer.license)) > before)


def goes(redis, viewer):
    viewer.program.stop()
    wait_for("the license to be free", lambda: redis.cli("exists", f"engawa:claim:{viewer.license['id']}") == "0")


def refused(symbol, act):
    with pytest.raises(ProgramFailed) as failure:
        act()
    assert symbol in failure.value.err, failure.value.err


@pytest.mark.skipif(not have("slapd"), reason="slapd is not installed")
def test_who_signs_in_at_a_directory_waits_for_the_store(world):
    """A password that is checked elsewhere is nothing that a node remembers; another license's viewer comes in."""
    redis = Redis(world)
    config = {**SHORT, "store": {"degraded_mode": "cache"}}
    node = Cluster(world, nodes=1, config=config, redis=redis, deadline_ms=PATIENT_MS).nodes[0]
    path = world.tmp / "directory.json"
    path.write_text(json.dumps({"id": "ad", "name": "AD", "kind": "ldap", "use": ["holders"],
                                "ldap": Slapd(world, {"alice": "wonder land 1"}).searching()}))
    node.ctl("directory", "create", path)
    display = Display(world, manager=False)
    viewers = []
    for name, more in (("alice", ("--directory", "ad", "--directory-user", "alice")), ("bob", ())):
        license = node.license(name, *more)
        host = Host(world, node, license, f"host-{name}").enroll().run("--display", display.at)
        viewer = Viewer(world, node, license, f"viewer-{name}")
        if more:
            viewer.set_password("wonder land 1")
        viewers.append(viewer.pair(host.ticket()))
        comes_in(node, viewer)
        goes(redis, viewer)
    alice, bob = viewers
    redis.kill()
    wait_for("the node to say so", lambda: is_degraded(node, "degraded mode: cache"))
    refused("STORE_UNAVAILABLE", lambda: alice.connect())
    comes_in(node, bob)
    bob.program.stop()
    redis.start()
    ready(node)
    comes_in(node, alice)


def is_held_by_the_store(redis, node, license):
    """Claimed, by a fence above that of the session."""
    claim = redis.cli("hget", f"engawa:claim:{license['id']}", "fence")
    return claim and int(claim) > opened(node, license)[-1]


def test_who_was_let_in_before_comes_in_while_redis_is_away(world):
    redis = Redis(world, tcp=True)
    cluster = Cluster(world, nodes=1, config=SHORT, redis=redis, deadline_ms=PATIENT_MS)
    far = cluster.nodes[0]
    line = Line(world, f"127.0.0.1:{redis.port}")
    cluster.store = f"redis://{line.address}?deadline_ms={PATIENT_MS}"
    cluster.config = {**SHORT, "store": {"degraded_mode": "cache"}}
    node = cluster.add()
    display = Display(world, manager=False)
    hosts, viewers = {}, {}
    for name in ("known", "disabled"):
        license = far.license(name)
        hosts[name] = Host(world, node, license, f"host-{name}").enroll().run("--display", display.at)
        viewers[name] = Viewer(world, node, license, f"viewer-{name}").pair(hosts[name].ticket())
        comes_in(node, viewers[name])
        goes(redis, viewers[name])
    known, disabled = viewers["known"], viewers["disabled"]
    stranger, ticket = Viewer(world, node, known.license, "stranger"), hosts["known"].ticket()

    # Killed: who is known comes in, with the right password; who is not, does not.
    redis.kill()
    wait_for("the node to say so", lambda: is_degraded(node, "degraded mode: cache, known viewers come in until"))
    wait_for("the strict one too", lambda: is_degraded(far, "degraded mode: strict"))
    refused("STORE_UNAVAILABLE", lambda: stranger.pair(ticket))
    known.set_password("something else")
    refused("PASSWORD_WRONG", lambda: known.connect())
    known.set_password(known.license["password"])
    comes_in(node, known)
    redis.start()
    ready(node)
    wait_for("the store to have it", lambda: is_held_by_the_store(redis, node, known.license))
    wait_for("the store to agree", lambda: "confirmed by the store" in node.program.text())

    # Cut off alone, while an administrator disables a license at another node.
    line.say("freeze both")
    wait_for("the node to say so", lambda: is_degraded(node, "degraded mode: cache"))
    comes_in(node, disabled)
    far.ctl("license", "disable", disabled.license["id"])
    assert "LICENSE_DISABLED" not in node.program.text()
    line.say("thaw both")
    wait_for("the session to end", lambda: "LICENSE_DISABLED" in node.program.text())
    ready(node)
    disabled.program.stop()
    goes(redis, known)

    # All of it is recorded, once, and the chain holds.
    for viewer in viewers.values():
        fence = opened(node, viewer.license)[-1]
        rows = wait_for("the closing row", lambda viewer=viewer, fence=fence: [
            row for row in far.log("sessions", "--license", viewer.license["id"])
            if row["fence"] == fence and row.get("ended")])
        assert len(rows) == 1 and rows[0]["cached"] is True, rows
        logins = [row for row in far.log("logins", "--license", viewer.license["id"])
                  if row.get("cached") and row["result"] == "ok"]
        assert len(logins) == 1, logins
    events = [row["event"] for row in far.log("audit")]
    assert events.count("CACHE_ENTERED") == events.count("CACHE_LEFT") == 2, events
    assert far.ctl("audit", "verify")["ok"]
    modes = {one["id"]: one["degraded_mode"] for one in far.ctl("node", "list")}
    assert sorted(modes.values()) == ["cache", "strict"], modes
