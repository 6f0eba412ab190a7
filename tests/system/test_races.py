"""Never two pairs: viewers race for their hosts over three nodes, hosts move, nodes sleep longer than their leases, the
primary Redis is killed and another one promoted, and clocks jump by hours. What all ends wrote down is judged by
tests/bench/race_judge.c; the journal must tell the same story. The long versions are tests/bench/run races."""

from cluster import Clock, Cluster, Pair
from races import SHORT, Races, journal_agrees, judge
from world import wait_for


def forge(path, forged, change):
    """The same file with one more pair: as the longest one, but for what `change` makes of its line."""
    lines = [line.split() for line in path.read_text().splitlines()]

    def lived(line):
        return min(int(line[6]), int(line[8])) - max(int(line[5]), int(line[7])) if int(line[5]) and int(line[7]) else 0
    longest = max(lines, key=lived)
    lines.insert(lines.index(longest), change(list(longest)))
    forged.write_text("".join(" ".join(line) + "\n" for line in lines))
    return judge(forged)


def other_fence(line):
    """A second viewer, in the middle of it."""
    line[1] = str(int(line[1]) + 1)
    for at in (5, 7):
        line[at] = str(int(line[at]) + 1)
    return line


def other_viewer(line):
    line[4] = "2"
    line[5] = line[6] = "0"
    return line


def test_viewers_race_over_three_nodes(world):
    cluster = Cluster(world, nodes=3, config=SHORT)
    races = Races(world, cluster, licenses=32, races=200, seconds=300)
    figures = races.run()
    assert figures["won"] >= 200 and figures["moves"] > 0 and races.sleeps > 0, figures
    assert journal_agrees(cluster) > 0
    # The checker says so of the same file, and finds what is put into it.
    found, clean = judge(races.wrote)
    assert clean and found["pairs"] == figures["pairs"], found
    found, clean = forge(races.wrote, world.tmp / "forged", other_fence)
    assert not clean and found["overlaps"] == 1, found
    found, clean = forge(races.wrote, world.tmp / "forged", other_viewer)
    assert not clean and found["doubled"] == 1, found


def test_viewers_race_while_redis_changes_and_clocks_jump(world):
    clocks = [Clock(world, f"clock{number}") for number in range(5)]
    # What a busy machine's Redis is given: slowness is not the fault here.
    cluster = Cluster(world, nodes=3, redis=Pair(world, clocks=clocks[3:]), config=SHORT, clocks=clocks[:3],
                      deadline_ms=2000)
    races = Races(world, cluster, licenses=12, races=24, seconds=400)
    figures = races.run(fail_over=2, clocks=clocks, awake=(1, 3))
    assert figures["won"] >= 24 and races.failovers > 0 and races.jumps > 0, (figures, races.failovers, races.jumps)
    for clock in clocks:
        clock.set(0)
    wait_for("the rows that waited", lambda: all(
        not (node.data / "spool/journal.spool").stat().st_size for node in cluster.nodes))
    assert journal_agrees(cluster) > 0
