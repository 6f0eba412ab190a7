"""What an operator finds in deploy/ does what it says."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from cluster import Cluster
from rfb import Rfb
from world import BUILD, TOP, Display, Host, Viewer, free_port, run, wait_for

SHOW = TOP / "deploy/cluster-demo"


@pytest.fixture
def place():
    """A directory whose name is short enough for sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="engawa-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def demo(place, *words, code=0, **env):
    done = subprocess.run([SHOW, "--dir", place, "--no-install", *words], capture_output=True, text=True, timeout=330,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, "ENGAWA_BUILD": str(BUILD), "LC_ALL": "C.UTF-8", **env})
    said = done.stdout + done.stderr
    if done.returncode != code:
        logs = "".join(f"-- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in place.glob("log/*.log"))
        raise AssertionError(f"exit {done.returncode}\n{said}\n{logs}")
    return said


def running(place):
    """Command lines of processes that work in this directory."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if f"{place}/" in line:
            lines.append(line)
    return lines


def test_the_cluster_demo_shows_what_it_promises(place):
    try:
        said = demo(place, "--short", "--minutes", "5")
        assert re.search(r"Now (node\d), which carries the session, is killed: kill -9 \d+", said)
        # Once after the kill, once after the drain.
        assert len(re.findall(r"s: the session is on node\d\.", said)) == 2
        assert "150 lines, byte for byte the same" in said
        assert "rows are in order" in said
        assert "runs (pid" in demo(place, "--status", LC_ALL="ja_JP.UTF-8").replace("実行中", "runs")
    finally:
        stopped = demo(place, "--stop")
    assert "ended: node1" in stopped and "ended: redis" in stopped
    assert running(place) == []
    assert "Nothing" in demo(place, "--stop")


def test_a_build_without_the_registry(place):
    """Where npm reaches nobody the gateway is built without its pages; who wants them hears an error."""
    nobody = {**os.environ, "npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(place / "cache")}

    def step(name, mode):
        return subprocess.run(
            ["cmake", f"-DSTEP={name}", f"-DMODE={mode}", f"-DHERE={TOP}/gateway/console", f"-DTHERE={place}/npm",
             f"-DOUT={place}", "-DNAME=made.c", f"-DWITHOUT={TOP}/gateway/console/without.c", "-DWHAT=the console",
             "-DOPTION=ENGAWA_CONSOLE", f"-DNPM={shutil.which('npm') or '/bin/false'}", "-DNODE=node",
             "-P", TOP / "cmake/web_step.cmake"], env=nobody, capture_output=True, text=True, timeout=300)

    done = step("fetch", "AUTO")
    assert done.returncode == 0 and "BUILT WITHOUT the console" in done.stderr, done.stdout + done.stderr
    assert step("bundle", "AUTO").returncode == 0
    assert "without-console-1" in (place / "made.c").read_text()
    done = step("fetch", "ON")
    assert done.returncode != 0 and "could not be fetched" in done.stderr


def balancer(world, cluster):
    """HAProxy as deploy/haproxy has it, but for addresses. It speaks to the nodes from 127.0.0.3."""
    port = free_port()
    text = (TOP / "deploy/haproxy/haproxy.cfg").read_text()
    changes = {"bind :443": f"bind 127.0.0.1:{port}", "/etc/haproxy/engawa-ca.pem": str(cluster.ca),
               "maxconn 200000": "maxconn 100"}
    for number, node in enumerate(cluster.nodes, 1):
        changes[f"10.0.0.1{number}:7443 port 8443 verifyhost node{number}.example.jp"] = (
            f"{node.listen} port {node.admin.split(':')[1]} verifyhost localhost source 127.0.0.3")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = world.tmp / "haproxy.cfg"
    path.write_text(text)
    run("haproxy", "-c", "-f", path)
    world.start("haproxy", ["haproxy", "-db", "-f", path])
    return f"127.0.0.1:{port}"


def test_behind_haproxy(world):
    """The nodes learn who came, a node that is away gets nobody, and a session outlives its node."""
    cluster = Cluster(world, nodes=2, addresses=False, config={"listen": {"proxies": "127.0.0.3"}})
    one, two = cluster.nodes
    license = cluster.license()
    address = balancer(world, cluster)
    two.program.kill()
    desktop = Display(world)
    typed = desktop.typing_into()
    host = Host(world, cluster, license).enroll(gateway=address).run("--display", desktop.at)
    viewer = Viewer(world, cluster, license).pair(host.ticket(), gateway=address).listen()
    screen = Rfb(viewer.port)
    screen.type("before ")
    wait_for("the text", lambda: typed.read_text() == "before ")
    assert {row["address"] for row in one.log("logins", "--license", license["id"])} == {"127.0.0.1"}
    two.restart()
    one.program.kill()
    wait_for("the session at the other node", lambda: [
        row["node"] for row in two.ctl("session", "list")] == [two.made["node"]])
    screen.type("after")
    wait_for("the rest of the text", lambda: typed.read_text() == "before after")
