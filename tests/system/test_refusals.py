"""Every refusal has its own reason, exit code, text and hint, and loses nothing."""

import json
import os
import shutil
import subprocess

import pytest
from world import BIN, PATIENCE, Gateway, Host, ProgramFailed, Viewer, free_port, run, wait_for


def refused(call, symbol, code):
    """`call` must fail with this exit code and name this reason, with a hint under it."""
    with pytest.raises(ProgramFailed) as failure:
        call()
    said = failure.value.err + failure.value.out
    assert failure.value.code == code, said
    assert symbol in said, said
    lines = [line for line in failure.value.err.splitlines() if symbol in line]
    assert lines and len(lines[0]) > len(symbol) + 20, f"no explanation: {said}"
    return said


def ctl(gateway, *words):
    return gateway.ctl(*words)


def test_wrong_license_key(world, gateway, license, tmp_path):
    stranger = dict(license, key=license["key"][:-1] + ("A" if license["key"][-1] != "A" else "B"))
    host = Host(world, gateway, stranger, "stranger")
    refused(lambda: host.enroll(), "LICENSE_UNKNOWN", 77)
    assert not (host.state / "enrolment.json").exists()
    malformed = dict(license, key="NOT-A-KEY")
    refused(lambda: Host(world, gateway, malformed, "typo").enroll(), "LICENSE_KEY_MALFORMED", 65)


def test_wrong_password_then_lockout(viewer, gateway, license):
    right = license["password"]
    viewer.set_password("wrong password")
    for _ in range(5):
        refused(viewer.connect, "PASSWORD_WRONG", 77)
    viewer.set_password(right)
    said = refused(viewer.connect, "LOCKED_OUT", 77)
    assert any(character.isdigit() for character in said), "it does not say how long"
    rows = gateway.log("logins", "--license", license["id"])
    assert sum(row["reason"] == "PASSWORD_WRONG" for row in rows) == 5
    assert any(row["reason"] == "LOCKED_OUT" for row in rows)
    assert all(row["address"] == "127.0.0.1" for row in rows)


def test_lockout_ends_by_itself(world, desktop):
    gateway = Gateway(world, "quick").init()
    config = world.tmp / "quick.ini"
    config.write_text("[admission]\nlockout_time = 30s\n")
    gateway.start("--config", config)
    license = gateway.license()
    host = Host(world, gateway, license).enroll().run("--display", desktop.at).online()
    viewer = Viewer(world, gateway, license).pair(host.ticket())
    viewer.set_password("wrong")
    for _ in range(5):
        refused(viewer.connect, "PASSWORD_WRONG", 77)
    viewer.set_password(license["password"])
    refused(viewer.connect, "LOCKED_OUT", 77)

    def lets_in():
        try:
            return viewer.screenshot(after=1)
        except ProgramFailed:
            return None

    wait_for("the lock to end", lets_in, seconds=90, every=1)


def test_disabled_and_enabled_again(viewer, gateway, license):
    ctl(gateway, "license", "disable", license["id"])
    refused(viewer.connect, "LICENSE_DISABLED", 77)
    ctl(gateway, "license", "enable", license["id"])
    wait_for("the host to be back", lambda: any(row["online"] for row in ctl(gateway, "host", "list")))
    viewer.screenshot(after=1)


def test_expired(world, gateway):
    license = gateway.license("期限切れ", "--expires", "2020-01-01")
    refused(lambda: Host(world, gateway, license, "late").enroll(), "LICENSE_EXPIRED", 77)


def test_host_offline(viewer, host):
    assert host.program.stop() == 0
    refused(viewer.connect, "HOST_OFFLINE", 69)


def test_in_use_by_another_device(world, viewer, host, gateway, license):
    second = Viewer(world, gateway, license, "second").pair(host.ticket())
    viewer.listen()
    refused(second.connect, "LICENSE_IN_USE", 75)
    assert viewer.program.alive()


def test_same_device_takes_over(viewer):
    viewer.listen()
    first = viewer.program
    viewer.listen()
    assert first.wait() == 75
    assert "TAKEN_OVER" in first.text()
    assert viewer.program.alive()


def test_ticket_wrong_used_expired(world, gateway, license, host):
    code = host.ticket()
    other = host.ticket()
    # The id of one ticket with the secret of another: well formed, and wrong.
    refused(lambda: Viewer(world, gateway, license, "typo").pair(code[:-1] + ("2" if code[-1] != "2" else "3")),
            "TICKET_MALFORMED", 65)
    Viewer(world, gateway, license, "first").pair(code)
    refused(lambda: Viewer(world, gateway, license, "again").pair(code), "TICKET_USED", 77)
    third = Viewer(world, gateway, license, "third").pair(other)
    assert third.screenshot(after=1)


def test_damaged_ticket_secret_is_wrong_and_burns(world, gateway, license, host):
    good = host.ticket()
    wrong = with_other_secret(good)
    for attempt in range(3):
        refused(lambda: Viewer(world, gateway, license, f"guess{attempt}").pair(wrong), "TICKET_WRONG", 77)
        # The host answers guesses more and more slowly.
        import time
        time.sleep(2 ** attempt + 0.5)
    refused(lambda: Viewer(world, gateway, license, "late").pair(good), "TICKET_USED", 77)


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def with_other_secret(code):
    """A well-formed code with the same ticket id and another secret (the check character is made anew)."""
    digits = [ALPHABET.index(character) for character in code.replace("-", "")]
    digits[20] ^= 1

    def times(a, b):
        product = 0
        while b:
            product ^= a if b & 1 else 0
            a = (a << 1) ^ (0b100101 if a & 16 else 0)
            b >>= 1
        return product

    total, power = 0, 1
    for digit in reversed(digits[:-1]):
        power = times(power, 2)
        total ^= times(digit, power)
    digits[-1] = total
    text = "".join(ALPHABET[digit] for digit in digits)
    return "-".join(text[i:i + 5] for i in range(0, 25, 5))


def test_changed_host_key(world, gateway, license, host, viewer, desktop):
    assert host.program.stop() == 0
    other = Host(world, gateway, license, "impostor").enroll().run("--display", desktop.at).online()
    refused(viewer.connect, "HOST_KEY_CHANGED", 76)
    assert other.program.alive()


def test_unknown_device(world, host, viewer):
    peers = json.loads(run(BIN / "engawa-host", "--state", host.state, "peers", "list", "--json"))
    run(BIN / "engawa-host", "--state", host.state, "peers", "remove", peers[0]["id"])
    refused(viewer.connect, "DEVICE_REVOKED", 77)
    (host.state / "peers.json").unlink()
    refused(viewer.connect, "DEVICE_UNKNOWN", 77)


def test_gateway_unreachable(world, viewer, gateway):
    gateway.program.stop()
    refused(viewer.connect, "GATEWAY_UNREACHABLE", 69)


def test_wrong_ca(world, gateway, license):
    other = Gateway(world, "other").init()
    host = Host(world, gateway, license, "h")
    refused(lambda: host.enroll(ca=other.ca), "TLS_UNTRUSTED", 76)


def test_wrong_host_name(world):
    gateway = Gateway(world, "anywhere").init().start(listen="0.0.0.0:0")
    license = gateway.license()
    port = gateway.address.rsplit(":", 1)[1]
    refused(lambda: Host(world, gateway, license, "h").enroll(gateway=f"127.0.0.2:{port}"), "TLS_NAME", 76)


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is a test package")
def test_clock_far_off(world, gateway, license):
    def enrol_in_the_past():
        run("faketime", "2001-01-01 00:00:00", BIN / "engawa-host", "--state", world.tmp / "old", "enroll",
            "--gateway", gateway.address, "--ca", gateway.ca, "--license", license["key"],
            env={"ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"})
    said = refused(enrol_in_the_past, "CLOCK_OFF", 76)
    # Nobody there can know which of the two is wrong.
    assert "this machine's clock says 2001-01-01T" in said and "the gateway's 20" in said


def test_veto_view_only(host, viewer, desktop):
    """Keys, buttons, the pointer's place and the clipboard of a raw RFB client: nothing of it arrives."""
    from rfb import Rfb
    (host.state / "veto.conf").write_text("[session]\nview_only = yes\n[clipboard]\nto_viewer = no\n")
    typed = desktop.typing_into()
    desktop.start("sh", "-c", "printf 'of the office' | exec xclip -i -quiet -selection clipboard")
    wait_for("the office's own text", lambda: desktop.run(
        "xclip", "-o", "-selection", "clipboard", code=None) == "of the office")
    desktop.run("xdotool", "mousemove", "333", "222")
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    screen.type("must not arrive")
    screen.click(10, 10)
    screen.cut_text("nor this")
    screen.pump(2)
    assert typed.read_text() == ""
    assert "x:333 y:222" in desktop.run("xdotool", "getmouselocation")
    assert desktop.run("xclip", "-o", "-selection", "clipboard") == "of the office"
    assert not screen.clipboard
    # The control: the same client, permitted.
    (host.state / "veto.conf").write_text("")
    viewer.program.stop()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.type("now")
    wait_for("the keys", lambda: typed.read_text() == "now")
    screen.pointer(10, 10)
    wait_for("the pointer", lambda: "x:10 y:10" in desktop.run("xdotool", "getmouselocation"))
    screen.cut_text("and this")
    wait_for("the copied text", lambda: desktop.run(
        "xclip", "-o", "-selection", "clipboard", code=None) == "and this")


def test_veto_hours_and_mistakes(host, viewer):
    (host.state / "veto.conf").write_text("[session]\nviewers = web\n")
    refused(viewer.connect, "VETO", 77)
    (host.state / "veto.conf").write_text("[session]\nview_onyl = yes\n")
    refused(viewer.connect, "VETO", 77)
    (host.state / "veto.conf").write_text("")
    viewer.screenshot(after=1)


def test_no_display(world, gateway, license):
    host = Host(world, gateway, license).enroll()
    call = lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--display", ":987",
                       env={"DISPLAY": ""})
    refused(call, "NO_DISPLAY", 69)


def test_no_display_for_the_window(viewer):
    refused(lambda: run(BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file",
                        viewer.password_file, env={"DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}),
            "NO_DISPLAY", 69)


def test_vnc_server_gone(world, gateway, license):
    host = Host(world, gateway, license).enroll()
    refused(lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--vnc", f"127.0.0.1:{free_port()}"),
            "VNC_UNREACHABLE", 69)


def test_port_taken(world, gateway):
    second = Gateway(world, "second").init()
    refused(lambda: run(BIN / "engawa-gateway", "run", "--data", second.data, "--listen", gateway.address,
                        "--admin-listen", "127.0.0.1:0"), "PORT_TAKEN", 69)


def test_viewer_port_taken(viewer, gateway):
    refused(lambda: viewer.connect("--listen", gateway.address), "PORT_TAKEN", 69)


def test_viewer_listens_on_loopback_only(viewer):
    refused(lambda: viewer.connect("--listen", f"0.0.0.0:{free_port()}"), "USAGE", 64)


@pytest.mark.parametrize("damage", ["", "{", "null", "[]", '{"version":1}', "\0\0\0\0"])
def test_damaged_state(world, gateway, license, damage):
    host = Host(world, gateway, license).enroll()
    for name in ("enrolment.json", "identity.json"):
        kept = (host.state / name).read_bytes()
        (host.state / name).write_text(damage)
        refused(lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--test-picture"), "STATE_DAMAGED", 65)
        assert (host.state / name).read_text() == damage, "a damaged file is evidence and stays"
        (host.state / name).write_bytes(kept)


def test_exposed_state(world, gateway, license):
    host = Host(world, gateway, license).enroll()
    (host.state / "identity.json").chmod(0o644)
    refused(lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--test-picture"), "FILE_EXPOSED", 78)


def test_not_enrolled_not_paired(world):
    refused(lambda: run(BIN / "engawa-host", "--state", world.tmp / "none", "run"), "NOT_ENROLLED", 78)
    refused(lambda: run(BIN / "engawa-viewer", "--state", world.tmp / "none2", "connect"), "NOT_PAIRED", 78)


def test_already_running(host, desktop):
    refused(lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--display", desktop.at),
            "ALREADY_RUNNING", 75)


def test_full_disk(world, gateway, license):
    """A state directory on a full disk: said, and nothing half-written is left."""
    small = world.tmp / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        pytest.fail("this test needs to mount a tmpfs (root, or tests/run)")
    try:
        host = Host(world, gateway, license)
        host.state = small / "host"
        host.state.mkdir(mode=0o700)
        filler = small / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        refused(host.enroll, "DISK_FULL", 74)
        filler.unlink()
        host.enroll()
        assert json.loads((host.state / "enrolment.json").read_text())
    finally:
        subprocess.run(["umount", small], check=True)


def test_malformed_config(world):
    gateway = Gateway(world, "conf").init()
    config = world.tmp / "bad.ini"
    config.write_text("[log]\nlevel = info\n\n[relay]\n  workers = many\n")
    said = refused(lambda: run(BIN / "engawa-gateway", "check", "--config", config), "CONFIG", 78)
    assert "bad.ini:5:13" in said, said
    refused(lambda: run(BIN / "engawa-gateway", "run", "--data", gateway.data, "--config", config), "CONFIG", 78)


@pytest.mark.parametrize("program", ["engawa-gateway", "engawactl", "engawa-host", "engawa-viewer"])
def test_unknown_flag_help_version(program):
    refused(lambda: run(BIN / program, "--no-such-flag"), "USAGE", 64)
    refused(lambda: run(BIN / program, "no-such-verb"), "USAGE", 64)
    assert "usage" in run(BIN / program, "--help").lower()
    assert run(BIN / program, "--version").startswith(program)


def test_refusals_speak_japanese(viewer, host):
    assert host.program.stop() == 0
    with pytest.raises(ProgramFailed) as failure:
        run(BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file,
            "--listen", f"127.0.0.1:{free_port()}", env={"LC_ALL": "ja_JP.UTF-8"})
    assert "会社のPCがゲートウェイに接続していません" in failure.value.err


def test_refusals_in_json(viewer, host):
    assert host.program.stop() == 0
    out = viewer.connect("--json", code=69)
    error = json.loads(out)["error"]
    assert error["code"] == "HOST_OFFLINE" and error["message"] and error["hint"]


def test_host_comes_back_after_the_gateway(host, gateway):
    gateway.program.kill()
    assert host.program.alive()
    gateway.restart()
    host.online()
    assert os.path.exists(host.state / "status.json") and PATIENCE
