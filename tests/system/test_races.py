"""Never two pairs: viewers race for their hosts over three nodes, hosts move, and nodes sleep longer than their leases.
What all ends wrote down is judged by tests/bench/race_ends.c; the journal must tell the same story. The long
version is tests/bench/run races."""

from cluster import Cluster
from races import SHORT, Races, journal_agrees


def test_viewers_race_over_three_nodes(world):
    cluster = Cluster(world, nodes=3, config=SHORT)
    races = Races(world, cluster, licenses=32, races=200, seconds=300)
    figures = races.run()
    assert figures["won"] >= 200 and figures["moves"] > 0 and races.sleeps > 0, figures
    assert journal_agrees(cluster) > 0
