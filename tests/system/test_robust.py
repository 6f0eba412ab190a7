"""Bad moments: programs killed, lines cut, floods. The session goes on, or says why not."""

import os
import resource
import signal
import socket
import time

import pytest
from rfb import Rfb, keysym
from test_main_job import has_colour, paint
from world import PATIENCE, Host, Viewer, run, wait_for

RED = (0xD0, 0x30, 0x20)


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def test_typing_survives_a_killed_gateway_exactly(viewer, gateway, desktop):
    """Numbers are typed while the gateway is killed and comes back: each arrives once, in order."""
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    expected = ""
    for number in range(1, 201):
        text = f"{number} "
        screen.type(text)
        expected += text
        if number in (60, 130):
            gateway.program.kill()
            gateway.restart()
        time.sleep(0.02)
    wait_for("all numbers", lambda: typed.read_text() == expected, seconds=60)
    paint(desktop, "#d03020")
    screen.until("the picture to go on", lambda image: has_colour(image, RED))
    assert viewer.program.alive()


@pytest.mark.parametrize("stays", [False, True], ids=["client left", "client stayed"])
def test_the_host_agent_may_be_restarted(viewer, host, desktop, stays):
    """The session is lost with the agent; the viewer gets a new one by itself, and serves the next client."""
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    if not stays:
        screen.close()
    host.program.kill()
    host.run("--display", desktop.at).online()
    paint(desktop, "#d03020")

    def again():
        try:
            fresh = Rfb(viewer.port, timeout=5)
            fresh.until("red", lambda image: has_colour(image, RED), seconds=5)
            return True
        except (OSError, EOFError, AssertionError):
            return False

    wait_for("a new session", again, seconds=90, every=0.5)


def test_a_sleeping_viewer_comes_back(viewer, desktop):
    """SIGSTOP for some seconds, as a closed lid does."""
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.type("before ")
    wait_for("before", lambda: typed.read_text() == "before ")
    os.kill(viewer.program.process.pid, signal.SIGSTOP)
    time.sleep(6)
    os.kill(viewer.program.process.pid, signal.SIGCONT)
    screen.type("after")
    wait_for("after", lambda: typed.read_text() == "before after")


def test_the_decoder_may_crash(viewer):
    """libvncclient runs in a child: its death costs one picture stream, not the viewer."""
    program = viewer.world.start("shot", viewer_words(viewer))
    child = wait_for("the decoder", lambda: child_of(program.process.pid))
    os.kill(child, signal.SIGSEGV)
    assert program.wait() == 0, program.text()


def viewer_words(viewer):
    from world import BIN
    return [BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file,
            "--screenshot", viewer.world.tmp / "crash.png", "--after", "4"]


def child_of(pid):
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid:
                return int(entry)
        except (OSError, IndexError):
            continue
    return None


def test_two_thousand_half_open_connections(viewer, gateway, desktop):
    """They are gone in time, and a live session does not notice."""
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    address, port = gateway.address.rsplit(":", 1)
    flood = []
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)  # 1024 of Debian; the programs keep theirs
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual[1], usual[1]))
    for _ in range(2000):
        one = socket.socket()
        one.setblocking(False)
        try:
            one.connect((address, int(port)))
        except BlockingIOError:
            pass
        flood.append(one)
    expected = ""
    for number in range(40):
        screen.type(f"{number} ")
        expected += f"{number} "
        time.sleep(0.05)
    wait_for("the typed numbers", lambda: typed.read_text() == expected)
    time.sleep(8)
    gone = 0
    for one in flood:
        try:
            gone += one.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            gone += 1
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    assert gone == 2000
    viewer.program.stop()


def test_garbage_before_and_after_tls(viewer, gateway):
    viewer.listen()
    address, port = gateway.address.rsplit(":", 1)
    for garbage in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + os.urandom(4000), os.urandom(9000), b""):
        with socket.create_connection((address, int(port)), 10) as one:
            one.sendall(garbage)
            one.settimeout(PATIENCE)
            try:
                while one.recv(4096):
                    pass
            except OSError:
                pass
    assert viewer.program.alive()
    assert gateway.program.alive()


@pytest.mark.parametrize("flag, version", [("-tls1", "1.0"), ("-tls1_1", "1.1"), ("-tls1_2", "1.2")])
def test_old_tls_is_refused(gateway, flag, version):
    out = run("openssl", "s_client", "-connect", gateway.address, flag, "-cipher", "DEFAULT@SECLEVEL=0",
              code=None)
    assert "Cipher is (NONE)" in out or "Cipher    : 0000" in out or "no peer certificate" in out, out


def test_certificate_reload(viewer, gateway):
    viewer.listen()
    before = fingerprint(gateway)
    key, cert = gateway.data / "node.key", gateway.data / "node.pem"
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
        "-out", gateway.data / "new.csr", "-subj", "/CN=new")
    extensions = gateway.world.tmp / "san.cnf"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    run("openssl", "x509", "-req", "-in", gateway.data / "new.csr", "-CA", gateway.data / "ca.pem", "-CAkey",
        gateway.data / "ca.key", "-CAcreateserial", "-days", "30", "-out", cert, "-extfile", extensions)
    key.chmod(0o600)
    gateway.program.process.send_signal(signal.SIGHUP)
    wait_for("the new certificate", lambda: fingerprint(gateway) != before)
    after = fingerprint(gateway)
    cert.write_text("not a certificate\n")
    gateway.program.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert fingerprint(gateway) == after, "a broken file must not replace a good certificate"
    assert viewer.program.alive() and gateway.program.alive()


def fingerprint(gateway):
    return run("sh", "-c", f"openssl s_client -connect {gateway.address} -alpn engawa/1 </dev/null 2>/dev/null"
               " | openssl x509 -noout -fingerprint", code=None).strip()


def test_drain_ends_in_time_and_records_all(viewer, gateway, license):
    viewer.listen()
    began = time.monotonic()
    assert gateway.program.stop(30) == 0
    assert time.monotonic() - began < 15
    gateway.restart()
    rows = [row for row in gateway.log("sessions", "--license", license["id"]) if row.get("ended")]
    assert rows and rows[-1]["reason"] in ("NODE_STOPPED", "DRAINING")


def test_agent_opens_no_listening_socket(viewer, host):
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    pid = host.program.process.pid
    inodes = set()
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6", "unix"):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if table == "unix":
                    assert not (fields[6] in inodes and int(fields[3], 16) & 0x10000), line
                else:
                    assert not (fields[9] in inodes and fields[3] == "0A"), line


def test_newest_host_registration_wins(world, gateway, license, host, desktop):
    """The state directory was copied: the newer one serves, the older one stands aside."""
    import shutil
    copy = Host(world, gateway, license, "copy")
    shutil.copytree(host.state, copy.state)
    copy.run("--display", desktop.at)
    wait_for("the older one to be told", lambda: "HOST_REPLACED" in host.program.text())
    viewer = Viewer(world, gateway, license).pair(copy.ticket())
    viewer.screenshot(after=1)


def test_shift_is_not_stuck_after_reconnect(viewer, gateway, desktop):
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.type("Ab")
    wait_for("Ab", lambda: typed.read_text() == "Ab")
    screen.key(0xFFE1, True)
    gateway.program.kill()
    gateway.restart()
    screen.key(0xFFE1, False)
    screen.press(keysym("c"))
    wait_for("abc", lambda: typed.read_text() == "Abc", seconds=60)
