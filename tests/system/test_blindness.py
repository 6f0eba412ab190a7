"""The relay is blind: what was typed, shown and copied is nowhere in the gateway."""

import base64
import json
import re
import secrets
import select
import socket
import threading

from rfb import Rfb
from world import Host, Viewer, wait_for


def memory_of(pid):
    """All readable memory of a process, mapping by mapping."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]")) or end - start > 1 << 32:
                continue
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except (OSError, ValueError):
                continue


def spellings(text):
    return [text.encode(), text.encode("utf-16-le"), text.encode("utf-32-le")]


def occurrences(pid, needles):
    return sum(len(re.findall(re.escape(needle), block)) for block in memory_of(pid) for needle in needles)


def test_nothing_typed_shown_or_copied_reaches_the_gateway(world, gateway, viewer, host, desktop):
    marker, copied = (secrets.token_hex(12) for _ in range(2))
    ticket = host.ticket().replace("-", "")
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.type(marker)
    wait_for("the marker at the office", lambda: typed.read_text() == marker)
    screen.cut_text(copied)
    wait_for("the copied text at the office", lambda: desktop.run(
        "xclip", "-o", "-selection", "clipboard", code=None) == copied)
    screen.pump(1)
    needles = spellings(marker) + spellings(copied) + spellings(ticket)
    # The control: the search does find what a process holds.
    assert occurrences(gateway.pid, [gateway.address.encode()]) > 0
    assert occurrences(gateway.pid, needles) == 0
    viewer.program.stop()
    gateway.program.stop()
    for path in world.tmp.rglob("*"):
        if path.is_file() and (gateway.data in path.parents or path.name.startswith("gateway")):
            content = path.read_bytes()
            for needle in needles:
                assert needle not in content, path


def test_private_keys_of_the_ends_never_reach_the_gateway(gateway, viewer, host):
    viewer.listen()
    needles = []
    for state in (viewer.state, host.state):
        for name, value in json.loads((state / "identity.json").read_text()).items():
            if "private" in name or "secret" in name:
                needles += [value.encode(), base64.urlsafe_b64decode(value + "=="), bytes.fromhex(value)
                            if re.fullmatch("[0-9a-f]{64}", value) else value.encode()]
    assert len(needles) >= 4
    assert occurrences(gateway.pid, needles) == 0


class Tap:
    """A line between two programs that keeps every byte that passes, as somebody on the network would."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.heard = bytearray()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while not self.over.is_set():
            if not select.select([self.listener], [], [], 0.2)[0]:
                continue
            near, _ = self.listener.accept()
            pair = (near, socket.create_connection(self.target))
            self.threads.append(threading.Thread(target=self._carry, args=pair))
            self.threads[-1].start()

    def _carry(self, near, far):
        with near, far:
            while not self.over.is_set():
                for one in select.select([near, far], [], [], 0.2)[0]:
                    try:
                        block = one.recv(1 << 16)
                    except ConnectionError:
                        return
                    if not block:
                        return
                    self.heard += block
                    (far if one is near else near).sendall(block)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()
        return bytes(self.heard)


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def secrets_of(license):
    """The password and the secret half of a license key, in every spelling a program may have of them."""
    digits = license["key"].replace("-", "").upper()
    assert len(digits) == 25
    number = 0
    for digit in digits[9:]:
        number = number << 5 | CROCKFORD.index(digit)
    raw = number.to_bytes(10, "big")
    return [license["password"].encode(), license["key"].encode(), digits.encode(), digits[9:].encode(), raw,
            base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode()]


def test_what_opens_a_license_stays_nowhere_in_the_gateway(world, gateway, license, desktop):
    # Who makes a license may ask for the answer once more (admin/once.h): for a while it is kept for that.
    gateway.program.stop()
    gateway.restart()
    host = Host(world, gateway, license).enroll().run("--display", desktop.at).online()
    viewer = Viewer(world, gateway, license).pair(host.ticket())
    viewer.screenshot(after=1)
    viewer.listen()
    needles = secrets_of(license)
    # The control: the viewer that runs knows its license's secret, so the needles are right.
    assert occurrences(viewer.program.process.pid, [needles[4]]) > 0
    for needle in needles:
        assert occurrences(gateway.pid, [needle]) == 0, needle
    viewer.program.stop()
    gateway.program.stop()
    for path in gateway.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for needle in needles:
                assert needle not in content, (path, needle)


def test_nothing_private_on_the_line(world, gateway, license, desktop):
    tap = Tap(gateway.address)
    try:
        host = Host(world, gateway, license).enroll(gateway=tap.address).run("--display", desktop.at).online()
        viewer = Viewer(world, gateway, license).pair(ticket := host.ticket(), gateway=tap.address)
        marker, copied = (secrets.token_hex(12) for _ in range(2))
        typed = desktop.typing_into(f"painted {marker}")
        viewer.listen()
        screen = Rfb(viewer.port)
        screen.type(marker)
        wait_for("the marker at the office", lambda: typed.read_text() == marker)
        screen.cut_text(copied)
        wait_for("the copied text at the office", lambda: desktop.run(
            "xclip", "-o", "-selection", "clipboard", code=None) == copied)
        screen.pump(1)
        viewer.program.stop()
        host.program.stop()
    finally:
        heard = tap.end()
    assert len(heard) > 10000, "nothing went through the tap"
    plain = spellings(marker) + spellings(copied) + spellings(ticket) + spellings(ticket.replace("-", ""))
    # Inside TLS, so not even what the gateway may know is to be seen.
    for needle in plain + secrets_of(license) + [license["id"].encode(), "佐藤".encode(), b"HELLO", b"RFB 003."]:
        assert needle not in heard, needle


def pair_psks(state):
    """What pairing left in a device's state: 32 bytes each, as text and raw."""
    found = []
    for path in state.rglob("*.json"):
        for text in re.findall(r'"pair_psk"\s*:\s*"([^"]+)"', path.read_text()):
            raw = bytes.fromhex(text) if re.fullmatch("[0-9a-f]{64}", text) else base64.urlsafe_b64decode(text + "==")
            found += [text.encode(), raw]
    return found


def test_what_pairing_made_never_reaches_the_gateway(gateway, viewer, host):
    viewer.listen()
    needles = pair_psks(host.state) + pair_psks(viewer.state)
    assert len(needles) >= 4 and all(len(needle) >= 32 for needle in needles)
    assert occurrences(host.program.process.pid, [needles[1]]) > 0
    assert occurrences(gateway.pid, needles) == 0


def test_a_host_forgets_the_session(gateway, viewer, host):
    """After the end nothing but what the next session needs is left: one copy of the psk per place that owns it."""
    viewer.listen()
    psk = pair_psks(host.state)[1]
    viewer.program.stop()
    wait_for("the session's end", lambda: (host.status().get("session") is None))
    idle = occurrences(host.program.process.pid, [psk])
    for _ in range(3):
        viewer.screenshot(after=1)
    wait_for("the session's end", lambda: (host.status().get("session") is None))
    assert occurrences(host.program.process.pid, [psk]) <= idle <= 2
