"""Sessions outlive their relay: nodes are killed, Redis is restarted, lines are cut, machines sleep, and
what was typed at home is in the office exactly once."""

import signal
import time

from cluster import Cluster, Line
from rfb import Rfb
from test_main_job import pressed
from typist import SHIFT, Typist
from world import Display, Host, Viewer, wait_for

# Dead nodes are given up after seconds; they still write every one and a half.
SETTINGS = {"relay": {"node_lost": "6s"}}
# A line is given up after three of these. Not while pairing: stretching its code can take as long here.
QUICK = {"relay": {"node_lost": "6s", "keepalive": "2s", "claim_ttl": "4s", "claim_renew": "1s"}}


class Office:
    """A cluster, an office PC whose terminal writes into a file, and a viewer at home that is connected."""

    def __init__(self, world, cluster, viewer_gateways=None):
        self.cluster = cluster
        self.license = cluster.license()
        self.desktop = Display(world)
        self.host = Host(world, cluster, self.license).enroll().run("--display", self.desktop.at)
        self.viewer = Viewer(world, cluster, self.license)
        self.viewer.pair(self.host.ticket(), gateway=viewer_gateways)
        self.typed = self.desktop.typing_into()
        self.viewer.listen()
        self.screen = Rfb(self.viewer.port)

    def joined(self):
        """(fence, node) each time that the session was joined, oldest first."""
        return sorted((line.split("fence=")[1].split()[0], number) for number, node in enumerate(self.cluster.nodes)
                      for line in node.program.text().splitlines()
                      if "session opened" in line and self.license["id"] in line)

    def carrier(self):
        """The node that joined it last."""
        return self.cluster.nodes[self.joined()[-1][1]]

    def fences(self):
        """Each time the session was joined has a fence of its own."""
        return {fence for fence, _ in self.joined()}

    def arrived(self, text):
        wait_for("what was typed to be in the file", lambda: self.typed.read_text() == text, seconds=90)
        # And nothing more comes behind it.
        self.screen.pump(1)
        assert self.typed.read_text() == text

    def closed(self):
        """The closing rows, oldest first."""
        return [row for row in self.cluster.log("sessions", "--license", self.license["id"]) if row.get("ended")]

    def closed_once(self):
        """Every time that the session was joined has its closing row, whoever wrote it, and only one."""
        return sorted(str(row["fence"]) for row in self.closed()) == sorted(self.fences())


def test_numbers_arrive_while_nodes_are_killed(world):
    cluster = Cluster(world, nodes=2, config=SETTINGS, deadline_ms=5000)
    office = Office(world, cluster)
    typist = Typist(office.screen, 1, 360).start()
    for round_, number in enumerate((40, 120, 200)):
        typist.wait_until(number)
        node = office.carrier()
        node.program.kill()
        if round_ == 1:
            office.cluster.redis.restart()
        wait_for("the other node to carry the session", lambda: office.carrier() is not node)
        cluster.configure(node, QUICK)
        node.restart()
    # One that is only stopped, until others have taken it for lost and closed what it carried, takes nothing back when
    # it goes on, and closes nothing again.
    typist.wait_until(260)
    node = office.carrier()
    other = next(one for one in cluster.nodes if one is not node)
    fence = int(office.joined()[-1][0])
    node.program.kill(signal.SIGSTOP)
    before = office.fences()
    wait_for("the other node to carry the session", lambda: office.fences() - before)
    joined = office.fences()
    wait_for("the other node to close its part", lambda: any(
        row["fence"] == fence and row.get("recovered") for row in
        other.log("sessions", "--license", office.license["id"])), seconds=90, every=0.5)
    node.program.kill(signal.SIGCONT)
    wait_for("it to see that its ends are gone", lambda: "session closed" in
             node.program.text().rsplit("session opened", 1)[-1])
    wait_for("it to hear that it is closed already", lambda: "another node has closed this session in the journal" in
             node.program.text())
    typist.done()
    office.arrived(typist.text)
    assert office.fences() == joined
    # Shift is held over the death of a node: it is up at the office as long as nobody can let go of it.
    office.screen.key(SHIFT, True)
    office.screen.press(ord("A"))
    wait_for("shift to be down", lambda: pressed(office.desktop)[0])
    for node in office.cluster.nodes:
        node.program.kill()
    wait_for("shift to be up", lambda: not pressed(office.desktop)[0])
    office.cluster.nodes[1].restart()
    office.screen.press(ord("B"))
    office.screen.key(SHIFT, False)
    office.screen.press(ord("c"))
    office.arrived(typist.text + "ABc")
    assert pressed(office.desktop) == (False, False)
    # One node stays dead: what it carried is closed all the same.
    assert office.viewer.program.stop() == 0
    wait_for("every part to have its closing row once", office.closed_once, seconds=90, every=0.5)
    assert office.cluster.ctl("audit", "verify")["ok"] is True


def test_numbers_arrive_over_bad_lines_and_sleep(world):
    cluster = Cluster(world, nodes=1, config=SETTINGS, deadline_ms=5000)
    node = cluster.nodes[0]
    line = Line(world, node.listen)
    office = Office(world, cluster, viewer_gateways=line.address)
    cluster.configure(node, QUICK)  # it reads this when it is restarted, below
    typist = Typist(office.screen, 1, 320).start()

    def over(number, what, seconds, back):
        """Something that is longer than the line's keepalive, while somebody types."""
        typist.wait_until(number)
        before = office.fences()
        what()
        time.sleep(seconds)
        back()
        wait_for("the session to be taken up again", lambda: office.fences() - before)

    over(30, node.program.kill, 0.2, node.restart)
    over(90, lambda: line.say("freeze both"), 8, lambda: line.say("thaw both"))
    over(150, lambda: line.say("rst"), 0, lambda: None)
    over(200, lambda: office.viewer.program.kill(signal.SIGSTOP), 8,
         lambda: office.viewer.program.kill(signal.SIGCONT))
    over(260, lambda: office.host.program.kill(signal.SIGSTOP), 8,
         lambda: office.host.program.kill(signal.SIGCONT))
    typist.done()
    office.arrived(typist.text)
    # The same session all the time, and each of its parts has its row.
    assert office.viewer.program.stop() == 0
    wait_for("every part to have its closing row once", office.closed_once, seconds=90, every=0.5)
    assert len({row["id"] for row in office.closed() if row["purpose"] == "session"}) == 1
