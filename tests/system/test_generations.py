"""Ends that are out there are served by the node of today: recorded conversations, said again."""

import pytest
from conversation import Conversation
from world import TOP, wait_for

FILES = sorted((TOP / "tests/vectors/conversations").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_recorded_conversation_goes_as_ever(gateway, license, path):
    Conversation(path, gateway, license).run()


def test_what_it_counted_is_believed(gateway, license):
    path = next(path for path in FILES if path.stem == "gen1-session")
    Conversation(path, gateway, license).run()
    rows = wait_for("both parts in the journal", lambda: [
        rows for rows in [gateway.log("sessions", "--license", license["id"])] if len(rows) == 2])[0]
    assert sorted((row["reason"], row["bytes_to_host"], row["bytes_to_viewer"]) for row in rows) == [
        ("PEER_LOST", 17, 16), ("VIEWER_LEFT", 16, 0)]
    assert [row["receipts"]["agree"] for row in rows if row["reason"] == "VIEWER_LEFT"] == ["yes"]
