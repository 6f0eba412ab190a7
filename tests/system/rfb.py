"""A small RFB 3.8 client (RFC 6143) for tests: raw pixels, keys, pointer, clipboard.

Small on purpose: it shares no code with the libraries under test, so what it sees can be believed.
"""

import socket
import struct
import time

import numpy
from PIL import Image

DESKTOP_SIZE = -223


def keysym(character):
    """The keysym of a character: Latin-1 is itself, everything else is Unicode + 0x01000000."""
    special = {"\n": 0xFF0D, "\t": 0xFF09, "\b": 0xFF08}
    code = ord(character)
    return special.get(character) or (code if code < 0x100 else 0x01000000 | code)


class Rfb:
    def __init__(self, port, host="127.0.0.1", timeout=40):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clipboard = None
        assert self.read(12) == b"RFB 003.008\n"
        self.socket.sendall(b"RFB 003.008\n")
        kinds = self.read(self.read(1)[0])
        assert 1 in kinds, f"security None is not offered: {kinds}"
        self.socket.sendall(b"\x01")
        assert self.read(4) == b"\0\0\0\0"
        self.socket.sendall(b"\x01")
        width, height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode("utf-8", "replace")
        self._resize(width, height)
        # 32 bits, little-endian, true colour, red at 16.
        self.socket.sendall(struct.pack(">B3x4B3H3B3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(">BxHii", 2, 2, 0, DESKTOP_SIZE))
        self.request(incremental=False)

    def _resize(self, width, height):
        self.width, self.height = width, height
        self.pixels = numpy.zeros((height, width, 4), numpy.uint8)

    def read(self, count):
        parts = []
        while count:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise EOFError("the RFB stream ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def request(self, incremental=True):
        self.socket.sendall(struct.pack(">BBHHHH", 3, int(incremental), 0, 0, self.width, self.height))

    def message(self):
        """Takes one message of the server."""
        kind = self.read(1)[0]
        if kind == 0:
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                self._rectangle()
            self.request()
        elif kind == 2:
            pass
        elif kind == 3:
            length = struct.unpack(">3xi", self.read(7))[0]
            self.clipboard = self.read(abs(length)).decode("latin-1")
        else:
            raise AssertionError(f"unknown RFB message {kind}")
        return kind

    def _rectangle(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
        if encoding == DESKTOP_SIZE:
            self._resize(width, height)
            self.request(incremental=False)
        elif encoding == 0:
            block = numpy.frombuffer(self.read(width * height * 4), numpy.uint8).reshape(height, width, 4)
            self.pixels[y:y + height, x:x + width] = block
        else:
            raise AssertionError(f"encoding {encoding} was not asked for")

    def pump(self, seconds):
        """Takes messages for this long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                first = self.socket.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                break
            if not first:
                raise EOFError("the RFB stream ended")
            self.socket.settimeout(40)
            self.message()
        self.socket.settimeout(40)

    def until(self, what, check, seconds=40):
        """Takes messages until check(image) is true."""
        end = time.monotonic() + seconds
        while not check(self.image()):
            if time.monotonic() > end:
                raise AssertionError(f"the picture never showed {what}")
            self.pump(0.2)

    def image(self):
        return Image.fromarray(self.pixels[:, :, [2, 1, 0]])

    def key(self, sym, down):
        self.socket.sendall(struct.pack(">BBxxI", 4, int(down), sym))

    def press(self, sym):
        self.key(sym, True)
        self.key(sym, False)

    def type(self, text):
        for character in text:
            self.press(keysym(character))

    def pointer(self, x, y, buttons=0):
        self.socket.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def click(self, x, y, button=1):
        self.pointer(x, y)
        self.pointer(x, y, 1 << (button - 1))
        self.pointer(x, y)

    def cut_text(self, text):
        data = text.encode("latin-1")
        self.socket.sendall(struct.pack(">B3xI", 6, len(data)) + data)

    def close(self):
        self.socket.close()
