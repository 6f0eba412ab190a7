"""10,000 races of viewers for their hosts over three nodes, while nodes sleep longer than their leases and Redis is
killed and comes back: what the ends saw, and what the journal says of it."""

import tempfile
import threading
import time
from pathlib import Path

from cluster import Cluster
from races import SHORT, Races, journal_agrees
from world import World


def kill_redis(cluster, over, every=45):
    while not over.wait(every):
        cluster.redis.kill()
        time.sleep(2)
        cluster.redis.start()


def measure(wish, figures):
    count = 1000 if wish.quick else 10000
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        over = threading.Event()
        try:
            cluster = Cluster(world, nodes=3, config={**SHORT, "log": {"level": "warn"}})
            races = Races(world, cluster, licenses=64, races=count, seconds=count // 4)
            killer = threading.Thread(target=kill_redis, args=(cluster, over), daemon=True)
            killer.start()
            seen = races.run()
            over.set()
            killer.join()
            rows = journal_agrees(cluster)
        finally:
            over.set()
            world.end()
    for name in ("races", "won", "pairs", "records", "moves", "seconds", "overlaps", "doubled", "foreign", "stale"):
        figures.note("races", name, "count", seen[name])
    figures.note("races", "nodes that slept", "count", races.sleeps)
    figures.note("races", "rows of the journal", "count", rows)
    figures.show("races", f"{count} races of three viewers over three nodes", {"count": "seen"})
