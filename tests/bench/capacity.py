#!/usr/bin/python3
"""What a deployment needs: a model from costs that are measured here, checked against a measured run of another size,
and plans from it. docs/capacity.md says how to read them. Prints figures, no verdicts.

    tests/bench/capacity.py               measures at two sizes, compares, plans (about 5 minutes)
    --small N --large N                   the two sizes (500 and 2000 hosts)
    --plan-only FILE                      plans from costs that --json FILE wrote before
    ENGAWA_BUILD                          the build directory (a release build)

The node has one worker on one core and Redis as its store; the load and Redis have the other core. Both run at
real-time priority: what else the machine does must not count as theirs. CPU is user and
system time of the whole process. Every cost comes from the small run; the large run only checks what they say of it.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE), str(TOP / "tests/system")]

HOUR = 3600

# What people do, and what an operator rents. Change them, the plans follow.
USE = {
    "live_share": 0.3,          # of all hosts have a session at the busiest moment
    "session_bytes_s": 20_000,  # of such a session, on average (thin clients: 6 to 19 kB/s measured by others)
    "opens_per_host_day": 2,
    "busy_hour_share": 0.3,     # of a day's sign-ins come within its busiest hour
    "back_within_s": 30,        # all hosts after a power cut; link/backoff spreads them over that
    "journal_mb_host_year": 1.2,  # memory of Redis, docs/capacity.md
    "retention_years": 400 / 365,
}
MACHINE = {"cores": 4, "memory_gib": 16, "fill": 0.5, "legs": 100_000}
REDIS = {"fill": 0.5, "memory_gib": 64, "memory_fill": 0.66}


def cpu_seconds(pid):
    """In nanoseconds as the scheduler counts them: the clock of /proc/PID/stat is too coarse for idle hosts."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def anon_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise ValueError("no RssAnon")


class Site:
    """One node on a Redis of its own, fresh for each measurement."""

    def __init__(self, tmp, licenses):
        from cluster import Redis
        from relay import GATEWAY, LOAD_CORE, pin
        from world import BIN, Gateway, World, run
        self.world = World(Path(tmp))
        self.load_core, self.pin = LOAD_CORE, pin
        self.redis = Redis(self.world)
        os.sched_setaffinity(self.redis.pid, {LOAD_CORE})
        os.sched_setscheduler(self.redis.pid, os.SCHED_RR, os.sched_param(5))
        self.node = Gateway(self.world).init()
        self.config = self.world.tmp / "gateway.conf"
        self.config.write_text(GATEWAY.replace("keepalive = 10m", "keepalive = 15s"))
        self.start()
        holders = self.world.tmp / "holders.csv"
        holders.write_text("holder\n" + "".join(f"holder {i}\n" for i in range(licenses)))
        self.licenses = self.world.tmp / "licenses.csv"
        self.licenses.write_text(run(BIN / "engawactl", "--data", self.node.data, "license", "import", holders,
                                     timeout=120 + licenses))

    def start(self):
        if self.node.program and self.node.program.alive():
            self.node.program.stop()
        self.node.start("--config", self.config, "--store", f"{self.redis.url}?deadline_ms=5000")
        self.pin(self.node.program.process.pid, alone=True)

    @property
    def pid(self):
        return self.node.program.process.pid

    def bench(self, task, **wish):
        from world import TOOLS
        words = [TOOLS / "relay_bench", "engawa", task, f"port={self.node.address.rsplit(':', 1)[1]}",
                 f"pid={self.pid}", f"licenses={self.licenses}", *(f"{name}={value}" for name, value in wish.items())]
        return subprocess.Popen(["taskset", "-c", str(self.load_core), *words], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def answer(self, task, **wish):
        out, err = (load := self.bench(task, **wish)).communicate(timeout=600)
        if load.returncode:
            raise RuntimeError(err)
        return json.loads(out)

    def sample(self):
        calls = {}
        for line in self.redis.cli("info", "stats").splitlines():
            name, _, value = line.strip().partition(":")
            calls[name] = value
        return {"at": time.monotonic(), "cpu": cpu_seconds(self.pid), "kib": anon_kib(self.pid),
                "redis_cpu": cpu_seconds(self.redis.pid), "ops": int(calls["total_commands_processed"])}


def between(before, after):
    return {name: after[name] - before[name] for name in before}


def measure_hosts(site, count, idle_s):
    """Hosts come in, then say nothing."""
    site.start()
    time.sleep(2)
    quiet = site.sample()
    time.sleep(idle_s)
    start = site.sample()
    load = site.bench("return", pairs=count)
    if load.stdout.readline() != "ready\n":
        raise RuntimeError(load.communicate()[1])
    came = site.sample()
    time.sleep(3)
    begin = site.sample()
    time.sleep(idle_s)
    end = site.sample()
    load.kill()
    load.communicate()
    return {"count": count, "empty": between(quiet, start), "coming": between(start, came), "idle": between(begin, end),
            "base_kib": start["kib"], "kib": end["kib"]}


def measure_sessions(site, pairs, seconds):
    site.start()
    time.sleep(1)
    before = site.sample()
    got = site.answer("pairs", pairs=pairs)
    opened = between(before, site.sample())
    site.start()
    desk = site.answer("load", pairs=pairs, ping=0, seconds=seconds, rate=pairs * USE["session_bytes_s"] / 1e6)
    site.start()
    bulk = site.answer("load", pairs=4, ping=0, seconds=seconds)
    return {"pairs": pairs, "pair_kib": got["kib_each"], "opened": opened, "desk": desk, "bulk": bulk}


def costs_of(hosts, sessions):
    n, idle, empty, coming = hosts["count"], hosts["idle"], hosts["empty"], hosts["coming"]
    opened = sessions["opened"]
    pairs = sessions["pairs"] * 1.1  # a tenth comes before the measurement

    def rate(name):
        return max(0, idle[name] / idle["at"] - empty[name] / empty["at"]) / n
    desk_cpu_s = sessions["desk"]["cpu_s"] / sessions["desk"]["seconds"]
    return {
        "base_mib": hosts["base_kib"] / 1024,
        "base_ops_s": empty["ops"] / empty["at"],
        "host_kib": (hosts["kib"] - hosts["base_kib"]) / n,
        "host_cpu_us_s": rate("cpu") * 1e6,
        "host_ops_s": rate("ops"),
        "login_cpu_ms": coming["cpu"] * 1000 / n,
        "login_ops": coming["ops"] / n,
        "pair_kib": sessions["pair_kib"],
        "open_cpu_ms": opened["cpu"] * 1000 / pairs,
        "open_ops": opened["ops"] / pairs,
        "session_cpu_us_s": desk_cpu_s * 1e6 / sessions["pairs"],
        "gb_cpu_s": sessions["bulk"]["cpu_s"] / sessions["bulk"]["gb"],
        "host_redis_us_s": rate("redis_cpu") * 1e6,
        "login_redis_ms": coming["redis_cpu"] * 1000 / n,
        "open_redis_ms": opened["redis_cpu"] * 1000 / pairs,
        "redis_us_op": (coming["redis_cpu"] + opened["redis_cpu"]) * 1e6 / (coming["ops"] + opened["ops"]),
    }


def predict_hosts(costs, count, seconds):
    """What a node with so many idle hosts takes, and what their coming in took."""
    return {
        "memory, MiB": costs["base_mib"] + count * costs["host_kib"] / 1024,
        "coming in, CPU s": count * costs["login_cpu_ms"] / 1000,
        "coming in, Redis ops": count * costs["login_ops"],
        "coming in, Redis CPU s": count * costs["login_redis_ms"] / 1000,
        "idle, Redis ops a second": costs["base_ops_s"] + count * costs["host_ops_s"],
        "idle, CPU ms a second": count * costs["host_cpu_us_s"] / 1000,
        "idle, Redis CPU ms a second": count * costs["host_redis_us_s"] / 1000,
    }


def measured_hosts(hosts):
    idle, empty = hosts["idle"], hosts["empty"]
    return {
        "memory, MiB": hosts["kib"] / 1024,
        "coming in, CPU s": hosts["coming"]["cpu"],
        "coming in, Redis ops": hosts["coming"]["ops"],
        "coming in, Redis CPU s": hosts["coming"]["redis_cpu"],
        "idle, Redis ops a second": idle["ops"] / idle["at"],
        "idle, CPU ms a second": (idle["cpu"] / idle["at"] - empty["cpu"] / empty["at"]) * 1000,
        "idle, Redis CPU ms a second": (idle["redis_cpu"] / idle["at"] - empty["redis_cpu"] / empty["at"]) * 1000,
    }


def needs(costs, hosts):
    """Of the whole deployment: cores of nodes, memory of nodes, operations and memory of Redis."""
    live = hosts * USE["live_share"]
    steady = (hosts * costs["host_cpu_us_s"] + live * costs["session_cpu_us_s"]) / 1e6
    opens_s = hosts * USE["opens_per_host_day"] * USE["busy_hour_share"] / HOUR
    back_s = hosts / USE["back_within_s"]
    return {
        "cores, busy": steady + opens_s * costs["open_cpu_ms"] / 1000,
        "cores, all back": back_s * costs["login_cpu_ms"] / 1000,
        "memory, GiB": (hosts * costs["host_kib"] + live * max(0, costs["pair_kib"] - costs["host_kib"])) / 2**20,
        "traffic, Gbit/s": live * USE["session_bytes_s"] * 8 * 2 / 1e9,
        # A claim is renewed every 5 s, a presence every 15 s, by scripts alike.
        "redis cores, busy": (hosts + 3 * live) * costs["host_redis_us_s"] / 1e6 + opens_s * costs["open_redis_ms"] / 1000,
        "redis cores, all back": back_s * costs["login_redis_ms"] / 1000,
        "redis memory, GiB": hosts * (USE["journal_mb_host_year"] * USE["retention_years"] * 1e6 + 1000) / 2**30,
    }


def plan(costs, hosts):
    need = needs(costs, hosts)
    cores = MACHINE["cores"] * MACHINE["fill"]
    by = {
        "CPU, busy hour": need["cores, busy"] / cores,
        # Full for half a minute is what a core is for.
        "CPU, all back at once": need["cores, all back"] / MACHINE["cores"],
        "memory": need["memory, GiB"] / (MACHINE["memory_gib"] * MACHINE["fill"]),
        "connections": hosts * (1 + USE["live_share"]) / MACHINE["legs"],
    }
    redis = {
        "Redis CPU, busy hour": need["redis cores, busy"] / REDIS["fill"],
        "Redis CPU, all back at once": need["redis cores, all back"],
        "Redis memory (journal)": need["redis memory, GiB"] / (REDIS["memory_gib"] * REDIS["memory_fill"]),
    }
    cells = max(1, math.ceil(max(redis.values())))
    # One more than needed in each cell: any one may die.
    nodes = cells * (max(1, math.ceil(max(by.values()) / cells)) + 1)
    return {"need": need, "nodes": nodes, "cells": cells, "node_by": by, "redis_by": redis,
            "first": max({**by, **redis}.items(), key=lambda item: item[1])[0]}


def show_plans(costs):
    print(f"\nA node: {MACHINE['cores']} cores, {MACHINE['memory_gib']} GiB, filled to {MACHINE['fill']:.0%}; "
          f"one Redis: {REDIS['memory_gib']} GiB, one core to {REDIS['fill']:.0%}")
    for hosts in (1_000, 100_000, 1_000_000):
        made = plan(costs, hosts)
        print(f"\n{hosts:,} hosts: {made['nodes']} nodes, {made['cells']} Redis; first to break: {made['first']}")
        for name, value in made["need"].items():
            print(f"  {name:28} {value:12.2f}")
        for name, value in {**made["node_by"], **made["redis_by"]}.items():
            print(f"  of one machine: {name:28} {value:6.2f}")


def show_check(costs, hosts, idle_s):
    print(f"\n{hosts['count']} hosts{'':24} {'model':>10} {'measured':>10} {'off by':>8}")
    predicted, measured = predict_hosts(costs, hosts["count"], idle_s), measured_hosts(hosts)
    for name, value in predicted.items():
        off = (value / measured[name] - 1) * 100 if measured[name] else 0
        print(f"{name:34} {value:10.1f} {measured[name]:10.1f} {off:7.0f}%")


def median_costs(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def measure(options):
    from figures import machine
    print(machine(), flush=True)
    runs = []
    with tempfile.TemporaryDirectory(prefix="engawa-capacity-") as tmp:
        site = Site(tmp, options.large + 10)
        try:
            # The first time a host enrols, which costs more than coming back.
            measure_hosts(site, options.large, 1)
            for _ in range(options.rounds):
                small = measure_hosts(site, options.small, options.idle)
                sessions = measure_sessions(site, options.pairs, options.seconds)
                runs.append(costs_of(small, sessions))
                print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
            large = measure_hosts(site, options.large, options.idle)
        finally:
            site.world.end()
    costs = median_costs(runs)
    print(f"\ncosts, medians of {options.rounds}, load {os.getloadavg()[0]:.1f}")
    for name, value in costs.items():
        print(f"  {name:20} {value:10.3f}")
    show_check(costs, large, options.idle)
    if options.json:
        Path(options.json).write_text(json.dumps(costs, indent=1))
    return costs


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--small", type=int, default=500)
    parser.add_argument("--large", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--idle", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--plan-only")
    options = parser.parse_args()
    show_plans(json.loads(Path(options.plan_only).read_text()) if options.plan_only else measure(options))


if __name__ == "__main__":
    main()
