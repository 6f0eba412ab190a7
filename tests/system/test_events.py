"""Live pages: who hears what of the gateway's news, and for how long."""

import json
import socket
import threading

import pytest
from test_gateway_admin import Rest
from world import BIN, Host, wait_for


class Listener:
    """A stream of /events, read in the background."""

    def __init__(self, rest):
        self.text, self.ended = "", False
        self.link = rest.trust.wrap_socket(
            socket.create_connection((rest.host, rest.port), 20), server_hostname=rest.host)
        who = f"Authorization: Bearer {rest.token}\r\n" if rest.token else ""
        self.link.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {rest.host}\r\n{who}\r\n".encode())
        self.link.settimeout(120)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while piece := self.link.recv(65536):
                self.text += piece.decode()
        except OSError:
            pass
        self.ended = True

    def hello(self):
        wait_for("the stream to begin", lambda: "event: hello" in self.text)
        return self

    def news(self):
        return [json.loads(line[6:]) for line in self.text.splitlines() if line.startswith("data: {")]

    def heard(self, **members):
        return any(members.items() <= one.items() for one in self.news())

    def close(self):
        """Closing alone would wait for the thread that reads."""
        self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()


@pytest.fixture
def companies(gateway):
    for name in ("one", "two"):
        gateway.ctl("tenant", "create", name, "--name", name)
    tokens = {name: gateway.ctl("token", "create", "--name", name, "--role", "admin", "--tenant", name)
              for name in ("one", "two")}
    return tokens


def test_everybody_hears_his_own(world, gateway, companies):
    operator = Listener(Rest(gateway)).hello()
    one = Listener(Rest(gateway, companies["one"]["token"])).hello()
    two = Listener(Rest(gateway, companies["two"]["token"])).hello()
    assert "Content-Type: text/event-stream" in one.text and "Cache-Control: no-store" in one.text
    made = gateway.license("佐藤 花子", "--tenant", "one")
    for listener in (operator, one):
        wait_for("the new license", lambda: listener.heard(type="license", act="created", id=made["id"], tenant="one"))
    # The office PC comes and goes.
    host = Host(world, gateway, made).enroll().run("--test-picture")
    wait_for("the office PC", lambda: one.heard(type="host", act="online", id=made["id"]))
    host.program.stop()
    wait_for("the office PC to leave", lambda: one.heard(type="host", act="offline", id=made["id"]))
    # An order after all of it, which both companies may hear: what was not heard till then never comes.
    gateway.ctl("notice", "create", "--kind", "news", "--en", "hello", "--place", "console")
    wait_for("the notice", lambda: two.heard(type="notice") and one.heard(type="notice"))
    assert not any(news["tenant"] == "one" or made["id"] in json.dumps(news) for news in two.news())


def test_who_has_no_rights_any_more_hears_nothing(gateway, companies):
    one = Listener(Rest(gateway, companies["one"]["token"])).hello()
    gateway.ctl("token", "revoke", companies["one"]["id"])
    wait_for("the stream to end", lambda: one.ended)
    again = Listener(Rest(gateway, companies["one"]["token"]))
    wait_for("the refusal", lambda: again.ended or "401" in again.text)
    assert "401 Unauthorized" in again.text and "hello" not in again.text
    stranger = Listener(Rest(gateway, ""))
    wait_for("the refusal of a stranger", lambda: "401 Unauthorized" in stranger.text)


def test_engawactl_prints_them(world, gateway):
    program = world.start("events", [BIN / "engawactl", "--data", gateway.data, "events"])
    wait_for("the stream to begin", lambda: "event: hello" in program.text())
    made = gateway.license()
    wait_for("the license", lambda: made["id"] in program.text())
    program.process.terminate()
    program.process.wait(20)


def test_streams_take_no_thread_and_have_a_limit(gateway):
    """With fewer office threads than streams everything still answers; the 129th is told BUSY."""
    rest = Rest(gateway)
    streams = []
    for _ in range(130):
        streams.append(Listener(rest))
        if len(streams) % 10 == 0:
            wait_for("them to begin", lambda: all("HTTP/1.1" in one.text for one in streams))
    wait_for("all to be answered", lambda: all("hello" in one.text or "503" in one.text for one in streams))
    refused = [one for one in streams if "503 Service Unavailable" in one.text]
    assert len(refused) == 2 and all('"BUSY"' in one.text and "Retry-After" in one.text for one in refused)
    assert rest.ask("GET", "/api/v1/version")[0] == 200
    for one in streams:
        one.close()

    def another():
        one = Listener(rest)
        wait_for("an answer", lambda: "event: hello" in one.text or "503" in one.text)
        return "hello" in one.text

    wait_for("room for another", another)
