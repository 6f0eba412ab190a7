"""The world of a system test: real programs in a temporary directory, ended by pid.

    gateway = Gateway(tmp).init().start()
    license = gateway.ctl("license", "create", "--holder", "佐藤")
    host = Host(tmp, gateway, license).enroll().run(display)
    viewer = Viewer(tmp, gateway, license).pair(host.ticket())
    with viewer.listen() as port: ...

A program's output goes to a file; when a test fails, conftest.py shows the end of each.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("ENGAWA_BUILD", TOP / "build"))
BIN = BUILD / "bin"
TOOLS = BUILD / "tests"

# What libraries keep until the end is no leak of ours; tests/run sets the other sanitizer options.
os.environ.setdefault("LSAN_OPTIONS", f"suppressions='{TOP}/tests/lsan.supp':print_suppressions=0")

# A busy 2-core machine under ASan: waits are upper bounds, never what is measured.
PATIENCE = 40


class ProgramFailed(AssertionError):
    """A program ended otherwise than the test asked; carries what it printed."""

    def __init__(self, words, code, out, err):
        super().__init__(f"{' '.join(str(word) for word in words)}: exit {code}\n{out}\n{err}")
        self.code, self.out, self.err = code, out, err


def run(*words, code=0, timeout=PATIENCE, env=None, text_in=None, cwd=None):
    """Runs a program to its end and returns its output; another exit code than `code` fails."""
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, timeout=timeout, cwd=cwd,
                          env={**os.environ, **(env or {})},
                          input=text_in.encode() if text_in is not None else b"")
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if code is not None and done.returncode != code:
        raise ProgramFailed(words, done.returncode, out, err)
    run.last_error = err
    run.last_code = done.returncode
    return out


def wait_for(what, check, seconds=PATIENCE, every=0.05):
    """Asks until `check` gives something true; says what never came."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)


def free_port():
    """A port that is free and stays so: below those that the system gives to outgoing connections, and
    not given by this function before."""
    while True:
        port = random.randrange(12000, 32000)
        if port in free_port.given:
            continue
        free_port.given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


free_port.given = set()


class Program:
    """A program in the background. `ready` waits for the line it writes to --ready-fd."""

    def __init__(self, name, words, log, env=None, ready=False, cwd=None):
        self.name, self.log = name, Path(log)
        self.words = [str(word) for word in words]
        self.ready_line = None
        read_end = None
        pass_fds = ()
        if ready:
            read_end, write_end = os.pipe()
            self.words += ["--ready-fd", str(write_end)]
            pass_fds = (write_end,)
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(self.words, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(env or {})}, pass_fds=pass_fds, cwd=cwd)
        if ready:
            os.close(write_end)
            os.set_blocking(read_end, False)
            try:
                self.ready_line = wait_for(f"{name} to be ready", lambda: self._ready(read_end))
            except AssertionError:
                self.kill()
                raise AssertionError(f"{name} did not get ready:\n{self.text()[-3000:]}") from None
            finally:
                os.close(read_end)

    def _ready(self, fd):
        try:
            line = os.read(fd, 4096)
        except BlockingIOError:
            return None
        if line == b"":
            raise AssertionError(f"{self.name} ended (exit {self.process.wait()})")
        return line.decode().strip()

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def alive(self):
        return self.process.poll() is None

    def kill(self, sig=signal.SIGKILL):
        if self.alive():
            self.process.send_signal(sig)
        if sig == signal.SIGKILL:
            self.process.wait()
        return self

    def wait(self, seconds=PATIENCE):
        return self.process.wait(seconds)

    def stop(self, seconds=PATIENCE):
        """SIGTERM, then the exit code; a program that does not end is killed and fails the test."""
        if self.alive():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM:\n{self.text()[-3000:]}") from None

    def sanitizer_report(self):
        return any(mark in self.text() for mark in
                   ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer"))


class World:
    """Everything a test started, so that all of it can be ended."""

    def __init__(self, tmp):
        self.tmp = Path(tmp)
        self.programs = []

    def start(self, name, words, env=None, ready=False, cwd=None):
        log = self.tmp / f"{name}.log"
        program = Program(name, words, log, env, ready, cwd)
        self.programs.append(program)
        return program

    def end(self):
        """Ends all, newest first. Programs of ours must end on SIGTERM without a sanitizer report."""
        reports = []
        for program in reversed(self.programs):
            if program.alive():
                program.process.terminate()
                try:
                    program.process.wait(20)
                except subprocess.TimeoutExpired:
                    program.kill()
                    if "/bin/engawa" in program.words[0]:
                        reports.append(f"{program.name} did not end on SIGTERM")
            if program.sanitizer_report():
                reports.append(f"{program.name}:\n{program.text()[-4000:]}")
        assert not reports, "\n".join(reports)


class Gateway:
    def __init__(self, world, name="gateway"):
        self.world, self.name = world, name
        self.data = world.tmp / name
        self.program = None
        self.address = None
        self.options = []
        self.env = None  # what its process has beside ours: a clock of its own

    def init(self, *options):
        self.made = json.loads(run(BIN / "engawa-gateway", "init", "--data", self.data, "--json", *options))
        return self

    def start(self, *options, listen="127.0.0.1:0", admin="127.0.0.1:0"):
        self.options = options or self.options
        self.program = self.world.start(self.name, [
            BIN / "engawa-gateway", "run", "--data", self.data, "--listen", listen,
            "--admin-listen", admin, *self.options], env=self.env, ready=True)
        self.address = (self.data / "run/listen").read_text().strip()
        self.admin = (self.data / "run/admin").read_text().strip()
        return self

    def restart(self):
        return self.start(listen=self.address, admin=self.admin)

    @property
    def ca(self):
        return self.data / "ca.pem"

    @property
    def pid(self):
        return self.program.process.pid

    def ctl(self, *words, code=0, json_out=True):
        """engawactl with --json: its answer, parsed."""
        tail = ["--json"] if json_out else []
        out = run(BIN / "engawactl", "--data", self.data, *words, *tail, code=code)
        return json.loads(out) if json_out and out.strip() else out

    def license(self, holder="佐藤 花子", *options):
        return self.ctl("license", "create", "--holder", holder, *options)

    def log(self, kind, *options):
        return self.ctl("log", kind, *options)


class Host:
    def __init__(self, world, gateway, license, name="host"):
        self.world, self.gateway, self.license, self.name = world, gateway, license, name
        self.state = world.tmp / name
        self.program = None

    def enroll(self, *options, code=0, gateway=None, ca=None):
        run(BIN / "engawa-host", "--state", self.state, "enroll", "--gateway", gateway or self.gateway.address,
            "--ca", ca or self.gateway.ca, "--license", self.license["key"], *options, code=code)
        return self

    def run(self, *options, env=None, ready=True):
        """run(display=…)'s words: ("--display", ":7") or ("--vnc", "127.0.0.1:5901")."""
        self.program = self.world.start(self.name, [
            BIN / "engawa-host", "--state", self.state, "run", *options], env=env, ready=ready)
        return self

    def ticket(self):
        return json.loads(run(BIN / "engawa-host", "--state", self.state, "pair", "--json"))["code"]

    def status(self):
        return json.loads(run(BIN / "engawa-host", "--state", self.state, "status", "--json", code=None))

    def online(self):
        wait_for("the host to be online", lambda: any(
            row.get("online") for row in self.gateway.ctl("host", "list")
            if self.license["id"] in (row.get("license"), row.get("id"))))
        return self


class Viewer:
    def __init__(self, world, gateway, license, name="viewer"):
        self.world, self.gateway, self.license, self.name = world, gateway, license, name
        self.state = world.tmp / name
        self.password_file = world.tmp / f"{name}.password"
        self.set_password(license["password"])
        self.program = None
        self.port = None

    def set_password(self, password):
        self.password_file.write_text(password + "\n")
        self.password_file.chmod(0o600)

    def pair(self, code_text, code=0, key=None, gateway=None):
        run(BIN / "engawa-viewer", "--state", self.state, "pair", "--gateway", gateway or self.gateway.address,
            "--ca", self.gateway.ca, "--license", key or self.license["key"],
            "--password-file", self.password_file, "--code", code_text, "--name", "office", code=code)
        return self

    def connect(self, *options, code=0, timeout=PATIENCE):
        """Runs to its end; for --screenshot and for refusals."""
        if not any(word in ("--screenshot", "--listen") for word in options):
            options = ("--screenshot", self.world.tmp / f"{self.name}-never.png", *options)
        return run(BIN / "engawa-viewer", "--state", self.state, "connect", "--password-file",
                   self.password_file, *options, code=code, timeout=timeout)

    def screenshot(self, after=2, code=0):
        path = self.world.tmp / f"{self.name}-{time.monotonic_ns()}.png"
        self.connect("--screenshot", path, "--after", str(after), code=code)
        return path

    def listen(self, *options):
        self.port = free_port()
        self.program = self.world.start(f"{self.name}-listen", [
            BIN / "engawa-viewer", "--state", self.state, "connect", "--password-file", self.password_file,
            "--listen", f"127.0.0.1:{self.port}", *options], ready=True)
        return self


class Display:
    """A desktop of our own: Xvfb, a window manager, and what the test puts on it."""

    def __init__(self, world, name="desktop", size="1024x768", manager=True):
        self.world, self.name = world, name
        read_end, write_end = os.pipe()
        log = world.tmp / f"{name}-xvfb.log"
        with open(log, "ab") as sink:
            process = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-nolisten", "tcp",
                 "-noreset", "+extension", "RANDR"], stdout=sink, stderr=sink, stdin=subprocess.DEVNULL,
                pass_fds=(write_end,))
        os.close(write_end)
        self.program = Program.__new__(Program)
        self.program.name, self.program.log, self.program.process = f"{name}-xvfb", log, process
        self.program.words = ["Xvfb"]
        world.programs.append(self.program)
        with os.fdopen(read_end) as lines:
            self.number = lines.readline().strip()
        assert self.number, log.read_text()
        self.at = f":{self.number}"
        if manager:
            self.start_manager()

    def start_manager(self):
        """A window that is mapped while the manager starts can be lost to both; so it is waited for."""
        self.start("openbox", "--sm-disable")
        wait_for("the window manager", lambda: "window id" in self.run(
            "xprop", "-root", "_NET_SUPPORTING_WM_CHECK", code=None))

    @property
    def env(self):
        return {"DISPLAY": self.at, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    def start(self, *words, env=None):
        return self.world.start(f"{self.name}-{Path(words[0]).name}-{time.monotonic_ns()}", words,
                                env={**self.env, **(env or {})})

    def run(self, *words, code=0, text_in=None):
        return run(*words, env=self.env, code=code, text_in=text_in)

    def screenshot(self):
        """The root window as an RGB PIL image."""
        from PIL import Image
        path = self.world.tmp / f"{self.name}-{time.monotonic_ns()}.png"
        self.run("import", "-window", "root", path)
        return Image.open(path).convert("RGB")

    def typing_into(self, title="typed here"):
        """An xterm in which everything typed goes to a file; returns the file's path."""
        path = self.world.tmp / f"{self.name}-typed-{time.monotonic_ns()}"
        self.start("xterm", "-u8", "-T", title, "-geometry", "80x20+60+60", "-fa", "DejaVu Sans Mono", "-fs", "11",
                   "-e", "sh", "-c", f"stty -echo -icanon min 1; exec dd bs=1 of='{path}' 2>/dev/null")
        wait_for(f"the window «{title}»", lambda: self.run(
            "xdotool", "search", "--onlyvisible", "--name", title, code=None).strip())
        self.run("xdotool", "search", "--onlyvisible", "--name", title, "windowfocus", "--sync", code=None)
        wait_for("the file that is typed into", path.exists)
        return path


def have(program):
    return shutil.which(program) is not None
