"""The desktop through host → gateway → viewer, beside x11vnc and TigerVNC's x0vncserver alone: the same display, the
same program that draws, the same VNC client (marker_probe), one after the other."""

import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from relay import listens
from world import TOOLS, Display, Gateway, Host, Viewer, World, free_port, wait_for

WORK = ["typing", "scroll", "copy", "move", "video", "keys", "keysvideo"]
NAMES = {"typing": "typing 20/s", "scroll": "scroll, drawn anew 30/s", "copy": "scroll, copied 30/s",
         "move": "window move 30/s", "video": "video 640×360 30/s", "keys": "key → pixel",
         "keysvideo": "key → pixel, video runs"}
LINES = {"plain": "loopback", "slow": "40 ms, 20 Mbit/s, 250 ms queue"}
SLOW = ["delay both 20", "rate both 20M", "queue both 250"]
COLUMNS = {"x11vnc": "x11vnc", "tuned": "x11vnc tuned", "tigervnc": "x0tigervnc", "tigercu": "x0tigervnc +CU",
           "engawa": "engawa"}
WARM = 1.0


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(rest[11]) + int(rest[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Server:
    """Something that shows the display: a port for the probe, and the processes that count as the server."""

    def __init__(self, port, pids, mode="", programs=(), relay_pids=()):
        self.port, self.pids, self.mode, self.programs, self.relay_pids = port, pids, mode, programs, relay_pids

    def end(self):
        for program in reversed(self.programs):
            try:
                program.kill(signal.SIGTERM).wait(5)
            except subprocess.TimeoutExpired:
                program.kill()  # x11vnc -threads may hang


class Desk:
    def __init__(self, tmp):
        self.world = World(tmp)
        self.display = Display(self.world, size="1920x1080", manager=False)
        self.count = 0
        self.office = None

    def proxy(self, port, line):
        """A way to this port over the line; the program, and the port to use instead."""
        if line == "plain":
            return None, port
        self.count += 1
        name = f"line{self.count}"
        words = [TOOLS / "faultproxy", "--to", f"127.0.0.1:{port}", "--seconds", "3600"]
        program = self.world.start(name, [*words, *(word for command in SLOW for word in ("-c", command))])
        text = wait_for("the line", lambda: program.text() if "port " in program.text() else None)
        return program, int(text.split("port ")[1].split()[0])

    def plain_server(self, line, mode, *words):
        port = free_port()
        words = [str(word).format(port=port, display=self.display.at) for word in words]
        self.count += 1
        program = self.world.start(f"server{self.count}", words, env=self.display.env)
        wait_for(f"{words[0]} to listen", lambda: listens(port))
        proxy, at = self.proxy(port, line)
        return Server(at, [program.process.pid], mode, [program] + ([proxy] if proxy else []))

    def x11vnc(self, line, *options):
        return self.plain_server(line, "", "x11vnc", "-display", "{display}", "-rfbport", "{port}", "-localhost",
                                 "-forever", "-shared", "-nopw", "-quiet", *options)

    def tuned(self, line):
        return self.x11vnc(line, "-threads", "-wait", "5", "-defer", "5")

    def tigervnc(self, line, mode=""):
        return self.plain_server(line, mode, "X0tigervnc", "-display", "{display}", "-rfbport", "{port}",
                                 "-localhost", "-SecurityTypes", "None", "-AlwaysShared")

    def tigercu(self, line):
        return self.tigervnc(line, "+cu")

    def engawa(self, line):
        if not self.office:
            self.office = Office(self)
        return self.office.show(line)


class Office:
    """Host, gateway, and one paired viewer for each line (its profile keeps the address of its gateway)."""

    def __init__(self, desk):
        self.desk = desk
        self.gateway = Gateway(desk.world).init().start()
        self.license = self.gateway.license("bench")
        self.host = Host(desk.world, self.gateway, self.license).enroll()
        self.host.run("--display", desk.display.at, env=desk.display.env).online()
        self.viewers = {}

    def show(self, line):
        if line not in self.viewers:
            _, port = self.desk.proxy(int(self.gateway.address.rsplit(":", 1)[1]), line)
            viewer = Viewer(self.desk.world, self.gateway, self.license, f"viewer-{line}")
            self.viewers[line] = viewer.pair(self.host.ticket(), gateway=f"127.0.0.1:{port}")
        viewer = self.viewers[line].listen()
        return Server(viewer.port, [self.host.program.process.pid], "", [viewer.program],
                      [self.gateway.pid, viewer.program.process.pid])


def read_log(path):
    return [line.split() for line in path.read_text().splitlines()]


def judge(drawn, seen, begin_us, end_us, cpu, keys):
    """What the two logs say of the time between: frames, latency in ms, bytes per second."""
    at = {}
    for number, us in drawn:
        at.setdefault(int(number), []).append(int(us))
    marks = [(int(row[0]), int(row[1]), int(row[2])) for row in seen if row[0] != "key"]
    marks = [row for row in marks if begin_us <= row[1] <= end_us]
    late = [int(row[1]) / 1000 for row in seen if row[0] == "key"]
    if not keys:
        late = []
        for number, us, _ in marks:
            before = [drawn_us for drawn_us in at.get(number, []) if drawn_us <= us]
            if before:
                late.append((us - before[-1]) / 1000)
    if len(late) < 2 or len(marks) < 2:
        raise RuntimeError("hardly a marker was seen")
    seconds = (end_us - begin_us) / 1e6
    late.sort()
    figures = {"p50 ms": statistics.median(late), "p95 ms": late[min(len(late) - 1, int(len(late) * 0.95))]}
    if not keys:
        figures["fps"] = len(marks) / seconds
    return {**figures, "kB/s": (marks[-1][2] - marks[0][2]) * 1e6 / (marks[-1][1] - marks[0][1]) / 1000, **cpu}


def measure_work(desk, server, work, seconds):
    tmp, keys = desk.world.tmp, work.startswith("keys")
    drawn, seen = tmp / "drawn", tmp / "seen"
    app = subprocess.Popen([TOOLS / "marker_app", work, str(seconds + WARM + 8), drawn],
                           env={**os.environ, **desk.display.env})
    time.sleep(0.3)
    probe = subprocess.Popen([TOOLS / "marker_probe", str(server.port), str(seconds + WARM + 3),
                              ("keys" if keys else "watch") + server.mode, seen],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if not probe.stdout.readline():
            raise RuntimeError("the probe got no picture")
        time.sleep(WARM)
        begin, cpu = time.monotonic(), [cpu_seconds(server.pids), cpu_seconds(server.relay_pids)]
        time.sleep(seconds)
        end, after = time.monotonic(), [cpu_seconds(server.pids), cpu_seconds(server.relay_pids)]
        share = {"server CPU %": (after[0] - cpu[0]) * 100 / (end - begin)}
        if server.relay_pids:
            share["gateway and viewer CPU %"] = (after[1] - cpu[1]) * 100 / (end - begin)
        probe.wait(seconds + 30)
    finally:
        for program in (probe, app):
            if program.poll() is None:
                program.terminate()
            program.wait()
    return judge(read_log(drawn), read_log(seen), int(begin * 1e6), int(end * 1e6), share, keys)


def measure_server(wish, desk, figures, name, line, seconds):
    try:
        server = getattr(desk, name)(line)
    except Exception as error:
        figures.miss(f"{name}, {LINES[line]}", error)
        return
    try:
        for work in wish.work or WORK:
            try:
                got = measure_work(desk, server, work, seconds)
            except Exception as error:
                figures.miss(f"{name}, {LINES[line]}, {NAMES[work]}", error)
                continue
            for column, value in got.items():
                figures.note(line, f"{NAMES[work]}, {column}", name, value)
    finally:
        server.end()


def measure(wish, figures):
    seconds = wish.seconds or (4 if wish.quick else 8)
    rounds = wish.rounds or (1 if wish.quick else 3)
    lines = [wish.line] if wish.line else list(LINES)
    with tempfile.TemporaryDirectory(prefix="engawa-bench-") as tmp:
        desk = Desk(tmp)
        try:
            for _ in range(rounds):
                for line in lines:
                    for name in wish.only or COLUMNS:
                        measure_server(wish, desk, figures, name, line, seconds)
        finally:
            desk.world.end()
    for line in lines:
        figures.show(line, f"Desktop 1920×1080, {LINES[line]}: marker drawn → marker in the client's framebuffer; "
                     f"median (least–most) of {rounds}.\n+CU: the client also speaks ContinuousUpdates and Fence. "
                     "engawa: host → gateway → viewer --listen, encrypted twice; the others: plain RFB.",
                     COLUMNS, ratio=("engawa", "tigervnc"))
