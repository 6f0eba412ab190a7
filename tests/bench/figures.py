"""Figures of several runs, and tables of their medians."""

import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path


class Figures:
    """Every figure by (table, row, column); what could not be measured, and why."""

    def __init__(self):
        self.values = {}
        self.missing = []

    def note(self, table, row, column, value):
        print(f"{table} | {row} | {column}: {short(value)}", file=sys.stderr, flush=True)
        self.values.setdefault(table, {}).setdefault(row, {}).setdefault(column, []).append(value)

    def miss(self, what, why):
        print(f"{what}: not measured", file=sys.stderr, flush=True)
        lines = [line for line in str(why).strip().splitlines() if line.strip()]
        self.missing.append(f"{what}: {lines[-1] if lines else type(why).__name__}")

    def median(self, table, row, column):
        values = self.values.get(table, {}).get(row, {}).get(column)
        return statistics.median(values) if values else None

    def show(self, table, title, columns, ratio=None):
        """`columns`: {column: heading}. `ratio`: (ours, peer), a last column with ours : peer."""
        rows = self.values.get(table, {})
        if not rows:
            return
        heads = list(columns.values()) + ([f"{ratio[0]} : {ratio[1]}"] if ratio else [])
        first = max(len(row) for row in rows)
        print(f"\n{title}\n{'':{first}}  " + "  ".join(f"{head:>15}" for head in heads))
        for row in rows:
            cells = [self._cell(table, row, column) for column in columns]
            if ratio:
                ours, peer = (self.median(table, row, name) for name in ratio)
                cells.append(f"{ours / peer:.2f}" if ours is not None and peer else "")
            print(f"{row:{first}}  " + "  ".join(f"{cell:>15}" for cell in cells), flush=True)

    def _cell(self, table, row, column):
        values = self.values[table][row].get(column)
        if not values:
            return "–"
        text = short(statistics.median(values))
        if len(values) > 1:
            text += f" ({short(min(values))}–{short(max(values))})"
        return text


def short(value):
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def version_of(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else "missing"


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    packages = ("openssl", "haproxy", "x11vnc", "novnc", "websockify", "chromium", "tigervnc-scraping-server", "libvncserver1", "libvncclient1", "xvfb")
    versions = ", ".join(f"{name} {version_of(name)}" for name in packages)
    return (f"{os.cpu_count()} × {cpu.group(1) if cpu else platform.machine()}, Linux {platform.release()}, "
            f"load {os.getloadavg()[0]:.1f}\n{versions}")
