"""The contract that other people's scripts rely on: names, shapes, exit codes, and awkward conditions."""

import csv
import hashlib
import io
import json
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest
from rfb import Rfb
from test_refusals import refused
from test_gateway_admin import Rest
from world import BIN, TOP, Gateway, Host, ProgramFailed, Viewer, free_port, run, wait_for

PROGRAMS = ["engawa-gateway", "engawactl", "engawa-host", "engawa-viewer"]


def error_of(*words, code, env=None):
    """The {"error": …} object that a command with --json prints on stdout when it fails."""
    answer = json.loads(run(*words, "--json", code=code, env=env))
    assert list(answer) == ["error"]
    error = answer["error"]
    assert error["code"] and error["message"] and error["hint"], error
    return error


@pytest.fixture
def picture(world, gateway, license):
    """A host that needs no display."""
    return Host(world, gateway, license).enroll().run("--test-picture").online()


def lets_in(viewer):
    try:
        return viewer.screenshot(after=1)
    except ProgramFailed:
        return None


@pytest.mark.parametrize("program", PROGRAMS)
def test_mistyped_lines_answer_a_script_in_json(program):
    for words in (["no-such-verb"], ["--no-such-flag"]):
        assert error_of(BIN / program, *words, code=64)["code"] == "USAGE"
        assert words[0] in error_of(BIN / program, *words, code=64)["message"]
    verb = {"engawa-gateway": "init", "engawactl": "limits", "engawa-host": "status", "engawa-viewer": "list"}[program]
    assert "--log-format" in error_of(BIN / program, verb, "--log-format", "xml", code=64)["message"]
    run("mandoc", "-T", "utf8", TOP / "docs/man" / f"{program}.1")


@pytest.mark.parametrize("noun", ["tenant", "account", "policy", "group", "alert", "notice", "backup", "report"])
def test_a_noun_alone_is_no_verb(gateway, noun):
    error = error_of(BIN / "engawactl", "--data", gateway.data, noun, code=64)
    assert error["code"] == "USAGE" and noun in error["message"]


def test_what_is_not_there_does_not_pretend(gateway):
    for words in (["robot"], ["robot", "list"], ["tenant", "sing"], ["backup", "create", "--loud"]):
        assert error_of(BIN / "engawactl", "--data", gateway.data, *words, code=64)["code"] == "USAGE"


def test_a_half_named_verb_is_answered_with_what_there_is():
    assert "delete" in error_of(BIN / "engawactl", "license", "remove", code=64)["message"]
    assert '"license remove"' in error_of(BIN / "engawactl", "license", "remove", code=64)["hint"] + error_of(
        BIN / "engawactl", "license", "remove", code=64)["message"]


def test_lists_are_arrays_also_when_empty(gateway):
    for words in ("license list", "license export", "host list", "session list", "log logins", "log sessions",
                  "log bandwidth"):
        assert gateway.ctl(*words.split()) == [], words
    for words in ("node list", "token list", "limits", "log audit"):
        assert isinstance(gateway.ctl(*words.split()), list), words


def test_awkward_values_are_named(gateway):
    ctl = [BIN / "engawactl", "--data", gateway.data]
    assert "--holder" in error_of(*ctl, "license", "create", "--holder", b"\xff".decode("utf-8", "surrogateescape"),
                                  code=65)["message"]
    assert "holder" in error_of(*ctl, "license", "create", "--holder", "a\nb", code=65)["message"]
    assert "--label" in error_of(*ctl, "license", "create", "--holder", "a", "--label", "b", code=64)["message"]
    assert "--limit" in error_of(*ctl, "log", "sessions", "--limit", "-1", code=64)["message"]
    assert "--limit" in refused(lambda: run(*ctl, "log", "sessions", "--csv", "--limit", "-1"), "USAGE", 64)
    assert "--from" in error_of(*ctl, "log", "audit", "--from", "soon", code=65)["message"]
    assert gateway.ctl("license", "list") == []


def test_url_token_and_ca(gateway, world):
    far = [BIN / "engawactl", "--url", f"https://{gateway.admin}", "--token-file", gateway.data / "admin.token"]
    assert json.loads(run(*far, "--ca", gateway.ca, "license", "list", "--json")) == []
    assert error_of(*far, "license", "list", code=76)["code"] == "TLS_UNTRUSTED"
    assert error_of(*far, "--ca", world.tmp / "none", "license", "list", code=66)["code"] == "FILE_UNREADABLE"
    assert error_of(*far[:2], f"https://127.0.0.1:{free_port()}", *far[3:], "--ca", gateway.ca, "license", "list",
                    code=69)["code"] == "GATEWAY_UNREACHABLE"
    assert error_of(*far[:3], "--ca", gateway.ca, "license", "list", code=64)["code"] == "USAGE"


def test_an_export_can_be_imported_elsewhere(world, gateway):
    gateway.license("佐藤 😀", "--group", "営業", "--label", "階=3", "--label", "b=x y;z", "--expires", "2031-01-31")
    gateway.ctl("license", "disable", gateway.license("=1+1")["id"])
    path = world.tmp / "licenses.csv"
    path.write_text(gateway.ctl("license", "export", json_out=False))
    other = Gateway(world, "other").init().start()
    made = other.ctl("license", "import", path)
    assert len(made) == 2 and all(row["key"] and row["password"] and row["id"] for row in made)

    def essence(rows):
        return sorted((row["holder"], row["group"], json.dumps(row["labels"]), row["expires"] or "", row["state"])
                      for row in rows)

    assert essence(other.ctl("license", "list")) == essence(gateway.ctl("license", "export"))


def test_import_tells_each_bad_line_and_loses_nothing(world, gateway):
    path = world.tmp / "people.csv"
    path.write_text("holder,expires\na,2031-01-01\nb,nonsense\nc,\n")
    out = run(BIN / "engawactl", "--data", gateway.data, "license", "import", path, "--json", code=65)
    lines, end = json.JSONDecoder().raw_decode(out)
    assert [(line["line"], line["field"]) for line in lines] == [(3, "expires")]
    assert json.loads(out[end:])["error"]["code"] == "BAD_VALUE"
    assert gateway.ctl("license", "list") == []


def test_config_errors_in_text_entries_have_line_and_column(world):
    path = world.tmp / "c.ini"
    for text, place in (("[log]\n level = loud\n", "c.ini:2:10"), ("[log]\nformat = xml\n", "c.ini:2:10"),
                        ("[listen]\n\npublic = :x:\n", "c.ini:3:10"), ("[node]\naddress = a b\n", "c.ini:2:11")):
        path.write_text(text)
        assert place in refused(lambda: run(BIN / "engawa-gateway", "check", "--config", path), "CONFIG", 78)
    path.write_text("[relay]\nclaim_renew = 14s\n")
    said = refused(lambda: run(BIN / "engawa-gateway", "check", "--config", path), "CONFIG", 78)
    assert "c.ini: relay.claim_renew" in said
    path.write_text("[log]\nlevel = warn\n")
    assert json.loads(run(BIN / "engawa-gateway", "check", "--config", path, "--json")) == {"ok": True}


def test_veto_errors_have_line_and_column(world, gateway, license):
    host = Host(world, gateway, license).enroll()
    for text, place in (("[session]\nhours = always\n", "veto.conf:2:9"), ("[session]\nviewers = nat\n", "veto.conf:2:11")):
        (host.state / "veto.conf").write_text(text)
        said = refused(lambda: run(BIN / "engawa-host", "--state", host.state, "run", "--test-picture"), "CONFIG", 78)
        assert place in said


def test_status_and_doctor_in_good_and_bad_states(world, gateway, license):
    host = Host(world, gateway, license)
    nothing = [BIN / "engawa-host", "--state", host.state]
    assert error_of(*nothing, "status", code=78)["code"] == "NOT_ENROLLED"
    host.enroll()
    stopped = json.loads(run(*nothing, "status", "--json"))
    assert stopped["state"] == "stopped" and stopped["license"] == license["id"] and stopped["session"] is None
    assert "engawa-host run" in run(*nothing, "status")
    host.run("--test-picture").online()
    running = host.status()
    assert running["state"] == "online" and set(stopped) <= set(running)
    checks = {row["check"]: row for row in json.loads(run(*nothing, "doctor", "--json", code=None, env={"DISPLAY": ""}))}
    assert checks["enrolment"]["ok"] and checks["identity"]["ok"]
    viewer = Viewer(world, gateway, license).pair(host.ticket())
    home = [BIN / "engawa-viewer", "--state", viewer.state, "doctor", "--json"]
    rows = json.loads(run(*home, code=69, env={"DISPLAY": ""}))
    assert [row["code"] for row in rows if not row["ok"]] == ["NO_DISPLAY"]
    gateway.program.stop()
    rows = json.loads(run(*home, code=None, env={"DISPLAY": ""}))
    assert "GATEWAY_UNREACHABLE" in [row["code"] for row in rows]
    wait_for("the host to notice", lambda: host.status()["state"] == "offline")
    assert host.status()["reason"]


@pytest.fixture
def small_disk(world):
    """A directory of 12 MiB; `fill` takes all of it but nothing else."""
    place = world.tmp / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", place], check=True)
    yield place
    # The gateway in it is still alive; what it has open goes with it.
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def test_gateway_survives_a_full_disk(world, small_disk):
    """Live sessions go on, new ones are refused with the reason, and it is over when space is back."""
    gateway = Gateway(world, "small/gateway").init().start()
    license = gateway.license()
    host = Host(world, gateway, license).enroll().run("--test-picture").online()
    viewer = Viewer(world, gateway, license).pair(host.ticket()).listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    filler = fill(small_disk)
    assert error_of(BIN / "engawactl", "--data", gateway.data, "license", "create", "--holder", "x",
                    code=74)["code"] == "DISK_FULL"
    rest = Rest(gateway)
    wait_for("the node to say so", lambda: rest.ask("GET", "/healthz")[0] == 503)
    assert json.loads(rest.ask("GET", "/healthz")[2])["status"] == "degraded"
    assert json.loads(rest.ask("GET", "/readyz")[2])["status"] == "degraded"
    second = Viewer(world, gateway, license, "second")
    second.state = viewer.state
    refused(second.connect, "DISK_FULL", 74)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        screen.pump(0.5)
    assert viewer.program.alive() and gateway.program.alive() and host.program.alive()
    # A session that ends now is recorded when there is space again.
    assert viewer.program.stop() == 0
    filler.unlink()
    wait_for("the node to say so", lambda: rest.ask("GET", "/readyz")[0] == 200 and rest.ask("GET", "/healthz")[0] == 200)
    wait_for("the gateway to let in again", lambda: lets_in(second), every=0.5)
    rows = wait_for("the rows of both sessions", lambda: [
        row for row in gateway.log("sessions") if row["purpose"] == "session" and row.get("ended")])
    assert len({row["id"] for row in rows}) == len(rows) and rows[0]["reason"] == "VIEWER_LEFT"
    assert gateway.license("after")["key"]
    assert gateway.ctl("audit", "verify")["ok"]
    base = sqlite3.connect(gateway.data / "engawa.db")
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_dead_gateway_first_in_the_list(world, gateway, license):
    both = f"127.0.0.1:{free_port()},{gateway.address}"
    host = Host(world, gateway, license).enroll(gateway=both).run("--test-picture").online()
    assert host.status()["gateway"] == gateway.address
    viewer = Viewer(world, gateway, license).pair(host.ticket(), gateway=both)
    assert lets_in(viewer)


def test_ipv6_and_two_profiles(world):
    gateway = Gateway(world).init().start(listen="[::1]:0")
    home = world.tmp / "home"
    for number in (1, 2):
        license = gateway.license(f"会社のPC{number} 😀")
        host = Host(world, gateway, license, f"host{number}").enroll("--name", f"会社{number} 😀")
        host.run("--test-picture").online()
        viewer = Viewer(world, gateway, license, f"viewer{number}")
        viewer.state = home
        run(BIN / "engawa-viewer", "--state", home, "pair", "--gateway", gateway.address, "--ca", gateway.ca,
            "--license", license["key"], "--password-file", viewer.password_file, "--code", host.ticket())
    rows = json.loads(run(BIN / "engawa-viewer", "--state", home, "list", "--json"))
    assert [row["name"] for row in rows] == ["会社1 😀", "会社2 😀"]
    assert "engawa-viewer list" in refused(viewer.connect, "USAGE", 64)
    path = world.tmp / "two.png"
    viewer.connect("会社2 😀", "--screenshot", path)
    assert path.exists()
    refused(lambda: viewer.connect("会社3", "--screenshot", path), "NOT_PAIRED", 78)
    # The same device pairs again: one profile and one peer, under the new name.
    viewer.pair(host.ticket(), gateway=gateway.address)
    rows = json.loads(run(BIN / "engawa-viewer", "--state", home, "list", "--json"))
    assert sorted(row["name"] for row in rows) == ["office", "会社1 😀"]
    peers = json.loads(run(BIN / "engawa-host", "--state", host.state, "peers", "list", "--json"))
    assert len(peers) == 1 and not peers[0]["removed"]
    # And the host enrols again: its key and what it is paired with stay.
    assert host.program.stop() == 0
    host.enroll().run("--test-picture").online()
    assert lets_in(viewer) is None
    viewer.connect("office", "--screenshot", path)


def test_names_that_cannot_be_shown_are_refused_at_once(world, gateway, license):
    host = Host(world, gateway, license)
    for name in ("", "a\nb", "red\x1b[31m", "長" * 43):
        refused(lambda: host.enroll("--name", name), "BAD_VALUE", 65)
    host.enroll("--name", "長" * 42).run("--test-picture").online()
    viewer = Viewer(world, gateway, license)
    words = [BIN / "engawa-viewer", "--state", viewer.state, "pair", "--gateway", gateway.address, "--ca", gateway.ca,
             "--license", license["key"], "--password-file", viewer.password_file, "--code", host.ticket()]
    for flag in ("--name", "--device-name"):
        assert flag in refused(lambda: run(*words, flag, "a\tb"), "BAD_VALUE", 65)
        refused(lambda: run(*words, flag, "x" * 129), "LIMIT", 65)
    run(*words, "--device-name", "家のPC 😀")
    peers = json.loads(run(BIN / "engawa-host", "--state", host.state, "peers", "list", "--json"))
    assert [peer["name"] for peer in peers] == ["家のPC 😀"]
    assert gateway.ctl("host", "list")[0]["name"] == "長" * 42


def damages(path):
    """Puts damage after damage into a file, then back what was there."""
    kept = path.read_bytes()
    for damage in (kept[:len(kept) // 2], b"", b"{}"):
        path.write_bytes(damage)
        yield damage
        assert path.read_bytes() == damage, "a damaged file is evidence and stays"
    path.write_bytes(kept)


def test_a_damaged_file_is_named(world, gateway, license, picture):
    """By the program and, where it looks, by doctor."""
    viewer = Viewer(world, gateway, license).pair(picture.ticket())
    doctor = [BIN / "engawa-viewer", "--state", viewer.state, "doctor"]
    for path in [*viewer.state.rglob("*.json"), *viewer.state.rglob("*.pem")]:
        for _ in damages(path):
            said = refused(viewer.connect, "STATE_DAMAGED", 65)
            assert path.name in said or path.suffix == ".pem" and "CA of office" in said
        assert "STATE_DAMAGED" not in run(*doctor, code=None)
        kept = path.read_bytes()
        path.write_bytes(b"{")
        assert "STATE_DAMAGED" in run(*doctor, code=65)
        path.write_bytes(kept)
    assert lets_in(viewer)
    assert picture.program.stop() == 0
    doctor = [BIN / "engawa-host", "--state", picture.state, "doctor"]
    for name in ("enrolment.json", "identity.json", "peers.json", "fence.json", "ca.pem"):
        for _ in damages(picture.state / name):
            said = refused(lambda: run(BIN / "engawa-host", "--state", picture.state, "run", "--test-picture"),
                           "STATE_DAMAGED", 65)
            assert name in said
            assert "STATE_DAMAGED" in run(*doctor, code=65, env={"DISPLAY": ""})
    picture.run("--test-picture").online()
    assert lets_in(viewer)


def test_a_file_that_is_no_ca(world, gateway, license):
    host = Host(world, gateway, license)
    (world.tmp / "note.txt").write_text("this is no certificate\n")
    assert "note.txt" in refused(lambda: host.enroll(ca=world.tmp / "note.txt"), "BAD_VALUE", 65)
    refused(lambda: host.enroll(ca=world.tmp / "none.pem"), "FILE_UNREADABLE", 66)


def test_an_error_is_told_once():
    out = run(BIN / "engawa-viewer", "--state", "/proc/nowhere", "list", "--json", code=73)
    assert json.loads(out)["error"]["code"] == "FILE_UNWRITABLE"


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is a test package")
@pytest.mark.parametrize("jump, said", [("-2d", "2 days behind"), ("+30d", "days ahead"), ("+10y", "days ahead")])
def test_a_clock_that_jumped(world, gateway, license, picture, jump, said):
    viewer = Viewer(world, gateway, license).pair(picture.ticket())
    clock = {"ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}
    words = [BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file,
             "--screenshot", world.tmp / "never.png"]
    assert said in refused(lambda: run("faketime", "-f", jump, *words, env=clock), "CLOCK_OFF", 76)
    run("faketime", "-f", "+30s", *words, env=clock)


def test_killed_viewer_frees_the_license(world, gateway, license, host, viewer, desktop):
    second = Viewer(world, gateway, license, "second").pair(host.ticket())
    typed = desktop.typing_into()
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    screen.key(ord("a"), True)
    wait_for("the held key", lambda: "a" in typed.read_text())
    began = time.monotonic()
    viewer.program.kill()
    wait_for("the license to be free", lambda: lets_in(second), every=0.3)
    length = len(typed.read_text())
    time.sleep(1)
    assert len(typed.read_text()) == length
    assert time.monotonic() - began < 15


def test_restart_of_everything(world, gateway, license, picture):
    viewer = Viewer(world, gateway, license).pair(picture.ticket())
    assert picture.program.stop() == 0
    assert gateway.program.stop() == 0
    gateway.restart()
    picture.run("--test-picture").online()
    assert lets_in(viewer)
    wait_for("the session to be closed", lambda: gateway.ctl("session", "list") == [])
    assert gateway.ctl("audit", "verify")["ok"]


KINDS = ["audit", "login", "session", "bandwidth"]


def netstring(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return b"%d:%s," % (len(raw), raw)


def body_of(number, at):
    when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at // 1000))
    session = f"ses_{number // 5:026d}"
    return (
        ("login", {"side": "viewer", "result": "ok", "device": "dev_1", "name": "家のPC", "address": "127.0.0.1"}),
        ("session", {"id": session, "event": "open", "started": when, "host": "h", "viewer": "v"}),
        ("session", {"id": session, "event": "close", "started": when, "ended": when, "host": "h", "viewer": "v",
                     "reason": "VIEWER_LEFT", "bytes_to_viewer": 1000, "bytes_to_host": 10}),
        ("bandwidth", {"session": session, "bytes_to_viewer": 1000, "bytes_to_host": 10}),
        ("audit", {"event": "LICENSE_CHANGED", "severity": "notice", "by": "token:x"}),
    )[number % 5]


def fill_a_year(gateway, license, count):
    """`count` rows of the last 360 days behind those of the (stopped) gateway's journal, chained as its own."""
    base = sqlite3.connect(gateway.data / "engawa.db")
    seq, before = base.execute("SELECT seq, hash FROM journal_mark WHERE name='head'").fetchone()
    node = (gateway.data / "node.id").read_text().strip()
    now, hours, rows = int(time.time() * 1000), {}, []
    for number in range(count):
        at = now - 360 * 86_400_000 * (count - number) // count
        kind, body = body_of(number, at)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        seq += 1
        rest = hashlib.sha256(b"".join(map(netstring, (node, "", license, text)))).digest()
        parts = ("engawa-journal-2", str(seq), kind, str(at), rest)
        before = hashlib.sha256(before + b"".join(map(netstring, parts))).digest()
        rows.append((seq, KINDS.index(kind), "", license, at, node, text, before))
        hours.setdefault(at // 3_600_000, [seq, seq])[1] = seq
    base.executemany("INSERT INTO journal VALUES(?,?,?,?,?,?,?,?)", rows)
    base.executemany("INSERT INTO journal_hour VALUES(?,?,?) ON CONFLICT(hour) DO UPDATE SET last_seq=excluded.last_seq",
                     [(hour, *span) for hour, span in hours.items()])
    base.execute("UPDATE journal_mark SET seq=?, hash=? WHERE name='head'", (seq, before))
    base.commit()
    base.close()


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def test_a_year_of_rows(gateway, license):
    """200,000 rows: every answer whole, and with the memory of a page."""
    assert gateway.program.stop() == 0
    fill_a_year(gateway, license["id"], 200_000)
    gateway.restart()
    base = peak_mib(gateway.pid)
    for kind in ("sessions", "logins", "bandwidth"):
        rows = csv.reader(io.StringIO(gateway.ctl("log", kind, "--csv", json_out=False)))
        assert sum(1 for _ in rows) == 40_001
    assert len(gateway.ctl("log", "sessions", "--jsonl", json_out=False).splitlines()) == 40_000
    assert len(gateway.ctl("log", "sessions")) == 40_000
    assert len(gateway.ctl("log", "sessions", json_out=False).splitlines()) == 40_001
    assert 700 < len(gateway.ctl("log", "sessions", "--from", "-7d", "--license", license["id"])) < 800
    assert len(gateway.ctl("log", "sessions", "--newest", "--limit", "3")) == 3
    assert gateway.ctl("audit", "verify")["checked"] > 200_000
    # A sanitizer keeps what was freed, so that its use would be noticed: there the peak says nothing.
    if b"__asan_init" not in (BIN / "engawa-gateway").read_bytes():
        assert peak_mib(gateway.pid) - base < 150
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
