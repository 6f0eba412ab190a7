#!/usr/bin/env python3
"""What faultproxy promises: delay, rate, cuts, and that it ends by itself. Usage: check.py FAULTPROXY"""
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time


class Echo:
    """A server that returns what it gets, or swallows it."""

    def __init__(self, swallow=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.swallow, self.got, self.ends = swallow, bytearray(), []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            while data := conn.recv(65536):
                self.got += data
                if not self.swallow:
                    conn.sendall(data)
            self.ends.append("fin")
        except OSError:
            self.ends.append("reset")
        conn.close()


class Proxy:
    def __init__(self, to, *commands):
        self.control_path = os.path.join(tempfile.mkdtemp(), "control")
        args = [sys.argv[1], "--to", f"127.0.0.1:{to}", "--control", self.control_path, "--seconds", "60"]
        for command in commands:
            args += ["-c", command]
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.control = socket.socket(socket.AF_UNIX)
        self.control.connect(self.control_path)
        self.answers = self.control.makefile()

    def say(self, command):
        self.control.sendall(command.encode() + b"\n")
        return self.answers.readline().strip()

    def connect(self):
        conn = socket.create_connection(("127.0.0.1", self.port))
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conn.settimeout(10)
        return conn

    def stop(self):
        self.say("quit")
        assert self.process.wait(5) == 0


def exact(conn, count):
    got = bytearray()
    while len(got) < count:
        data = conn.recv(count - len(got))
        if not data:
            break
        got += data
    return bytes(got)


def round_trips(conn, count=60):
    times = []
    for _ in range(count):
        begun = time.monotonic()
        conn.sendall(b"x")
        exact(conn, 1)
        times.append((time.monotonic() - begun) * 1000)
    return times


def background(function, *args):
    """Runs while the check looks elsewhere; the connection may die under it."""
    def run():
        with contextlib.suppress(OSError):
            function(*args)
    threading.Thread(target=run, daemon=True).start()


def delay_is_exact():
    proxy = Proxy(Echo().port, "delay both 20")
    times = round_trips(proxy.connect())
    middle = statistics.median(times)
    assert 40 <= middle <= 42, times
    proxy.say("delay both 0")
    assert statistics.median(round_trips(proxy.connect())) < 5
    proxy.stop()


def rate_is_exact():
    echo = Echo(swallow=True)
    proxy = Proxy(echo.port, "rate up 20M", "delay up 20")
    conn = proxy.connect()
    total = 5_000_000  # 2 s
    begun = time.monotonic()
    background(conn.sendall, bytes(total))
    while len(echo.got) < total:
        time.sleep(0.001)
        assert time.monotonic() - begun < 20
    took = time.monotonic() - begun
    assert 2.015 <= took <= 2.06, took
    proxy.stop()


def the_queue_is_bounded():
    """A full line delays by its queue, not by seconds."""
    proxy = Proxy(Echo().port, "rate both 8M", "queue up 50")
    bulk, small = proxy.connect(), proxy.connect()
    background(bulk.sendall, bytes(3_000_000))
    background(exact, bulk, 3_000_000)
    time.sleep(0.3)
    held = json.loads(proxy.say("stats"))["held_up"]
    assert held <= 50_000 + 3000, held  # 50 ms at 1 MB/s
    assert statistics.median(round_trips(small, 10)) < 20  # a line of its own for each connection
    proxy.stop()


def cut_half_flip():
    echo = Echo()
    proxy = Proxy(echo.port, "cut down 1000")
    conn = proxy.connect()
    conn.sendall(bytes(5000))
    assert len(exact(conn, 5000)) == 1000
    proxy.say("cut down -1")
    proxy.say("cut up 300 rst")
    conn = proxy.connect()
    echo.got.clear()
    conn.sendall(bytes(5000))
    try:
        while conn.recv(100):
            pass
        raise AssertionError("no reset")
    except ConnectionResetError:
        pass
    assert len(echo.got) <= 300
    proxy.say("cut up -1")
    proxy.say("flip up 7")
    conn = proxy.connect()
    conn.sendall(bytes(16))
    assert exact(conn, 16) == bytes(7) + b"\1" + bytes(8)
    proxy.say("flip up -1")
    proxy.say("half up 10")
    conn = proxy.connect()
    conn.sendall(bytes(100))
    assert len(exact(conn, 100)) == 10
    assert echo.ends[-1] == "fin"
    proxy.stop()


def freeze_stall_refuse():
    proxy = Proxy(Echo().port)
    conn = proxy.connect()
    conn.sendall(b"a")
    assert exact(conn, 1) == b"a"
    assert proxy.say("freeze down") == "ok"
    conn.sendall(b"b")
    conn.settimeout(0.2)
    try:
        conn.recv(1)
        raise AssertionError("not frozen")
    except TimeoutError:
        pass
    conn.settimeout(5)
    proxy.say("thaw down")
    assert exact(conn, 1) == b"b"
    proxy.say("stall down 300 200")
    times, begun = [], time.monotonic()
    while time.monotonic() - begun < 0.9:
        times += round_trips(conn, 1)
    assert 150 < max(times) < 240, max(times)
    proxy.say("stall down 0 0")
    proxy.say("refuse")
    other = proxy.connect()
    try:
        assert other.recv(1) == b""
    except ConnectionResetError:
        pass
    proxy.say("accept")
    assert len(round_trips(proxy.connect(), 2)) == 2
    assert proxy.say("close") == "ok"
    assert exact(conn, 1) == b""
    assert proxy.say("dance").startswith("error")
    proxy.stop()


def large_streams_are_exact():
    proxy = Proxy(Echo().port, "delay both 5", "jitter both 3", "rate both 400M")
    conn = proxy.connect()
    data = os.urandom(8_000_000)
    background(lambda: (conn.sendall(data), conn.shutdown(socket.SHUT_WR)))
    assert exact(conn, len(data) + 1) == data
    conn.close()
    time.sleep(0.1)
    assert json.loads(proxy.say("stats"))["open"] == 0
    proxy.stop()


def ends_with_stdin():
    args = [sys.argv[1], "--to", "127.0.0.1:1", "--stdin"]
    process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("port ")
    process.stdin.write("stats\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["open"] == 0
    process.stdin.close()
    assert process.wait(5) == 0
    process = subprocess.Popen([*args[:3], "--seconds", "0.3"], stdout=subprocess.DEVNULL)
    assert process.wait(5) == 0


for check in (delay_is_exact, rate_is_exact, the_queue_is_bounded, cut_half_flip, freeze_stall_refuse,
              large_streams_are_exact, ends_with_stdin):
    begun = time.monotonic()
    check()
    print(f"ok {check.__name__} {time.monotonic() - begun:.1f} s", flush=True)
