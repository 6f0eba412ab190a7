"""Browsers on the public port: the handshake of a WebSocket, who may open one, and that frames pass."""

import base64
import json
import os
import socket
import ssl
import struct

import pytest
from world import PATIENCE, Gateway


class Page:
    """What a browser does, by hand: TLS with ALPN http/1.1, requests, and a WebSocket."""

    def __init__(self, gateway, source=None):
        """`source`: the address to come from; what one address does is held against it, and all of 127.0.0.0/8 is ours."""
        context = ssl.create_default_context(cafile=str(gateway.ca))
        context.set_alpn_protocols(["http/1.1"])
        host, port = gateway.address.rsplit(":", 1)
        self.host = gateway.address
        self.line = context.wrap_socket(socket.create_connection((host, int(port)), 30, (source, 0) if source else None),
                                        server_hostname=host)
        self.rest = b""

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            more = self.line.recv(65536)
            assert more, "closed"
            self.rest += more
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:])

    def ask(self, path, **headers):
        text = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n"
        text += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items() if value is not None)
        self.line.sendall((text + "\r\n").encode())
        return self.head()

    def upgrade(self, origin=None, protocol="engawa.1"):
        return self.ask("/v1/leg", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version="13",
                        Sec_WebSocket_Key=base64.b64encode(os.urandom(16)).decode(), Sec_WebSocket_Protocol=protocol,
                        Origin=origin or f"https://{self.host}")

    def send(self, payload, first=0x82, mask=True):
        size = len(payload)
        head = bytes([first]) + (bytes([size | (0x80 if mask else 0)]) if size < 126
                                 else bytes([126 | (0x80 if mask else 0)]) + struct.pack(">H", size))
        key = os.urandom(4) if mask else b""
        body = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)) if mask else payload
        self.line.sendall(head + key + body)

    def take(self, count):
        while len(self.rest) < count:
            more = self.line.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def message(self):
        first, size = self.take(2)
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        return first, self.take(size)


def frame(kind, object):
    payload = json.dumps(object).encode()
    return bytes([kind]) + len(payload).to_bytes(3, "big") + payload


HELLO = {"gen_min": 1, "gen_max": 1, "side": "viewer", "license": "lic_7k3qx09fa", "device": "A" * 42 + "A", "kind": "web",
         "program": "test", "app_min": 1, "app_max": 1}


def test_a_browser_reaches_the_door(gateway):
    page = Page(gateway)
    status, headers = page.upgrade()
    assert status == 101 and headers["sec-websocket-protocol"] == "engawa.1"
    hello = dict(HELLO, device=base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
    whole = frame(1, hello)
    page.send(whole[:10], first=0x02)  # in pieces, as browsers may
    page.send(whole[10:], first=0x80)
    first, challenge = page.message()
    assert first == 0x82 and challenge[0] == 2 and len(challenge) == 4 + int.from_bytes(challenge[1:4], "big")
    prove = {"signature": "A" * 86, "secret": "A" * 14, "password": "x"}
    page.send(frame(3, prove))
    first, refused = page.message()
    assert first == 0x82 and refused[0] == 5
    assert json.loads(refused[4:])["symbol"] in ("PROOF_WRONG", "LICENSE_UNKNOWN", "PASSWORD_WRONG")
    first, payload = page.message()
    assert first == 0x88 and struct.unpack(">H", payload[:2])[0] == 1000


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
def test_other_sites_are_refused(gateway, origin):
    status, headers = Page(gateway).upgrade(origin=origin)
    assert status == 403 and headers["connection"] == "close"


def configured(world, text):
    file = world.tmp / "gateway.conf"
    file.write_text(text)
    return Gateway(world).init().start("--config", file)


def test_listed_sites_are_not(world):
    gateway = configured(world, "[web]\norigins = https://remote.example.co.jp, https://two.example\n")
    assert Page(gateway).upgrade(origin="https://two.example")[0] == 101
    assert Page(gateway).upgrade(origin="https://three.example")[0] == 403


def test_what_breaks_the_protocol_is_closed(gateway):
    page = Page(gateway)
    page.upgrade()
    page.send(b"hello", mask=False)
    first, payload = page.message()
    assert first == 0x88 and struct.unpack(">H", payload[:2])[0] == 1002
    page = Page(gateway)
    page.upgrade()
    page.send("text".encode(), first=0x81)
    first, payload = page.message()
    assert first == 0x88 and struct.unpack(">H", payload[:2])[0] == 1003


def ended_with(page, code):
    """The close code, and that nothing follows it; what was on its way before may come first."""
    first, payload = page.message()
    while first != 0x88:
        first, payload = page.message()
    assert struct.unpack(">H", payload[:2])[0] == code
    with pytest.raises(EOFError):
        page.message()


def pour(page, pieces):
    """Sends until the gateway has had enough."""
    try:
        for piece in pieces:
            page.send(*piece)
    except OSError:
        pass


# What is wrong, the frames that say it, and the close code.
WRONG = [
    ("a length nobody has memory for", lambda page: page.line.sendall(b"\x82\xff" + b"\x7f" + b"\xff" * 7 + os.urandom(5)), 1009),
    ("pieces without content", lambda page: pour(page, ((b"", 0x02 if not i else 0x00) for i in range(5000))), 1008),
    ("a second message inside the first", lambda page: pour(page, [(b"x", 0x02), (b"x", 0x82)]), 1002),
    ("pings without end", lambda page: pour(page, ((b"", 0x89) for i in range(5000))), 1008),
    ("text that is none", lambda page: page.send(b"\xc0\x80", first=0x81), 1003),
    ("a reason that is no text", lambda page: page.send(b"\x03\xe8\xc0\x80", first=0x88), 1007),
    ("reserved bits", lambda page: page.send(b"x", first=0xC2), 1002),
    ("a goodbye", lambda page: page.send(b"\x03\xe8", first=0x88), 1000),
]


def test_every_breach_has_its_code_and_harms_nobody(gateway):
    quiet = Page(gateway)
    quiet.upgrade()
    quiet.send(b"still there?", first=0x89)
    assert quiet.message() == (0x8A, b"still there?")
    for number, (what, act, code) in enumerate(WRONG):
        page = Page(gateway, f"127.0.2.{number + 1}")
        assert page.upgrade()[0] == 101, what
        act(page)
        try:
            ended_with(page, code)
        except (ConnectionResetError, ssl.SSLError):
            assert what.endswith("without end") or what.startswith("pieces"), what  # it came while more was on its way
    assert Page(gateway).upgrade()[0] == 101
    assert gateway.program.alive()


def test_what_is_no_upgrade_is_refused(gateway):
    sources = (f"127.0.3.{number}" for number in range(1, 100))

    def ask(**headers):
        usual = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
                 "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(), "Sec_WebSocket_Protocol": "engawa.1",
                 "Origin": f"https://{gateway.address}"}
        return Page(gateway, next(sources)).ask("/v1/leg", **{**usual, **headers})[0]

    assert ask() == 101
    assert ask(Sec_WebSocket_Version="8") == 426
    assert ask(Sec_WebSocket_Protocol="binary") == 426
    assert ask(Sec_WebSocket_Key="c2hvcnQ=") == 400
    assert ask(Upgrade="h2c") == 400
    assert ask(Origin=None) == 403
    assert ask(Origin=f"http://{gateway.address}") == 403
    assert ask(Origin=f"https://{gateway.address}.evil.example") == 403
    assert ask(Origin="file://") == 403
    page = Page(gateway, next(sources))
    page.line.sendall(f"GET /v1/leg HTTP/1.1\r\nHost: {gateway.address}\r\nOrigin: https://{gateway.address}\r\n"
                      "Origin: https://evil.example\r\n\r\n".encode())
    assert page.head()[0] == 400


def test_files_from_the_disk_need_a_word(world):
    gateway = configured(world, "[web]\noffline = yes\n")
    for origin, status in (("null", 101), ("file://", 101), ("https://evil.example", 403)):
        assert Page(gateway).upgrade(origin=origin)[0] == status


def test_the_page_can_be_turned_off(world):
    gateway = configured(world, "[web]\nviewer = no\n")
    with pytest.raises((ConnectionError, EOFError, ssl.SSLError, AssertionError)):
        Page(gateway).ask("/")


def test_browsers_that_keep_connections_are_let_in(gateway):
    """More of them than would turn an attacker away: each is closed by the gateway, none counts against the address."""
    kept = [Page(gateway) for _ in range(8)]
    for page in kept[::2]:
        page.ask("/gateways.json")
    for page in kept:
        page.line.settimeout(PATIENCE)
        try:
            while page.line.recv(65536):
                pass
        except (ConnectionResetError, ssl.SSLError):
            pass
    assert Page(gateway).upgrade()[0] == 101
