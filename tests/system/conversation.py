"""Replays a recorded conversation of tests/vectors/conversations (README.md there) with a real gateway.

Shares no code with the programs: what it says is what the files and docs/PROTOCOL.md say.
"""

import base64
import json
import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL
from world import PATIENCE

TYPES = {"HELLO": 0x01, "CHALLENGE": 0x02, "PROVE": 0x03, "WELCOME": 0x04, "REFUSED": 0x05, "CONNECT": 0x06,
         "OPEN": 0x07, "CLOSE": 0x08, "PING": 0x09, "PONG": 0x0A, "NOTICE": 0x0B, "REPORT": 0x0C, "RECEIPT": 0x0E,
         "DATA": 0x10, "POLICY": 0x80, "NOTICES": 0x81}
RAW = {"PING", "PONG", "DATA"}
SIDES = {"host": 0, "viewer": 1}
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class End:
    """One connection of one end."""

    def __init__(self, gateway):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.load_verify_locations(str(gateway.ca))
        context.set_verify(SSL.VERIFY_PEER)
        context.set_alpn_protos([b"engawa/1"])
        host, port = gateway.address.rsplit(":", 1)
        line = socket.create_connection((host, int(port)), timeout=PATIENCE)
        line.setblocking(True)
        # pyOpenSSL knows no timeouts; the kernel's do as well.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
        self.line = SSL.Connection(context, line)
        self.line.set_connect_state()
        self.line.do_handshake()
        self.rest = b""

    def exporter(self):
        return self.line.export_keying_material(b"EXPORTER-engawa-1", 32)

    def say(self, kind, payload):
        self.line.sendall(bytes([kind]) + len(payload).to_bytes(3, "big") + payload)

    def take(self, count):
        while len(self.rest) < count:
            self.rest += self.line.recv(65536)
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def hear(self):
        """The next frame, or None at the end of the connection."""
        while True:
            try:
                head = self.take(4)
                payload = self.take(int.from_bytes(head[1:], "big"))
            except (SSL.ZeroReturnError, SSL.SysCallError):
                return None
            if head[0] == TYPES["PING"]:
                self.say(TYPES["PONG"], payload)
            elif head[0] != TYPES["NOTICES"]:
                return head[0], payload

    def drop(self):
        self.line.sock_shutdown(socket.SHUT_RDWR)
        self.line.close()


class Conversation:
    def __init__(self, path, gateway, license):
        self.path, self.gateway, self.license = path, gateway, license
        self.ends, self.devices, self.challenges = {}, {}, {}
        digits = license["key"].replace("-", "")
        number = 0
        for digit in digits[9:]:
            number = number << 5 | CROCKFORD.index(digit)
        self.public = digits[:9]
        self.names = {"license": license["id"], "secret": b64(number.to_bytes(10, "big")),
                      "password": license["password"]}

    def run(self):
        for at, line in enumerate(self.path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            name, way, what, *rest = line.split(" ", 3)
            self.at = f"{self.path.name}:{at}: {line[:120]}"
            {">": self.say, "<": self.hear, "!": self.happen}[way](name, what, rest[0] if rest else "")

    def end(self, name):
        if name not in self.ends:
            self.ends[name] = End(self.gateway)
        return self.ends[name]

    def side(self, name):
        return name.split("-")[0]

    def device(self, name):
        return self.devices.setdefault(self.side(name), Ed25519PrivateKey.generate())

    def proof(self, name):
        challenge = self.challenges[name]
        node = challenge["node"].encode()
        return b"ENGAWA-1 prove\0" + unb64(challenge["nonce"]) + bytes([SIDES[self.side(name)]]) + \
            self.public.encode() + struct.pack(">H", len(node)) + node + self.end(name).exporter()

    def receipt(self, name, said):
        return b"ENGAWA-1 receipt\0" + unb64(said["session"]) + struct.pack(
            ">QBQQH", said["fence"], SIDES[self.side(name)], said["sent"], said["received"], said["reason"])

    def filled(self, name, said):
        def value(text):
            if not isinstance(text, str) or not text.startswith("$"):
                return text
            if text == "$device":
                return b64(self.device(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
            return self.names[text[1:]] if text[1:] in self.names else text
        said = {member: value(text) for member, text in said.items()}
        if said.get("signature") == "$proof":
            said["signature"] = b64(self.device(name).sign(self.proof(name)))
        if said.get("signature") == "$receipt":
            said["signature"] = b64(self.device(name).sign(self.receipt(name, said)))
        return said

    def say(self, name, what, payload):
        kind = TYPES[what] if what in TYPES else int(what, 0)
        if what in RAW or what not in TYPES:
            self.end(name).say(kind, bytes.fromhex(payload))
        else:
            self.end(name).say(kind, json.dumps(self.filled(name, json.loads(payload))).encode())

    def hear(self, name, what, payload):
        frame = self.end(name).hear()
        assert frame, f"{self.at}: the connection ended instead"
        assert frame[0] == TYPES[what], f"{self.at}: got {frame}"
        if what in RAW:
            assert frame[1] == bytes.fromhex(payload), f"{self.at}: got {frame[1].hex()}"
            return
        heard = json.loads(frame[1])
        if what == "CHALLENGE":
            self.challenges[name] = heard
        for member, text in json.loads(payload).items():
            assert member in heard, f"{self.at}: {member} is missing: {heard}"
            assert self.agrees(text, heard[member]), f"{self.at}: {member} is {heard[member]!r}"

    def agrees(self, text, value):
        if not isinstance(text, str) or not text.startswith("$"):
            return text == value
        word, _, name = text[1:].partition(":")
        if word == "any":
            return True
        if word == "more":
            return value > self.names[name]
        if word == "keep":
            before = self.names.get(name, value)
            self.names[name] = value
            return type(before) is type(value)
        return self.names[word] == value

    def happen(self, name, what, _):
        if what == "break":
            self.end(name).drop()
            return
        assert what == "gone", self.at
        end, heard = time.monotonic() + PATIENCE, self.end(name).hear()
        assert heard is None and time.monotonic() < end, f"{self.at}: {heard}"
