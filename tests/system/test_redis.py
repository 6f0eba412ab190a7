"""Redis goes away in every way it can: sessions do not notice, nothing recorded is lost, and nobody new is let in."""

import json
import signal
import time

import pytest
from cluster import Cluster, Line, Redis
from test_data_life import backed_up, restore
from test_gateway_admin import Rest
from test_survive import Office
from typist import Typist
from world import Display, Gateway, Host, ProgramFailed, Viewer, wait_for

# Claims end while Redis is away, and rows are written all the time.
PATIENT_MS = 2000  # what a busy machine's Redis is given where slowness is not the fault
SHORT = {"relay": {"claim_ttl": "1500ms", "claim_renew": "500ms", "meter_interval": "500ms"}}


def readiness(node):
    status, _, text = Rest(node).ask("GET", "/readyz")
    answer = json.loads(text)
    assert (status == 200) == (answer["status"] == "ready")
    return answer


def is_degraded(node, word):
    """Not ready, for this reason; and alive all the same."""
    answer = readiness(node)
    assert Rest(node).ask("GET", "/healthz")[0] == 200
    return answer["status"] == "degraded" and any(word in why for why in answer["why"])


def ready(node):
    wait_for("the node to be ready", lambda: readiness(node)["status"] == "ready")


def refused(node, *words):
    """What administration says while the store is away; nothing is half done."""
    with pytest.raises(ProgramFailed) as failure:
        node.ctl(*words)
    assert failure.value.code == 75 and "STORE_UNAVAILABLE" in str(failure.value) and "wait 5 s" in str(failure.value)


def test_a_session_does_not_notice_what_happens_to_redis(world):
    office = Office(world, Cluster(world, nodes=1, config=SHORT, deadline_ms=PATIENT_MS))
    node, redis = office.cluster.nodes[0], office.cluster.redis
    joined = office.fences()
    typist = Typist(office.screen, 1, 3000).start()

    def goes_on():
        at = typist.at
        wait_for("typing to go on", lambda: typist.at >= at + 20)

    # Killed, for longer than a claim lasts.
    redis.kill()
    wait_for("the node to say so", lambda: is_degraded(node, "store: does not answer since"))
    refused(node, "license", "list")
    refused(node, "license", "disable", office.license["id"])
    newcomer, ticket = Viewer(world, office.cluster, office.license, "newcomer"), office.host.ticket()
    with pytest.raises(ProgramFailed) as failure:
        newcomer.pair(ticket)
    assert "STORE_UNAVAILABLE" in failure.value.err, failure.value.err
    time.sleep(2)
    goes_on()
    redis.start()
    ready(node)
    # Stopped: it takes commands and answers none.
    redis.pause()
    wait_for("the node to say so", lambda: is_degraded(node, "store: does not answer since"))
    goes_on()
    redis.resume()
    ready(node)
    # No memory left: nothing is half written.
    redis.cli("config", "set", "maxmemory", "1")
    with pytest.raises(ProgramFailed) as failure:
        node.ctl("license", "create", "--holder", "nobody")
    assert "DISK_FULL" in str(failure.value) or "RECORDING_FAILED" in str(failure.value)
    goes_on()
    redis.cli("config", "set", "maxmemory", "0")
    ready(node)
    assert len(node.ctl("license", "list")) == 1
    # Emptied: nobody new comes in, who is in stays, and the hosts are known again.
    redis.cli("flushall")
    wait_for("the host to be announced again", lambda: redis.cli("exists", f"engawa:at:{office.license['id']}") == "1")
    wait_for("the node to say so", lambda: is_degraded(node, "store: was emptied"))
    assert "the store was emptied" in node.program.text()
    goes_on()
    with pytest.raises(ProgramFailed) as failure:
        newcomer.pair(ticket)
    assert "LICENSE_UNKNOWN" in failure.value.err, failure.value.err
    typist.stop()
    office.arrived(typist.text)
    assert office.fences() == joined, "nobody has had to be joined again"


def test_bytes_add_up_over_outages_and_a_killed_node(world):
    office = Office(world, Cluster(world, nodes=1, config=SHORT, deadline_ms=PATIENT_MS))
    node, redis = office.cluster.nodes[0], office.cluster.redis
    typist = Typist(office.screen, 1, 3000).start()
    for killed in (False, True):
        redis.kill()
        wait_for("rows to wait on the disk", lambda: (node.data / "spool/journal.spool").stat().st_size > 2000)
        at = typist.at
        wait_for("typing to go on", lambda at=at: typist.at >= at + 20)
        if killed:
            node.program.kill()
        redis.start()
        if killed:
            node.restart()
            wait_for("the session to be taken up", office.carrier)
    wait_for("the rows to be delivered", lambda: (node.data / "spool/journal.spool").stat().st_size == 0)
    typist.stop()
    office.arrived(typist.text)
    office.viewer.program.stop()

    def closed():
        return [row for row in node.log("sessions", "--license", office.license["id"]) if row.get("ended")]

    rows = wait_for("all parts to be closed", lambda: [
        rows for rows in [closed()] if len({row["fence"] for row in rows}) == len(office.fences())])[0]
    assert len(rows) == len({row["fence"] for row in rows}), "every part is closed once"
    carried = node.log("bandwidth", "--license", office.license["id"])
    for way in ("bytes_to_viewer", "bytes_to_host"):
        for row in rows:
            assert sum(one[way] for one in carried if one["fence"] == row["fence"]) == row[way], (way, row)
    last = max(rows, key=lambda row: row["fence"])
    assert last["receipts"]["agree"] == "yes", last
    assert node.ctl("audit", "verify")["ok"]


def test_orders_reach_a_node_that_was_away(world):
    redis = Redis(world, tcp=True)
    cluster = Cluster(world, nodes=1, config=SHORT, redis=redis, deadline_ms=PATIENT_MS)
    one = cluster.nodes[0]
    line = Line(world, f"127.0.0.1:{redis.port}")

    # The same Redis, over a line of its own.
    cluster.store = f"redis://{line.address}?deadline_ms=500"
    two = cluster.add()
    license = one.license()
    host = Host(world, two, license).enroll().run("--display", Display(world, manager=False).at)
    viewer = Viewer(world, two, license).pair(host.ticket()).listen()

    def session():
        return wait_for("a session on the far node", lambda: one.ctl("session", "list"))[0]

    def ends(reason):
        return wait_for(f"the session to end by {reason}", lambda: reason in two.program.text())

    # Slow answers are no answers, and hurt nobody who is in.
    line.say("delay both 400")
    wait_for("the far node to say so", lambda: is_degraded(two, "store: does not answer since"))
    ready(one)
    line.say("delay both 0")
    ready(two)
    # An order that was given while its line was frozen.
    live = session()
    line.say("freeze both")
    wait_for("the far node to say so", lambda: is_degraded(two, "store: does not answer since"))
    one.ctl("session", "kill", live["id"])
    assert "ADMIN_DISCONNECT" not in two.program.text()
    line.say("thaw both")
    ends("ADMIN_DISCONNECT")
    # And one that was given while it stood still.
    wait_for("the license to be free", lambda: redis.cli("exists", f"engawa:claim:{license['id']}") == "0")
    viewer.listen()
    session()
    two.program.kill(signal.SIGSTOP)
    one.ctl("license", "disable", license["id"])
    two.program.kill(signal.SIGCONT)
    ends("LICENSE_DISABLED")


def rows_of(gateway, kind, last):
    """What the journal had when the backup began, as it stands; what came later is left out."""
    return [row for row in gateway.log(kind) if row["seq"] <= last]


def holds_the_same(one, two, last):
    for kind in ("audit", "logins", "sessions", "bandwidth"):
        assert rows_of(one, kind, last) == rows_of(two, kind, last), kind
    for what in ("license", "account", "policy", "group", "tenant"):
        assert one.ctl(what, "list") == two.ctl(what, "list"), what
    assert two.ctl("audit", "verify")["ok"]


def test_redis_as_we_ship_it_comes_back_with_everything(world):
    redis = Redis(world, user="engawa", password="pw")
    assert redis.cli("--user", "default", "--pass", "", "ping", code=None) != "PONG", "nobody is the default user"
    cluster = Cluster(world, nodes=1, redis=redis, deadline_ms=5000)
    node = cluster.nodes[0]
    made = node.license("佐藤 花子")["id"]
    redis.restart()
    wait_for("the license", lambda: made in node.ctl("license", "list", json_out=False, code=None))
    assert node.ctl("audit", "verify")["ok"]


def test_a_backup_goes_from_one_store_into_the_other(world):
    redis = Redis(world)
    one = Gateway(world, "one").init().start()
    one.ctl("tenant", "create", "acme", "--name", "Acme KK")
    for number in range(20):
        one.license(f"佐藤 {number}", "--tenant", "acme")
    last = max(row["seq"] for row in one.log("audit"))
    _, file = backed_up(one)
    # SQLite into Redis: the same authority and node, another store.
    two = Gateway(world, "two")
    restore(two.data, file, one.data / "backup.key", "--store", redis.url)
    two.start("--store", redis.url)
    holds_the_same(one, two, last)
    one.program.stop()
    # It goes on there, and back again.
    two.license("後", "--tenant", "acme")
    last = max(row["seq"] for row in two.log("audit"))
    _, file = backed_up(two)
    three = Gateway(world, "three")
    restore(three.data, file, two.data / "backup.key")
    three.start()
    holds_the_same(two, three, last)
    assert len(three.ctl("license", "list")) == 21
