#!/usr/bin/env python3
"""What licenses, online hosts, sessions and journal rows weigh in Redis: docs/capacity.md.

Starts a redis-server of its own, fills it by the store's own scripts, and reads used_memory.
"""

import hashlib
import json
import subprocess
import tempfile
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "gateway/store/redis"
LICENSES = 10000
ROWS = 200000


class Redis:
    def __init__(self, folder):
        self.socket = f"{folder}/socket"
        self.folder = folder
        self.process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", folder,
                                         "--appendonly", "yes", "--save", "", "--logfile", "redis.log"])
        while subprocess.run(["redis-cli", "-s", self.socket, "PING"], capture_output=True).stdout != b"PONG\n":
            time.sleep(0.05)

    def cli(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, "--raw", *words], capture_output=True, check=True).stdout

    def pipe(self, commands):
        def word(value):
            value = value if isinstance(value, bytes) else str(value).encode()
            return b"$%d\r\n%s\r\n" % (len(value), value)
        data = b"".join(b"*%d\r\n" % len(words) + b"".join(map(word, words)) for words in commands)
        done = subprocess.run(["redis-cli", "-s", self.socket, "--pipe"], input=data, capture_output=True, check=True)
        assert b"errors: 0" in done.stdout, done.stdout

    def memory(self):
        for line in self.cli("INFO", "memory").decode().splitlines():
            if line.startswith("used_memory:"):
                return int(line.split(":")[1])

    def disk(self):
        self.cli("BGREWRITEAOF")
        while "aof_rewrite_in_progress:0" not in self.cli("INFO", "persistence").decode():
            time.sleep(0.1)
        return sum(path.stat().st_size for path in Path(self.folder, "appendonlydir").iterdir())


def script(name, keys, *args):
    text = (SCRIPTS / f"{name}.lua").read_text()
    return ["EVAL", text, len(keys), *keys, *args]


def license_of(i):
    return "lic_" + hashlib.sha256(str(i).encode()).hexdigest()[:9]


def license_document(i):
    body = {"id": license_of(i), "tenant": "acme", "holder": f"Person {i}", "group": "grp_office", "note": "",
            "state": "enabled", "expires_ms": 0, "created_ms": 1795334311952, "changed_ms": 1795334311952, "labels": {},
            "devices": [], "policy": {}, "secret_hash": "9" * 64, "password": "scrypt$15$8$3$" + "m" * 66}
    return script("put", ["engawa:doc:license", "engawa:ids:license", "engawa:ids:license:acme"], license_of(i), 0,
                  "acme", json.dumps(body, separators=(",", ":")), "engawa:ids:license:")


def presence(i):
    return script("announce", [f"engawa:at:{license_of(i)}"], "node-v280hy3cs",
                  '{"node":"node-v280hy3cs","address":"gw2.example.jp:7443","peer":"gw2.example.jp:7443"}', 3600000)


def claim(i):
    session = f"ses_{i:026d}"
    return script("claim", [f"engawa:claim:{license_of(i)}", "engawa:fence"], session,
                  "node-v280hy3cs gw2.example.jp:7443", 3600000, 0)


def body(i, size):
    """An object of that many bytes that compresses about as badly as real ones."""
    return '{"event":"' + (hashlib.sha512(str(i).encode()).hexdigest() * 4)[:size - 12] + '"}'


def rows(count, kind, size, licenses):
    """Appends of 100 rows; the chain's hashes are not real, their length is."""
    keys = ["engawa:journal", "engawa:journal:head", "engawa:journal:hours", "engawa:journal:nodes"]
    for first in range(rows.next, rows.next + count, 100):
        words = []
        for i in range(first, first + 100):
            words += [kind, "acme", license_of(i * 7919 % licenses), 1795334311952 + i * 300, body(i, size),
                      hashlib.sha256(str(i).encode()).digest()]
        head = hashlib.sha256(str(first - 1).encode()).digest()
        yield script("append", keys, "engawa:journal:by:", "node-v280hy3cs", "0123456789abcdef", first, first - 1,
                     head, *words)
    rows.next += count


rows.next = 1


def main():
    with tempfile.TemporaryDirectory(prefix="engawa-weight-") as folder:
        redis = Redis(folder)
        try:
            last, disk = redis.memory(), redis.disk()

            def weigh(what, commands, count):
                nonlocal last, disk
                redis.pipe(commands)
                now, on_disk = redis.memory(), redis.disk()
                print(f"{what:34} {(now - last) / count:8.0f} B memory {(on_disk - disk) / count:8.0f} B disk")
                last, disk = now, on_disk

            weigh("license document", map(license_document, range(LICENSES)), LICENSES)
            weigh("online host (presence)", map(presence, range(LICENSES)), LICENSES)
            weigh("running session (claim)", map(claim, range(LICENSES)), LICENSES)
            # The first rows of a license also make its index.
            weigh("session row, first of a license", rows(LICENSES, "session", 300, LICENSES),
                  LICENSES)
            weigh("session row, 300 bytes", rows(ROWS, "session", 300, LICENSES), ROWS)
            weigh("bandwidth row, first of a license", rows(LICENSES, "bandwidth", 120, LICENSES),
                  LICENSES)
            weigh("bandwidth row, 120 bytes", rows(ROWS, "bandwidth", 120, LICENSES), ROWS)
            started = time.monotonic()
            redis.pipe(rows(20000, "audit", 300, LICENSES))
            print(f"append of 100 rows                 {(time.monotonic() - started) / 200 * 1000:8.2f} ms")
        finally:
            redis.process.terminate()
            redis.process.wait()


if __name__ == "__main__":
    main()
