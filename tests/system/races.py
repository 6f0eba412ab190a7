"""Races of viewers over the nodes of a cluster whose nodes fall asleep in turn: tests/bench/race_ends.c runs and
judges the ends, this starts it and disturbs the nodes.

    figures = Races(world, cluster, licenses=32, races=200, seconds=150).run()
"""

import json
import random
import signal
import subprocess
import threading
import time

from world import BIN, TOOLS, run

# Leases of seconds: a node that sleeps for two has lost all of them.
SHORT = {
    "relay": {"keepalive": "500ms", "claim_ttl": "1s", "claim_renew": "300ms", "presence_ttl": "1500ms",
              "presence_renew": "400ms", "grace": "500ms", "accepts_per_address": 100000,
              "strangers_per_address": 1000, "penalty_least": "10m"},
    "admission": {"address_failures": 100000},
}


class Races:
    """`races` races of three viewers each, for `licenses` hosts, over the nodes of `cluster`."""

    def __init__(self, world, cluster, licenses, races, seconds, seed=1):
        holders, self.csv = world.tmp / "holders.csv", world.tmp / "secrets.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(licenses)))
        self.csv.write_text(run(BIN / "engawactl", "--data", cluster.nodes[0].data, "license", "import", holders,
                                timeout=60 + licenses))
        keys = world.tmp / "keys"
        keys.mkdir()
        self.cluster, self.random = cluster, random.Random(seed)
        words = [TOOLS / "race_ends", "--licenses", self.csv, "--ca", cluster.ca, "--dir", keys,
                 "--races", races, "--seconds", seconds, "--seed", seed]
        for node in cluster.nodes:
            words += ["--gateway", node.listen]
        self.log = world.tmp / "race_ends.log"
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=sink)
        self.sleeps = 0
        self.patience = seconds + 60

    def _disturb(self, sleep, awake):
        """One node after the other sleeps longer than its leases."""
        while self.process.poll() is None:
            time.sleep(self.random.uniform(*awake))
            node = self.random.choice(self.cluster.nodes)
            node.program.kill(signal.SIGSTOP)
            time.sleep(self.random.uniform(*sleep))
            node.program.kill(signal.SIGCONT)
            self.sleeps += 1

    def run(self, sleep=(1.6, 2.2), awake=(0.5, 1.5)):
        thread = threading.Thread(target=self._disturb, args=(sleep, awake), daemon=True)
        thread.start()
        out, _ = self.process.communicate(timeout=self.patience)
        thread.join()
        text = self.log.read_text()
        assert out, f"exit {self.process.returncode}: {text}"
        figures = json.loads(out)
        assert self.process.returncode == 0, f"{figures}\n{text}"
        assert figures["overlaps"] == figures["doubled"] == figures["foreign"] == 0, f"{figures}\n{text}"
        return figures


def journal_agrees(cluster):
    """Each fence has one closing row, and no receipt of an end contradicts what was carried. How many rows."""
    rows = cluster.log("sessions", "--limit", "100000")
    fences = [(row["license"], row["fence"]) for row in rows]
    assert len(set(fences)) == len(fences), "a fence has two rows"
    wrong = [row for row in rows if row.get("receipts", {}).get("agree") == "no"]
    assert not wrong, wrong
    return len(rows)
