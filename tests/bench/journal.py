#!/usr/bin/python3
"""Measures the journal: exports of a million rows, verification, sums, and charts over a year of 10,000 licenses.
Prints figures, no verdicts.

    tests/bench/journal.py                everything (some minutes, 3 GB of disk)
    --rows N --licenses N --days N        smaller
    ENGAWA_BUILD                          the build directory (a release build)

The rows are chained in Python as gateway/store/journal_chain.h says, so that their verification is a check of that
page too. The year's sums are the pages of gateway/rules/usage.h, written as the gateway writes them: eight hours on
each working day, every hour with numbers of its own.
"""

import argparse
import json
import random
import re
import sqlite3
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(TOP / "tests/system")]

from test_contract import fill_a_year, peak_mib  # noqa: E402
from test_gateway_admin import Rest  # noqa: E402
from world import Gateway, World  # noqa: E402


def usage_kind():
    names = re.findall(r"^\tSTATE_(\w+)", (TOP / "gateway/store/state.h").read_text(), re.M)
    return names.index("USAGE")


def shard(license):
    hashed = 2166136261
    for byte in license.encode():
        hashed = (hashed ^ byte) * 16777619 & 0xFFFFFFFF
    return "abcdefghijklmnop"[(hashed ^ hashed >> 16) % 16]


def body(lines):
    text = "".join(f"{key} {a} {b} {c} {d};" for key, (a, b, c, d) in sorted(lines.items()))
    return f'{{"bandwidth":1,"session":1,"sums":"{text}"}}'


def working_hours(days):
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(days, 0, -1):
        day = today - timedelta(days=number)
        if day.weekday() < 5:
            yield from (day + timedelta(hours=hour) for hour in range(0, 8))


def add(lines, key, sums):
    old = lines.get(key, (0, 0, 0, 0))
    lines[key] = tuple(map(sum, zip(old, sums)))


def fill_usage(path, licenses, days):
    """Pages of every license, of its company in hours, and of the company's licenses by month and by day."""
    kind, dice = usage_kind(), random.Random(20261122)
    months = {}
    for at in working_hours(days):
        months.setdefault(f"{at:%Y-%m}", []).append((at, f"{(at.day - 1) * 24 + at.hour:03d}"))
    recent = datetime.now(timezone.utc) - timedelta(days=61)
    base = sqlite3.connect(path)
    base.execute("PRAGMA synchronous=OFF")

    def put(id, tenant, lines):
        base.execute("INSERT INTO doc(kind, id, tenant, version, body) VALUES(?,?,?,1,?)", (kind, id, tenant, body(lines)))

    for month, hours in sorted(months.items()):
        whole, tops, by_day = {}, {}, {}
        for number in range(licenses):
            license, lines = f"lic_{number:09d}", {}
            for at, key in hours:
                sums = (dice.getrandbits(28), dice.getrandbits(18), key[-1] == "0" and 1 or 0, 3_000_000)
                lines[key] = sums
                add(whole, key, sums)
                add(tops.setdefault(shard(license), {}), license, sums)
                if at > recent:
                    add(by_day.setdefault((f"{at:%Y-%m-%d}", shard(license)), {}), license, sums)
            put(f"l/{license}/{month}", "acme", lines)
        for tenant in ("acme", "*"):
            put(f"t/{tenant}/{month}", "acme" if tenant == "acme" else "", whole)
        for letter, lines in tops.items():
            put(f"m/acme/{month}/{letter}", "acme", lines)
        for (day, letter), lines in by_day.items():
            put(f"d/acme/{day}/{letter}", "acme", lines)
        base.commit()
    base.close()


def timed(rest, path, times=20):
    taken = []
    for _ in range(times):
        start = time.monotonic()
        status, _, text = rest.ask("GET", path)
        taken.append((time.monotonic() - start) * 1000)
        assert status == 200, text
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.95) - 1], json.loads(text)


def measure_rows(gateway, count):
    file = gateway.data / "engawa.db"
    before = file.stat().st_size
    fill_a_year(gateway, "lic_a", count)
    print(f"bytes per row on disk        {(file.stat().st_size - before) / count:8.0f}")
    gateway.restart()
    started = time.monotonic()
    rest, base = Rest(gateway), peak_mib(gateway.pid)
    while json.loads(rest.ask("GET", "/api/v1/usage?from=2020-01-01&step=month")[2])["sums"]["sessions"] < count // 5:
        time.sleep(0.2)
    print(f"summing them up              {time.monotonic() - started:8.1f} s  (looked for each 15 s)")
    for form in ("csv", "jsonl"):
        start, lines = time.monotonic(), 0
        for kind in ("logins", "sessions", "bandwidth", "audit"):
            lines += gateway_lines(gateway, f"/api/v1/journal/{kind}?format={form}")
        print(f"{lines:8d} lines of {form:5s}        {time.monotonic() - start:8.1f} s")
    print(f"memory at most               {peak_mib(gateway.pid):8.0f} MiB ({base:.0f} before)")
    start = time.monotonic()
    verdict = gateway.ctl("audit", "verify")
    assert verdict["ok"], verdict
    print(f"verifying {verdict['checked']:8d} rows      {time.monotonic() - start:8.1f} s")
    assert gateway.program.stop() == 0


def gateway_lines(gateway, path):
    import http.client
    import ssl
    host, port = gateway.admin.rsplit(":", 1)
    link = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=str(gateway.ca)))
    token = (gateway.data / "admin.token").read_text().strip()
    link.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer, lines = link.getresponse(), 0
    while piece := answer.read(1 << 20):
        lines += piece.count(b"\n")
    link.close()
    return lines


def measure_charts(gateway, licenses, days):
    file = gateway.data / "engawa.db"
    start = time.monotonic()
    fill_usage(file, licenses, days)
    print(f"a year of {licenses} licenses: {file.stat().st_size / 2**20:.0f} MiB, made in {time.monotonic() - start:.0f} s")
    gateway.restart()
    rest, one = Rest(gateway), f"lic_{licenses // 2:09d}"
    year = (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%d")
    month = (datetime.now(timezone.utc) - timedelta(days=30)).strftime("%Y-%m-%d")
    print("                                  p50      p95   (ms, TLS and connection included)")
    for what, path in (
            ("license, hours of a year", f"/api/v1/usage?license={one}&from={year}&step=hour"),
            ("license, days of a year", f"/api/v1/usage?license={one}&from={year}&step=day"),
            ("company, hours of a year", f"/api/v1/usage?tenant=acme&from={year}&step=hour"),
            ("company, months of a year", f"/api/v1/usage?tenant=acme&from={year}&step=month"),
            ("all, days of a year", f"/api/v1/usage?from={year}&step=day"),
            ("top 10 of a year", f"/api/v1/usage/top?tenant=acme&from={year}"),
            ("top 10 of 30 days", f"/api/v1/usage/top?tenant=acme&from={month}")):
        p50, p95, answer = timed(rest, path)
        size = len(answer.get("points", answer.get("items")))
        print(f"{what:30s} {p50:7.1f}  {p95:7.1f}   {size} points")
    assert gateway.program.stop() == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--licenses", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="engawa-journal-") as place:
        world = World(Path(place))
        try:
            if options.rows:
                gateway = Gateway(world, "rows").init().start()
                assert gateway.program.stop() == 0
                measure_rows(gateway, options.rows)
            if options.licenses:
                gateway = Gateway(world, "year").init().start()
                assert gateway.program.stop() == 0
                measure_charts(gateway, options.licenses, options.days)
        finally:
            world.end()


if __name__ == "__main__":
    main()
