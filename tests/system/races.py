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

# Where a clock is set to: seconds away from the machine's.
JUMPS = (0, 60, -60, 900, -900, 3600, -3600, 3 * 3600, -3 * 3600)


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
        self.wrote = world.tmp / "wrote"
        words = [TOOLS / "race_ends", "--wrote", self.wrote, "--licenses", self.csv, "--ca", cluster.ca, "--dir", keys,
                 "--races", races, "--seconds", seconds, "--seed", seed]
        for node in cluster.nodes:
            words += ["--gateway", node.listen]
        self.log = world.tmp / "race_ends.log"
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=sink)
        self.sleeps = self.failovers = self.jumps = 0
        self.patience = seconds + 60
        self.faults = []

    def _running(self):
        return self.process.poll() is None and not self.faults

    def _pause(self, seconds):
        """Whether the races still run afterwards."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        return self._running()

    def _sleeps(self, sleep, awake):
        """One node after the other sleeps longer than its leases."""
        while self._pause(self.random.uniform(*awake)):
            node = self.random.choice(self.cluster.nodes)
            node.program.kill(signal.SIGSTOP)
            time.sleep(self.random.uniform(*sleep))
            node.program.kill(signal.SIGCONT)
            self.sleeps += 1

    def _failovers(self, every):
        """The primary is killed, the sentinels promote its replica, and it comes back as that one's."""
        while self._pause(every):
            self.cluster.redis.fail_over()
            self.failovers += 1

    def _jumps(self, clocks, every):
        """One process after the other, node or Redis, has its clock set: minutes or hours, forwards or back."""
        while self._pause(self.random.uniform(*every)):
            self.random.choice(clocks).set(self.random.choice(JUMPS))
            self.jumps += 1

    def _disturber(self, work, *words):
        def run_it():
            try:
                work(*words)
            except BaseException as fault:  # shown by run(), on its thread
                self.faults.append(fault)
        thread = threading.Thread(target=run_it, daemon=True)
        thread.start()
        return thread

    def run(self, sleep=(1.6, 2.2), awake=(0.5, 1.5), fail_over=None, clocks=(), jump=(0.3, 1.0)):
        """Until all races are run. With `fail_over` the cluster's Redis is a Pair and changes places every so many
        seconds; of `clocks` one jumps every so often."""
        threads = [self._disturber(self._sleeps, sleep, awake)]
        if fail_over:
            threads.append(self._disturber(self._failovers, fail_over))
        if clocks:
            threads.append(self._disturber(self._jumps, clocks, jump))
        out, _ = self.process.communicate(timeout=self.patience)
        for thread in threads:
            thread.join()
        text = self.log.read_text()
        if self.faults:
            raise AssertionError(f"what disturbs them failed; the ends saw {out!r}") from self.faults[0]
        assert out, f"exit {self.process.returncode}: {text}"
        figures = json.loads(out)
        assert self.process.returncode == 0, f"{figures}\n{text}"
        assert figures["overlaps"] == figures["doubled"] == figures["foreign"] == 0, f"{figures}\n{text}"
        return figures


def judge(path):
    """The checker's verdict on what ends wrote down: its figures, and whether it found nothing."""
    text = run(TOOLS / "race_ends", "--judge", path, code=None)
    return json.loads(text), run.last_code == 0


def journal_agrees(cluster):
    """Each fence has one closing row, and no receipt of an end contradicts what was carried. How many rows."""
    rows = cluster.log("sessions", "--limit", "100000")
    fences = [(row["license"], row["fence"]) for row in rows]
    assert len(set(fences)) == len(fences), "a fence has two rows"
    wrong = [row for row in rows if row.get("receipts", {}).get("agree") == "no"]
    assert not wrong, wrong
    return len(rows)
