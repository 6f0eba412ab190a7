"""10,000 races of viewers for their hosts over three nodes, while nodes sleep longer than their leases and Redis is
killed and comes back; and as many while sentinels promote the replica of a primary that is killed, again and again, and
the wall clocks of nodes and of both Redis jump by minutes and hours. What the ends saw, and what the journal says.
--only killed or --only failover runs one of the two."""

import tempfile
import threading
import time
from pathlib import Path

from cluster import Clock, Cluster, Pair
from races import SHORT, Races, journal_agrees
from world import World, wait_for

QUIET = {**SHORT, "log": {"level": "warn"}}
SEEN = ("races", "won", "pairs", "records", "moves", "seconds", "overlaps", "doubled", "foreign", "stale")


def kill_redis(cluster, over, every=45):
    while not over.wait(every):
        cluster.redis.kill()
        time.sleep(2)
        cluster.redis.start()


def killed(world, count):
    over = threading.Event()
    cluster = Cluster(world, nodes=3, config=QUIET)
    races = Races(world, cluster, licenses=64, races=count, seconds=max(120, count // 4))
    killer = threading.Thread(target=kill_redis, args=(cluster, over), daemon=True)
    killer.start()
    try:
        return cluster, races, races.run()
    finally:
        over.set()
        killer.join()


def failed_over(world, count):
    clocks = [Clock(world, f"clock{number}") for number in range(5)]
    cluster = Cluster(world, nodes=3, redis=Pair(world, clocks=clocks[3:]), config=QUIET, clocks=clocks[:3],
                      deadline_ms=1000)
    races = Races(world, cluster, licenses=64, races=count, seconds=max(240, count // 2))
    seen = races.run(fail_over=15, clocks=clocks)
    for clock in clocks:
        clock.set(0)
    return cluster, races, seen


def measure(wish, figures):
    count = 1000 if wish.quick else 10000
    for run, title in ((killed, "killed"), (failed_over, "failover")):
        if wish.only and title not in wish.only:
            continue
        with tempfile.TemporaryDirectory() as place:
            world = World(Path(place))
            try:
                cluster, races, seen = run(world, count)
                wait_for("the rows that waited", lambda cluster=cluster: all(
                    not (node.data / "spool/journal.spool").stat().st_size for node in cluster.nodes))
                rows = journal_agrees(cluster)
            finally:
                world.end()
        for name in SEEN:
            figures.note("races", name, title, seen[name])
        for name, number in (("nodes that slept", races.sleeps), ("failovers", races.failovers),
                             ("clocks that jumped", races.jumps), ("rows of the journal", rows)):
            figures.note("races", name, title, number)
    figures.show("races", f"{count} races of three viewers over three nodes",
                 {"killed": "Redis killed", "failover": "failover, clocks"})
