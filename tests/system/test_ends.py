"""What the two ends make of a company's rules: consent, watermark, limits, one-time codes, notices; and rules that
change while a session lives."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import struct
import time

import pytest
from test_main_job import has_colour, paint
from test_window import open_window
from world import BIN, Display, Host, Viewer, run, wait_for

RED = (0xD0, 0x30, 0x20)


def set_policy(gateway, policy, *level):
    path = gateway.world.tmp / "policy.json"
    path.write_text(json.dumps(policy))
    gateway.ctl("policy", "set", *(level or ("default",)), path)


def panel(display):
    """Place and size of the host's own window on its desktop, or None."""
    found = display.run("xdotool", "search", "--onlyvisible", "--name", "^engawa$", code=None).split()
    if not found:
        return None
    text = display.run("xdotool", "getwindowgeometry", "--shell", found[-1], code=None)
    numbers = {name: int(value) for name, value in re.findall(r"(X|Y|WIDTH|HEIGHT)=(\d+)", text)}
    return numbers if len(numbers) == 4 else None


def answer(display, yes):
    at = wait_for("the question", lambda: panel(display))
    time.sleep(0.5)  # until it is drawn
    x = at["X"] + at["WIDTH"] // (4 if yes else 1) - (0 if yes else at["WIDTH"] // 4)
    display.run("xdotool", "mousemove", x, at["Y"] + at["HEIGHT"] - 6, "click", 1)


def code_of(secret, at=None):
    """RFC 6238 as an authenticator app computes it."""
    step = int((at if at is not None else time.time()) // 30)
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    place = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[place:place + 4])[0] & 0x7fffffff) % 1000000:06d}"


def later_code_of(secret):
    """Of the next step: good already, and not the one that confirmed the secret."""
    return code_of(secret, time.time() + 30)


def new_secret(gateway, license):
    made = gateway.ctl("license", "totp", license["id"])
    gateway.ctl("license", "totp-confirm", license["id"], code_of(made["secret"]))
    return made["secret"]


def ended(gateway, license):
    rows = [row for row in gateway.log("sessions", "--license", license["id"])]
    return rows[-1]["reason"] if rows else None


@pytest.fixture(params=["ja_JP.UTF-8", "C.UTF-8"])
def lang(request):
    return request.param


@pytest.fixture
def asked(world, gateway, license, desktop, lang):
    """A host that asks on its desktop."""
    host = Host(world, gateway, license).enroll()
    host.state.joinpath("veto.conf").write_text("[session]\nconsent = yes\n")
    return host.run("--display", desktop.at, env={"LC_ALL": lang}).online()


def test_the_office_is_asked(world, gateway, license, desktop, asked, lang):
    viewer = Viewer(world, gateway, license).pair(asked.ticket())
    paint(desktop, "#d03020")
    home = Display(world, "home", size="1280x900")
    words = [BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file]
    window = world.start("asking", words, env={**home.env, "SDL_VIDEODRIVER": "x11", "LC_ALL": lang,
                                               "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})
    wait_for("the question", lambda: panel(desktop))
    wait_for("the viewer to know", lambda: "waiting for the person" in window.text())
    time.sleep(1)
    keep(desktop, f"consent-office-{lang.split('.')[0]}.png")
    keep(home, f"consent-home-{lang.split('.')[0]}.png")
    assert not has_colour(home.screenshot(), RED, 0.001)  # not one pixel of it yet
    assert gateway.ctl("session", "list")
    answer(desktop, yes=True)
    wait_for("the picture", lambda: has_colour(home.screenshot(), RED, 0.01))
    window.stop()
    # No, and no answer, are no.
    second = world.start("refused", [*words, "--listen", "127.0.0.1:0"])
    answer(desktop, yes=False)
    assert second.wait() == 77
    assert "CONSENT_REFUSED" in second.text()
    assert "consent refused" in (asked.state / "sessions.jsonl").read_text()
    # Who goes while the office is still asked has left, and is not waited for.
    third = world.start("gone", [*words, "--listen", "127.0.0.1:0"])
    wait_for("the viewer to know", lambda: "waiting for the person" in third.text())
    assert third.stop() == 0
    wait_for("the session to be over", lambda: gateway.ctl("session", "list") == [], seconds=30)


def keep(display, name):
    """For people who want to look: ENGAWA_KEEP_PICTURES=DIR."""
    if os.environ.get("ENGAWA_KEEP_PICTURES"):
        display.screenshot().save(pathlib.Path(os.environ["ENGAWA_KEEP_PICTURES"]) / name)


def test_the_picture_names_its_viewer(gateway, viewer, desktop):
    from PIL import Image, ImageChops
    set_policy(gateway, {"watermark": True, "idle_ms": 600000})
    paint(desktop, "#d03020")
    path = viewer.screenshot()
    seen, real = Image.open(path).convert("RGB"), desktop.screenshot()
    difference = ImageChops.difference(seen, real).convert("L")
    marked = sum(difference.histogram()[1:])
    # Without the sign and the pointer the whole picture is the same but for the faint writing.
    assert 5000 < marked < seen.width * seen.height / 2


def test_a_policy_reaches_a_live_session(gateway, license, viewer, desktop):
    from rfb import Rfb
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    screen.type("a")
    wait_for("the key", lambda: typed.read_text() == "a")
    set_policy(gateway, {"rights": ["view"]})
    wait_for("both to know", lambda: "company's policy changed" in viewer.program.text(), seconds=10)
    time.sleep(1)
    screen.type("b")
    screen.pump(1)
    assert typed.read_text() == "a"
    assert viewer.program.alive()
    # Nobody uses it: told, then ended.
    set_policy(gateway, {"rights": ["view"], "idle_ms": 8000})
    wait_for("the warning", lambda: "it ends in" in viewer.program.text())
    assert viewer.program.wait() == 77
    assert "IDLE_TIME_UP" in viewer.program.text()
    wait_for("the row", lambda: ended(gateway, license) == "IDLE_TIME_UP")
    # That of one license alone.
    set_policy(gateway, {})
    from test_gateway_admin import Rest
    viewer.listen()
    change = {"policy": {"max_session_ms": 1000}}
    assert Rest(gateway).ask("PATCH", f"/api/v1/licenses/{license['id']}", change)[0] == 200
    assert viewer.program.wait() == 77
    assert "SESSION_TIME_UP" in viewer.program.text()
    Rest(gateway).ask("PATCH", f"/api/v1/licenses/{license['id']}", {"policy": None})
    # Out of hours for everybody: whoever is in, goes.
    viewer.listen()
    tomorrow = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(time.gmtime().tm_wday + 3) % 7]
    set_policy(gateway, {"zone": "Asia/Tokyo", "hours": [{"days": [tomorrow], "from": "08:00", "to": "09:00"}]})
    assert viewer.program.wait() == 77
    assert "OUT_OF_HOURS" in viewer.program.text()


def test_killing_no_session(gateway, license):
    gateway.ctl("session", "kill", license["id"], code=65)


def test_one_time_codes(world, gateway, license, viewer, desktop):
    made = gateway.ctl("license", "totp", license["id"])
    assert made["uri"].startswith("otpauth://totp/") and made["secret"] in made["uri"]
    assert len(made["qr"]["rows"]) == made["qr"]["size"] > 20
    viewer.screenshot(after=0)  # not asked for before it is confirmed
    gateway.ctl("license", "totp-confirm", license["id"], "000000", code=77)
    gateway.ctl("license", "totp-confirm", license["id"], code_of(made["secret"]))
    shown = gateway.ctl("license", "show", license["id"])
    assert shown["totp"] is True and made["secret"] not in json.dumps(shown)
    viewer.connect(code=77)
    assert "TOTP_NEEDED" in run.last_error
    viewer.connect("--totp", "000000", code=77)
    assert "TOTP_WRONG" in run.last_error
    code_file = world.tmp / "code"
    code_file.write_text(later_code_of(made["secret"]) + "\n")
    viewer.listen("--totp-file", code_file)
    # The node goes and comes back: the same session, and nobody is asked again.
    gateway.program.kill()
    gateway.restart()
    wait_for("the session to go on", lambda: any(
        row.get("resumed") for row in gateway.ctl("session", "list")), seconds=60)
    assert viewer.program.alive()
    viewer.program.stop()
    # A new session needs a new code; the old one is used up.
    viewer.connect("--totp-file", code_file, code=77)
    assert "TOTP_WRONG" in run.last_error
    viewer.connect(code=77)
    assert "TOTP_NEEDED" in run.last_error
    # Typed into the window.
    home = Display(world, "home", size="1280x900")
    paint(desktop, "#d03020")
    words = [BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file]
    world.start("typing", words, env={**home.env, "SDL_VIDEODRIVER": "x11", "LC_ALL": "ja_JP.UTF-8",
                                      "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})
    wait_for("the window", lambda: home.run("xdotool", "search", "--onlyvisible", "--name", "office", code=None).strip())
    secret = new_secret(gateway, license)
    home.run("xdotool", "search", "--onlyvisible", "--name", "office", "windowfocus", "--sync", code=None)
    home.run("xdotool", "type", "--delay", "40", later_code_of(secret))
    time.sleep(0.5)
    keep(home, "code-ja.png")
    home.run("xdotool", "key", "Return")
    wait_for("the picture", lambda: has_colour(home.screenshot(), RED, 0.01))
    gateway.ctl("license", "totp-remove", license["id"])
    assert gateway.ctl("license", "show", license["id"])["totp"] is False


def test_devices_are_counted(world, gateway, license, host, viewer):
    set_policy(gateway, {"devices_max": 1})
    viewer.screenshot(after=0)
    other = Viewer(world, gateway, license, "other")
    with pytest.raises(AssertionError) as failure:
        other.pair(host.ticket())
    assert failure.value.code == 77 and "DEVICES_FULL" in failure.value.err
    set_policy(gateway, {})
    (host.state / "veto.conf").write_text("[pairing]\ndevices_max = 1\n")
    with pytest.raises(AssertionError) as failure:
        other.pair(host.ticket())
    assert failure.value.code == 77 and "DEVICES_FULL" in failure.value.err


def test_notices_reach_both_ends(world, gateway, license, host, viewer, desktop):
    from test_gateway_admin import Rest
    rest = Rest(gateway)
    start = int((time.time() + 40 * 86400) * 1000)
    stop = {"kind": "planned_stop", "text": {"en": "New disks.", "ja": "ディスク交換のため停止します"},
            "from_ms": start, "to_ms": start + 3600000}
    status, _, text = rest.ask("POST", "/api/v1/notices", stop)
    assert status == 201, text
    # To who is connected, within moments; the host keeps it in its status.
    wait_for("the host to know", lambda: any("New disks" in line for line in host.status()["notices"]), seconds=15)
    home = Display(world, "home", size="1280x900")
    window = open_window(viewer, home, LC_ALL="ja_JP.UTF-8")
    wait_for("the viewer to know", lambda: "ディスク交換" in window.text())
    time.sleep(1.5)
    keep(home, "notice-ja.png")
    keep(desktop, "sign-en.png")
    assert "New disks" in run(BIN / "engawa-host", "--state", host.state, "status", env={"LC_ALL": "C.UTF-8"})
    listed = json.loads(run(BIN / "engawa-viewer", "--state", viewer.state, "list", "--json"))
    assert "New disks" in listed[0]["notices"][0]
    # Taken back: gone from both, while they are connected.
    notice = json.loads(text)["id"]
    assert rest.ask("DELETE", f"/api/v1/notices/{notice}")[0] in (200, 204)
    wait_for("the host to forget", lambda: not host.status()["notices"], seconds=15)
    wait_for("the viewer to forget", lambda: not json.loads(run(
        BIN / "engawa-viewer", "--state", viewer.state, "list", "--json"))[0]["notices"], seconds=15)
    assert window.alive()
