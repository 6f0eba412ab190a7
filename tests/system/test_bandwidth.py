"""What a session or a company may carry a second: the relay holds to it, in live sessions at once.

Never faster than the cap: only that is asserted of time. That it could be faster without the cap, nobody knows of a
busy machine; that it rested, the node counts."""

import json
import re
import time

from cluster import Cluster
from rfb import Rfb
from test_gateway_admin import Rest
from world import BIN, Host, Viewer, run, wait_for

RATE = 2_000_000
# A tenth of a second saved up, and one read beyond it.
ALLOWANCE = RATE // 10 + 128 * 1024


class Counting(Rfb):
    """An RFB client that knows how many bytes came since it began, and how long ago that was."""

    def __init__(self, port):
        self.bytes, self.began = 0, time.monotonic()
        super().__init__(port)

    def read(self, count):
        part = super().read(count)
        self.bytes += len(part)
        return part

    def whole_picture(self):
        """Raw: 3 MiB come, whatever else does."""
        self.request(incremental=False)
        seen = self.bytes
        while self.bytes < seen + self.width * self.height * 4:
            self.message()


def rests(gateway):
    text = Rest(gateway).ask("GET", "/metrics")[2]
    if isinstance(text, bytes):
        text = text.decode()
    return int(re.search(r"^engawa_rate_rests_total (\d+)", text, re.M)[1])


def pictures_until_it_rests(gateway, screen):
    before = rests(gateway)

    def one():
        screen.whole_picture()
        took = time.monotonic() - screen.began
        assert screen.bytes <= RATE * took + ALLOWANCE, f"{screen.bytes} bytes in {took:.3f} s"
        return rests(gateway) > before
    wait_for("the relay to rest", one)


def set_policy(gateway, policy, level):
    path = gateway.world.tmp / "policy.json"
    path.write_text(json.dumps(policy))
    gateway.ctl("policy", "set", level, path)


def test_caps_of_session_and_company(world, gateway):
    gateway.ctl("tenant", "create", "acme", "--name", "Acme KK")
    set_policy(gateway, {"rate_max_bytes": RATE}, "tenant/acme")
    license = gateway.license("佐藤 花子", "--tenant", "acme")
    assert gateway.ctl("license", "policy", license["id"])["effective"]["rate_max_bytes"] == RATE
    host = Host(world, gateway, license).enroll().run("--test-picture").online()
    viewer = Viewer(world, gateway, license).pair(host.ticket()).listen()
    screen = Counting(viewer.port)
    pictures_until_it_rests(gateway, screen)

    def narrowed():
        return gateway.program.text().count("session under a new policy")
    # The company's own cap comes, then the session's goes: at no moment is there none.
    seen = narrowed()
    gateway.ctl("tenant", "change", "acme", "--rate-max", str(RATE))
    assert gateway.ctl("tenant", "show", "acme")["rate_max_bytes"] == RATE
    wait_for("the company's cap", lambda: narrowed() > seen)
    seen = narrowed()
    set_policy(gateway, {}, "tenant/acme")
    wait_for("the session's cap to go", lambda: narrowed() > seen)
    pictures_until_it_rests(gateway, screen)
    # Without any the relay does not rest any more.
    seen = narrowed()
    gateway.ctl("tenant", "change", "acme", "--rate-max", "0")
    wait_for("the company's cap to go", lambda: narrowed() > seen)
    before = rests(gateway)
    screen.whole_picture()
    assert rests(gateway) == before
    screen.close()


def test_caps_hold_for_a_session_that_crosses(world):
    """Viewer at one node, host at the other: the host's node holds to both caps, the carrying node adds nothing."""
    cluster = Cluster(world, nodes=2, addresses=False, peers=True, deadline_ms=5000)
    here, there = cluster.nodes
    here.ctl("tenant", "create", "acme", "--name", "Acme KK")
    set_policy(here, {"rate_max_bytes": RATE}, "tenant/acme")
    license = here.license("佐藤 花子", "--tenant", "acme")
    host = Host(world, cluster, license).enroll(gateway=there.listen).run("--test-picture").online()
    viewer = Viewer(world, cluster, license).pair(host.ticket(), gateway=here.listen).listen()
    session = wait_for("the session", lambda: here.ctl("session", "list"))[0]
    assert (session["node"], session["via"]) == (there.made["node"], here.made["node"])
    screen = Counting(viewer.port)
    pictures_until_it_rests(there, screen)
    # The company's own cap, set at the node that carries, is one for both nodes: half of it is the other node's.
    seen = there.program.text().count("session under a new policy")
    here.ctl("tenant", "change", "acme", "--rate-max", str(RATE))
    wait_for("the company's cap", lambda: there.program.text().count("session under a new policy") > seen)
    set_policy(here, {}, "tenant/acme")
    wait_for("the session's cap to go", lambda: there.program.text().count("session under a new policy") > seen + 1)
    pictures_until_it_rests(there, screen)
    assert rests(here) == 0, "no byte rests twice"
    screen.close()
    assert viewer.program.stop() == 0
    # All that came was counted at the one node that rested, and no byte beside it.
    row = wait_for("the row", lambda: [row for row in here.log("sessions") if row["id"] == session["id"]])[0]
    assert row["receipts"]["agree"] == "yes" and row["bytes_to_viewer"] >= screen.bytes, (row, screen.bytes)


def test_caps_that_make_no_sense_are_refused(gateway):
    gateway.ctl("tenant", "create", "acme", "--name", "Acme KK")
    rest = Rest(gateway)
    for method, path in (("PUT", "/api/v1/policies/default"), ("PATCH", "/api/v1/tenants/acme")):
        for wrong in (100, -1, 10**11, 1.5, "1M"):
            status, _, text = rest.ask(method, path, {"rate_max_bytes": wrong})
            assert status == 400 and "rate_max_bytes" in str(text), (path, wrong, text)
    assert "rate_per_session" in run(BIN / "engawactl", "--data", gateway.data, "limits")
