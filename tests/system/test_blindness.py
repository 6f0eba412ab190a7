"""The relay is blind: what was typed, shown and copied is nowhere in the gateway."""

import base64
import json
import re
import secrets

from rfb import Rfb
from world import wait_for


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
