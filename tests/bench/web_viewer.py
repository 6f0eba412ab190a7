"""The browser viewer beside noVNC + websockify + x11vnc (Debian's): web_viewer.mjs drives both in one Chromium."""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
LINES = {"plain": "loopback", "slow": "40 ms, 20 Mbit/s, 250 ms queue"}
COLUMNS = {"novnc": "noVNC, x11vnc", "engawa": "engawa"}


def packages():
    """What drives Chromium, and the page's own words, by which the driver finds its way."""
    for place in ("tests/web", "viewer/web"):
        if not (TOP / place / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                           cwd=TOP / place, check=True, stdout=subprocess.DEVNULL)


def measure(wish, figures):
    lines = [wish.line] if wish.line else list(LINES)
    rounds = wish.rounds or (1 if wish.quick else 3)
    words = ["--seconds", wish.seconds or (4 if wish.quick else 8), "--rounds", rounds, "--lines", ",".join(lines)]
    for name in ("only", "work"):
        if getattr(wish, name):
            words += [f"--{name}", ",".join(getattr(wish, name))]
    packages()
    driver = subprocess.Popen(["node", str(HERE / "web_viewer.mjs"), *map(str, words)], stdout=subprocess.PIPE, text=True)
    for text in driver.stdout:
        told = json.loads(text)
        if "missing" in told:
            figures.miss("browser viewer", told["missing"])
        else:
            figures.note(f"web {told['line']}", told["row"], told["column"], told["value"])
    if driver.wait():
        figures.miss("browser viewer", f"its driver ended with {driver.returncode}")
    for line in lines:
        figures.show(f"web {line}", f"Browser viewer 1920×1080, {LINES[line]}: marker drawn → marker on the canvas; median (least–most) of "
                     f"{rounds}.\nengawa: over the gateway by TLS, sealed end to end; noVNC: websockify and x11vnc on loopback, in clear.",
                     COLUMNS, ratio=("engawa", "novnc"))
