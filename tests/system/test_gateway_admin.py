"""The gateway's own commands, its REST API, and engawactl, with the real programs."""

import csv
import http.client
import io
import json
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess

import pytest
from person import is_endless
from test_refusals import refused
from world import BIN, TOP, Gateway, ProgramFailed, free_port, run, wait_for

GATEWAY = BIN / "engawa-gateway"


class Rest:
    """The REST API without engawactl between."""

    def __init__(self, gateway, token=None):
        self.host, port = gateway.admin.rsplit(":", 1)
        self.port = int(port)
        self.trust = ssl.create_default_context(cafile=str(gateway.ca))
        self.token = (gateway.data / "admin.token").read_text().strip() if token is None else token

    def ask(self, method, path, body=None, **headers):
        """(status, headers, text); names of headers as Python words: Content_Type."""
        link = http.client.HTTPSConnection(self.host, self.port, context=self.trust, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        link.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
        answer = link.getresponse()
        text = "" if is_endless(answer) else answer.read().decode()
        link.close()
        return answer.status, answer.headers, text

    def raw(self, data):
        with socket.create_connection((self.host, self.port), 20) as plain:
            with self.trust.wrap_socket(plain, server_hostname=self.host) as link:
                link.sendall(data)
                out = b""
                link.settimeout(20)
                while True:
                    try:
                        piece = link.recv(65536)
                    except (ssl.SSLError, ConnectionError, TimeoutError):
                        break
                    if not piece:
                        break
                    out += piece
                return out


@pytest.fixture
def rest(gateway):
    return Rest(gateway)


# init


def test_init_makes_a_whole_directory(world):
    gateway = Gateway(world).init("--name", "gw.example.jp", "--name", "192.0.2.7", "--name", "2001:db8::7")
    assert gateway.made["operator"]["account"] and gateway.made["operator"]["password"]
    for name in ("ca.key", "node.key", "master.key", "admin.token", "engawa.db", "seed.json"):
        assert stat.S_IMODE((gateway.data / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(gateway.data.stat().st_mode) == 0o700
    run("openssl", "verify", "-x509_strict", "-CAfile", gateway.ca, "-purpose", "sslserver", gateway.data / "node.pem")
    text = run("openssl", "x509", "-in", gateway.data / "node.pem", "-noout", "-ext", "subjectAltName")
    for name in ("DNS:gw.example.jp", "IP Address:192.0.2.7", "IP Address:2001:DB8:0:0:0:0:0:7", "DNS:localhost",
                 "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
        assert name in text
    assert not list(gateway.data.glob("init.part"))


def test_init_never_harms_what_is_there(world):
    gateway = Gateway(world).init()
    before = {path.name: path.read_bytes() for path in gateway.data.iterdir() if path.is_file()}
    refused(lambda: run(GATEWAY, "init", "--data", gateway.data), "CONFLICT", 65)
    assert before == {path.name: path.read_bytes() for path in gateway.data.iterdir() if path.is_file()}
    other = world.tmp / "documents"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    refused(lambda: run(GATEWAY, "init", "--data", other), "CONFLICT", 65)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    refused(lambda: run(GATEWAY, "init", "--data", world.tmp / "new", "--name", "no such name"), "BAD_VALUE", 65)
    assert not (world.tmp / "new").exists()


def test_an_interrupted_init_is_told_and_completed(world):
    gateway = Gateway(world).init()
    (gateway.data / "node.id").unlink()
    (gateway.data / "init.part").mkdir()
    (gateway.data / "init.part" / "ca.pem").write_text("half")
    said = refused(lambda: run(GATEWAY, "run", "--data", gateway.data), "STATE_DAMAGED", 65)
    assert "init" in said
    old = (gateway.data / "ca.pem").read_text()
    gateway.init().start()
    assert (gateway.data / "ca.pem").read_text() != old
    assert gateway.ctl("license", "list") == []


def test_init_into_a_directory_that_exists_and_is_empty(world):
    gateway = Gateway(world)
    gateway.data.mkdir()
    inode = gateway.data.stat().st_ino
    gateway.init().start()
    assert gateway.data.stat().st_ino == inode, "it may be a mount point"


def test_a_further_node_shares_ca_and_keys(world):
    first = Gateway(world, "first").init()
    second = Gateway(world, "second").init("--from", first.data, "--name", "second.example")
    for name in ("ca.pem", "ca.key", "master.key", "admin.token"):
        assert (first.data / name).read_bytes() == (second.data / name).read_bytes()
    for name in ("node.pem", "node.key", "node.id"):
        assert (first.data / name).read_bytes() != (second.data / name).read_bytes()
    assert "operator" not in second.made
    second.start()
    assert second.ctl("version")["node"] == second.made["node"]


def test_renew_takes_effect_on_hup(world, gateway):
    before = (gateway.data / "node.pem").read_text()
    run(GATEWAY, "renew", "--data", gateway.data, "--name", "new.example")
    assert (gateway.data / "node.pem").read_text() != before
    gateway.program.process.send_signal(signal.SIGHUP)

    def serves_new():
        pem = ssl.get_server_certificate(tuple_of(gateway.admin))
        return pem.split() == (gateway.data / "node.pem").read_text().split()

    wait_for("the new certificate", serves_new)


def tuple_of(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


# run


def test_ready_line_and_run_files(gateway):
    assert gateway.program.ready_line == f"ready listen={gateway.address} admin={gateway.admin}"
    assert gateway.program.stop() == 0
    assert not (gateway.data / "run/admin").exists()
    with pytest.raises(ProgramFailed) as failure:
        gateway.ctl("license", "list")
    assert failure.value.code == 69 and "GATEWAY_UNREACHABLE" in failure.value.out


def test_notifies_the_service_manager(world):
    gateway = Gateway(world).init()
    path = world.tmp / "notify"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    manager.settimeout(30)
    program = world.start("notified", [GATEWAY, "run", "--data", gateway.data, "--listen", "127.0.0.1:0",
                                       "--admin-listen", "127.0.0.1:0"], env={"NOTIFY_SOCKET": str(path)})
    assert manager.recv(100) == b"READY=1"
    assert program.stop() == 0
    assert manager.recv(100) == b"STOPPING=1"


def test_second_run_port_taken_unknown_store(world, gateway):
    refused(lambda: run(GATEWAY, "run", "--data", gateway.data), "ALREADY_RUNNING", 75)
    second = Gateway(world, "second").init()
    refused(lambda: run(GATEWAY, "run", "--data", second.data, "--listen", "127.0.0.1:0", "--admin-listen",
                        gateway.admin), "PORT_TAKEN", 69)
    for address in ("redis://127.0.0.1:x", "redis-sentinel://a,b", "postgres://x"):
        refused(lambda: run(GATEWAY, "run", "--data", second.data, "--store", address), "CONFIG", 78)
    said = refused(lambda: run(GATEWAY, "run", "--data", second.data, "--store", "redis://:secret@127.0.0.1:1"),
                   "STORE_UNAVAILABLE", 75)
    assert "127.0.0.1:1 " in said and "secret" not in said
    assert gateway.ctl("license", "list") == []


def test_not_initialised(world):
    (world.tmp / "empty").mkdir()
    for name in ("missing", "empty"):
        said = refused(lambda: run(GATEWAY, "run", "--data", world.tmp / name), "CONFIG", 78)
        assert "engawa-gateway init" in said


@pytest.mark.parametrize("name, damage, symbol, code", [
    ("master.key", "", "STATE_DAMAGED", 65),
    ("master.key", "abc\n", "STATE_DAMAGED", 65),
    ("node.id", "Not An Id!\n", "STATE_DAMAGED", 65),
    ("node.pem", "", "STATE_DAMAGED", 65),
    ("node.key", None, "STATE_DAMAGED", 65),
    ("seed.json", "{", "STATE_DAMAGED", 65),
    ("engawa.db", "this is no database, but long enough to look at it twice" * 50, "STATE_DAMAGED", 65),
    ("node.pem", "garbage\n", "CONFIG", 78),
])
def test_damaged_files_are_named_and_stay(world, name, damage, symbol, code):
    gateway = Gateway(world).init()
    path = gateway.data / name
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    said = refused(lambda: run(GATEWAY, "run", "--data", gateway.data, "--listen", "127.0.0.1:0", "--admin-listen",
                               "127.0.0.1:0"), symbol, code)
    assert name in said
    assert not path.exists() if damage is None else path.read_text() == damage


def test_exposed_key(world):
    gateway = Gateway(world).init()
    (gateway.data / "node.key").chmod(0o644)
    said = refused(lambda: run(GATEWAY, "run", "--data", gateway.data), "FILE_EXPOSED", 78)
    assert "node.key" in said


def test_config_errors_name_line_and_column(world):
    config = world.tmp / "gateway.ini"
    for text, place in (("[journal]\nretention = 4 years\n", ":2:13"), ("[log]\nlevel = loud\n", "log.level"),
                        ("[relay]\nno_such = 1\n", ":2:"), ("[nowhere]\na = 1\n", ":"), ("[relay\n", ":1")):
        config.write_text(text)
        said = refused(lambda: run(GATEWAY, "check", "--config", config), "CONFIG", 78)
        assert "gateway.ini" in said and place in said, said
    for section, line in (("alerts", "targets = 10.0.0.0/99"), ("alerts", "targets = 10.0.0.0/8, here"),
                          ("listen", "proxies = 10.0.0.5, lb.example.com"), ("alerts", "targets = 2001:db8::/"),
                          ("listen", "proxies = 10.0.0.0/8")):
        config.write_text(f"[{section}]\n{line}\n")
        assert "gateway.ini:2:" in refused(lambda: run(GATEWAY, "check", "--config", config), "CONFIG", 78), line
    config.write_text("[alerts]\ntargets = 10.0.0.0/8, 192.0.2.7, 2001:db8::/32\n[listen]\nproxies = 10.0.0.5, 2001:db8::5\n")
    run(GATEWAY, "check", "--config", config)
    config.write_text("[relay]\nclaim_renew = 14s\n")
    assert "claim_renew" in refused(lambda: run(GATEWAY, "check", "--config", config), "CONFIG", 78)
    for address in ("postgres://x", "redis-sentinel://a,b", "redis://127.0.0.1:x", "sqlite:"):
        config.write_text(f"[store]\naddress = {address}\n")
        assert "store.address" in refused(lambda: run(GATEWAY, "check", "--config", config), "CONFIG", 78)
    for address in ("redis://127.0.0.1:6379", "redis-sentinel://a,b:26380/main", "redis+unix:///run/redis.sock", "sqlite:/var/lib/x.db"):
        config.write_text(f"[store]\naddress = {address}\n")
        run(GATEWAY, "check", "--config", config)
    config.write_text(run(GATEWAY, "check", "--sample"))
    run(GATEWAY, "check", "--config", config)


def test_reload_takes_live_entries_over_and_keeps_good_ones(world):
    gateway = Gateway(world).init()
    config = world.tmp / "gateway.ini"
    config.write_text("[admission]\nlockout_failures = 7\n")
    gateway.start("--config", config)

    def value(name):
        return [row["value"] for row in gateway.ctl("limits") if row["name"] == name][0]

    assert value("admission.lockout_failures") == "7"
    config.write_text("[admission]\nlockout_failures = 9\n[relay]\nworkers = 3\n")
    gateway.program.process.send_signal(signal.SIGHUP)
    wait_for("the new value", lambda: value("admission.lockout_failures") == "9")
    assert value("relay.workers") == "0", "needs a restart"
    config.write_text("[admission]\nlockout_failures = many\n")
    gateway.program.process.send_signal(signal.SIGHUP)
    wait_for("the complaint", lambda: "not taken over" in gateway.program.text())
    assert value("admission.lockout_failures") == "9"


def test_starts_and_stops_are_recorded(gateway):
    assert gateway.program.stop() == 0
    gateway.restart()
    events = [row["event"] for row in gateway.log("audit") if row["event"].startswith("NODE_")]
    assert events == ["NODE_STARTED", "NODE_STOPPED", "NODE_STARTED"]


def test_init_on_a_full_disk_leaves_nothing_and_can_be_repeated(world):
    small = world.tmp / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True).returncode:
        pytest.fail("this test needs to mount a tmpfs (root, or tests/run)")
    try:
        (small / "filler").write_bytes(b"x" * (4096 - 16) * 1024)
        refused(lambda: run(GATEWAY, "init", "--data", small / "node"), "DISK_FULL", 74)
        assert not list((small / "node").iterdir())
        (small / "filler").unlink()
        run(GATEWAY, "init", "--data", small / "node")
    finally:
        subprocess.run(["umount", small], check=True)


def test_process_is_closed_to_others(gateway):
    status = open(f"/proc/{gateway.pid}/limits").read()
    assert [line for line in status.splitlines() if line.startswith("Max core file size")][0].split()[4:6] == ["0", "0"]
    for path in gateway.data.rglob("*"):
        if path.is_file() and path.suffix not in (".pem", ".id"):
            assert path.stat().st_mode & 0o077 == 0, path


# the API


def test_every_answer_has_the_security_headers(rest):
    for method, path in (("GET", "/healthz"), ("GET", "/api/v1/licenses"), ("GET", "/nothing"),
                         ("PUT", "/api/v1/licenses"), ("GET", "/metrics"), ("GET", "/api/v1/licenses?format=csv")):
        _, headers, _ = rest.ask(method, path)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "max-age" in headers["Strict-Transport-Security"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers.get("Server") is None


def test_a_token_gives_no_more_than_it_has(gateway):
    admin = Rest(gateway, gateway.ctl("token", "create", "--name", "a", "--role", "admin", "--tenant", "acme")["token"])
    for body in ({"name": "b", "role": "operator"}, {"name": "b", "role": "helpdesk", "tenant": "other"},
                 {"name": "b", "role": "operator", "tenant": "acme"}):
        assert admin.ask("POST", "/api/v1/tokens", body)[0] == 403, body
    status, _, text = admin.ask("POST", "/api/v1/tokens", {"name": "b", "role": "helpdesk"})
    assert status == 201 and json.loads(text)["tenant"] == "acme"


def test_revoked_and_expired_tokens_are_worthless(gateway):
    made = gateway.ctl("token", "create", "--name", "short", "--role", "auditor", "--expires", "+2s")
    asker = Rest(gateway, made["token"])
    assert asker.ask("GET", "/api/v1/licenses")[0] == 200
    wait_for("its end", lambda: asker.ask("GET", "/api/v1/licenses")[0] == 401)
    made = gateway.ctl("token", "create", "--name", "gone", "--role", "auditor")
    gateway.ctl("token", "revoke", made["id"])
    assert Rest(gateway, made["token"]).ask("GET", "/api/v1/licenses")[0] == 401
    assert made["token"] not in json.dumps(gateway.ctl("token", "list"))


def test_revoked_admin_token_does_not_come_back(gateway):
    own = [row for row in gateway.ctl("token", "list") if row["name"] == "admin.token"][0]
    gateway.ctl("token", "revoke", own["id"])
    assert gateway.program.stop() == 0
    gateway.restart()
    with pytest.raises(ProgramFailed) as failure:
        gateway.ctl("license", "list")
    assert failure.value.code == 77


def test_other_companies_do_not_exist(gateway):
    for name in ("other", "acme"):
        gateway.ctl("tenant", "create", name, "--name", name)
    theirs = gateway.license("Theirs", "--tenant", "other")
    ours = gateway.license("Ours", "--tenant", "acme")
    admin = Rest(gateway, gateway.ctl("token", "create", "--name", "a", "--role", "admin", "--tenant", "acme")["token"])
    listed = json.loads(admin.ask("GET", "/api/v1/licenses")[2])["items"]
    assert [row["id"] for row in listed] == [ours["id"]]
    assert json.loads(admin.ask("GET", "/api/v1/licenses?tenant=other")[2])["items"][0]["id"] == ours["id"]
    base = f"/api/v1/licenses/{theirs['id']}"
    for method, path, body in (("GET", base, None), ("PATCH", base, {"note": "x"}), ("DELETE", base, None),
                               ("POST", base + "/rotate", None), ("POST", base + "/password", None),
                               ("POST", base + "/unlock", None), ("POST", base + "/unbind", None),
                               ("DELETE", f"/api/v1/sessions/{theirs['id']}", None),
                               ("GET", f"/api/v1/hosts/{theirs['id']}", None)):
        assert admin.ask(method, path, body)[0] == 404, (method, path)
    assert admin.ask("POST", "/api/v1/licenses", {"holder": "x", "tenant": "other"})[0] == 403
    assert theirs["id"] not in admin.ask("GET", "/api/v1/journal/audit?format=jsonl")[2]
    assert gateway.ctl("license", "show", theirs["id"])["holder"] == "Theirs"


def test_creating_twice_with_one_key_makes_one(gateway, rest):
    for path, body, other in (("/api/v1/licenses", {"holder": "Once"}, {"holder": "Else"}),
                              ("/api/v1/tokens", {"name": "t", "role": "auditor"}, {"name": "u", "role": "auditor"}),
                              ("/api/v1/tenants", {"id": "acme", "name": "Acme"}, {"id": "b", "name": "B"}),
                              ("/api/v1/groups", {"name": "sales"}, {"name": "support"})):
        count = len(json.loads(rest.ask("GET", path)[2])["items"])
        key = {"Idempotency_Key": "key of" + path}
        assert rest.ask("POST", path, {"oops": 1}, **key)[0] == 400, "a refusal is not kept"
        first = rest.ask("POST", path, body, **key)
        again = rest.ask("POST", path, body, **key)
        assert first[0] == again[0] == 201 and first[2] == again[2], path
        assert again[1]["Content-Type"] == "application/json"
        status, _, text = rest.ask("POST", path, other, **key)
        assert status == 409 and "another request" in text, "what is wrong with the key"
        assert len(json.loads(rest.ask("GET", path)[2])["items"]) == count + 1
    # The same key belongs to another caller, and to another path, anew.
    made = json.loads(rest.ask("POST", "/api/v1/licenses", {"holder": "Once"}, Idempotency_Key="0123456789")[2])
    base = f"/api/v1/licenses/{made['id']}"
    assert rest.ask("POST", base + "/rotate", Idempotency_Key="0123456789")[0] == 409
    token = gateway.ctl("token", "create", "--name", "other", "--role", "operator")["token"]
    assert Rest(gateway, token).ask("POST", base + "/rotate", Idempotency_Key="0123456789")[0] == 200
    nothing = [rest.ask("POST", base + "/unlock", Idempotency_Key="fedcba98") for _ in range(2)]
    assert [answer[0] for answer in nothing] == [204, 204] and nothing[1][2] == ""
    rows = [row for row in gateway.log("audit", "--license", made["id"]) if row["event"] == "LICENSE_UNLOCKED"]
    assert len(rows) == 1
    assert rest.ask("POST", "/api/v1/licenses", {"holder": "x"}, Idempotency_Key="short")[0] == 400


@pytest.mark.parametrize("body, detail", [
    ('{"holder": "a", "holder": "b"}', "duplicate"), ('{"holder": 5}', "holder"), ("{}", "holder"), ("[]", "object"),
    ('{"holder": "a", "oops": 1}', "oops"), ('{"holder": "a", "expires": "someday"}', "expires"),
    ('{"holder": "a\\u0000b"}', "holder: a text holds NUL"), ('{"labels": {"k": "a\\u0000b"}}', "line 1 column"), ('{"holder": "a\\nb"}', "holder"), ('{"holder": "' + "a" * 300 + '"}', "holder"),
    ('{"holder": "a", "tenant": "No Tenant"}', "tenant"), ('{"holder": "a"', "line 1"), ('{"holder": "a"} x', "line 1"),
])
def test_bad_bodies_are_explained(rest, body, detail):
    status, headers, text = rest.ask("POST", "/api/v1/licenses", body)
    assert status == 400 and headers["Content-Type"] == "application/problem+json"
    problem = json.loads(text)
    assert problem["code"] == "BAD_VALUE" and problem["hint"] and detail in problem["detail"]


def test_foreign_forms_cannot_post(rest):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert rest.ask("POST", "/api/v1/licenses", '{"holder":"a"}', Content_Type=kind)[0] == 415


def test_problems_speak_japanese(rest):
    _, _, text = rest.ask("GET", "/api/v1/licenses/lic_000000000", Accept_Language="ja,en;q=0.5")
    assert json.loads(text)["message"] == "指定されたものが見つかりません。"


def test_pages_meet_without_gap_or_double(gateway, rest):
    made = {gateway.license(f"holder {number}")["id"] for number in range(7)}
    seen, after = [], ""
    while True:
        page = json.loads(rest.ask("GET", f"/api/v1/licenses?limit=3{after}")[2])
        seen += [row["id"] for row in page["items"]]
        if not page["next"]:
            break
        after = f"&after={page['next']}"
    assert len(seen) == 7 and set(seen) == made
    assert len(gateway.ctl("license", "list", "--limit", "4")) == 4
    rows, after = [], ""
    while True:
        page = json.loads(rest.ask("GET", f"/api/v1/journal/audit?limit=2{after}")[2])
        rows += [row["seq"] for row in page["items"]]
        if not page["next"]:
            break
        after = f"&after={page['next']}"
    assert rows == sorted(set(rows)) and len(rows) >= 9
    newest = json.loads(rest.ask("GET", "/api/v1/journal/audit?order=newest&limit=2")[2])["items"]
    assert [row["seq"] for row in newest] == rows[:-3:-1]


SMUGGLING = [
    b"POST /api/v1/licenses HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    b"GET /healthz HTTP/1.1\nHost: g\n\n",
    b"GET /healthz HTTP/1.1\r\nHost: g\r\nA: b\0c\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: g\r\nA: b\r\n c\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: g\r\nHost: h\r\n\r\n",
]


@pytest.mark.parametrize("number", range(len(SMUGGLING)))
def test_ambiguous_requests_get_400_and_the_end(rest, number):
    out = rest.raw(SMUGGLING[number] + b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 400 "), out
    assert out.count(b"HTTP/1.1 ") == 1, "what followed must not be read"


def test_pipelined_and_kept_connections(rest):
    one = b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n"
    last = b"GET /readyz HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"
    out = rest.raw(one * 20 + last)
    assert out.count(b"HTTP/1.1 200 OK") == 21
    out = rest.raw(b"POST /healthz HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
                   b"Connection: close\r\n\r\n{}")
    assert b"HTTP/1.1 100 Continue" in out or b"HTTP/1.1 405" in out
    assert rest.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert rest.raw(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: g\r\n\r\n").startswith(b"HTTP/1.1 431 ")
    assert rest.raw(b"POST / HTTP/1.1\r\nHost: g\r\nContent-Length: 70000\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    status, headers, _ = rest.ask("PUT", "/api/v1/licenses")
    assert status == 405 and set(headers["Allow"].split(", ")) == {"POST", "GET"}
    status, _, text = rest.ask("HEAD", "/healthz")
    assert status == 200 and text == ""


def test_a_slow_request_ends_by_itself(world):
    gateway = Gateway(world).init()
    config = world.tmp / "quick.ini"
    config.write_text("[admin]\nheader_time = 300ms\nbody_time = 300ms\nidle_time = 1s\n")
    gateway.start("--config", config)
    rest = Rest(gateway)
    assert rest.raw(b"GET /hea").startswith(b"HTTP/1.1 408 ")
    assert rest.raw(b"POST / HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n\r\nab").startswith(b"HTTP/1.1 408 ")
    assert rest.raw(b"") == b""


def test_metrics_can_be_closed(world):
    gateway = Gateway(world).init()
    config = world.tmp / "closed.ini"
    config.write_text("[admin]\nmetrics_open = no\n")
    gateway.start("--config", config)
    assert Rest(gateway, token="").ask("GET", "/metrics")[0] == 401
    assert Rest(gateway, token="").ask("GET", "/healthz")[0] == 200
    status, headers, text = Rest(gateway).ask("GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4") and "engawa_" in text


# engawactl


def test_life_of_a_license(gateway):
    made = gateway.license("鈴木 一郎", "--label", "floor=3", "--expires", "2030-12-31", "--note", "desk 5")
    identity = made["id"]
    shown = gateway.ctl("license", "show", identity)
    assert shown["labels"] == {"floor": "3"} and shown["state"] == "enabled" and shown["online"] is False
    assert gateway.ctl("license", "change", identity, "--holder", "鈴木 二郎", "--group", "sales")["group"] == "sales"
    assert gateway.ctl("license", "disable", identity)["state"] == "disabled"
    assert [row["id"] for row in gateway.ctl("license", "list", "--state", "disabled")] == [identity]
    assert gateway.ctl("license", "enable", identity)["state"] == "enabled"
    assert gateway.ctl("license", "change", identity, "--expires", "never")["expires"] is None
    assert gateway.ctl("license", "password", identity)["password"] != made["password"]
    assert gateway.ctl("license", "rotate", identity)["key"] != made["key"]
    gateway.ctl("license", "unlock", identity)
    gateway.ctl("license", "delete", identity)
    assert gateway.ctl("license", "list") == []
    events = [row["event"] for row in gateway.log("audit", "--license", identity)]
    assert events == ["LICENSE_CREATED", "LICENSE_CHANGED", "LICENSE_DISABLED", "LICENSE_ENABLED", "LICENSE_CHANGED",
                      "LICENSE_PASSWORD_RESET", "LICENSE_ROTATED", "LICENSE_UNLOCKED", "LICENSE_DELETED"]


def test_tables_stand_in_line_in_japanese(gateway):
    gateway.license("山田 太郎", "--group", "a")
    gateway.license("Smith", "--group", "b")
    lines = gateway.ctl("license", "list", json_out=False).splitlines()

    def cells(line):
        width = 0
        for position, character in enumerate(line):
            if line[position:].startswith(("enabled", "STATE")):
                return width
            width += 2 if ord(character) > 0x2e80 else 1
        raise AssertionError(line)

    assert len({cells(line) for line in lines}) == 1, lines


def test_import_and_export(gateway, world):
    path = world.tmp / "people.csv"
    path.write_text("holder,group,label:floor,expires\r\n"
                    '"佐藤, 花子",sales,3,2030-01-01\r\n"\'=HYPERLINK(""x"")",,,\r\n', encoding="utf-8-sig")
    made = list(csv.DictReader(io.StringIO(gateway.ctl("license", "import", path, json_out=False))))
    assert len(made) == 2 and all(row["key"] and row["password"] for row in made)
    exported = gateway.ctl("license", "export", json_out=False)
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert {row["holder"] for row in rows} == {"佐藤, 花子", "'=HYPERLINK(\"x\")"}
    assert "key" not in rows[0]
    assert [row["line"] for row in made] == ["2", "3"]
    shown = gateway.ctl("license", "show", made[0]["id"])
    assert shown["labels"] == {"floor": "3"} and shown["expires"].startswith(("2030-01-01", "2030-01-02"))
    # What was exported is imported, with ids and keys of its own.
    path.write_text(exported)
    assert len(gateway.ctl("license", "import", path)) == 2
    assert sorted(row["holder"] for row in gateway.ctl("license", "list")) == sorted(
        2 * ["佐藤, 花子", '=HYPERLINK("x")'])
    path.write_text("holder,salary\nx,1\n")
    refused(lambda: gateway.ctl("license", "import", path, json_out=False), "BAD_VALUE", 65)


def test_long_exports_are_complete(gateway, rest):
    for number in range(30):
        rest.ask("PATCH", f"/api/v1/licenses/{gateway.license('x')['id'] if number == 0 else identity(gateway)}",
                 {"note": f"note {number}"})
    lines = gateway.ctl("log", "audit", "--jsonl", json_out=False).splitlines()
    rows = list(csv.DictReader(io.StringIO(gateway.ctl("log", "audit", "--csv", json_out=False))))
    # The second export has the row of the first.
    assert [json.loads(line)["seq"] for line in lines] == [int(row["seq"]) for row in rows][:-1]
    assert len(rows) >= 33
    assert len(gateway.ctl("log", "audit", "--jsonl", "--limit", "5", json_out=False).splitlines()) == 5


def identity(gateway):
    return gateway.ctl("license", "list")[0]["id"]


def test_errors_of_engawactl(gateway, world):
    refused(lambda: run(BIN / "engawactl", "license", "list"), "USAGE", 64)
    refused(lambda: gateway.ctl("license", "show", json_out=False), "USAGE", 64)
    refused(lambda: gateway.ctl("license", "create", json_out=False), "USAGE", 64)
    refused(lambda: gateway.ctl("license", "show", "lic_000000000", json_out=False), "NOT_FOUND", 65)
    refused(lambda: gateway.ctl("license", "show", "../../healthz", json_out=False), "NOT_FOUND", 65)
    refused(lambda: gateway.ctl("log", "audit", "--from", "someday", json_out=False), "BAD_VALUE", 65)
    refused(lambda: gateway.ctl("node", "drain", "no-such-node", json_out=False), "NOT_FOUND", 65)
    for verb, thing in ((("license", "show", "lic_000000000"), "licenses/lic_000000000"),
                        (("group", "show", "営業"), "groups/営業")):
        with pytest.raises(ProgramFailed, match=thing):
            gateway.ctl(*verb, json_out=False)
    gateway.ctl("tenant", "create", "acme", "--name", "Acme")
    with pytest.raises(ProgramFailed, match="id: exists already"):
        gateway.ctl("tenant", "create", "acme", "--name", "Acme", json_out=False)
    error = gateway.ctl("license", "show", "lic_000000000", code=65)["error"]
    assert set(error) == {"code", "message", "hint"} and error["code"] == "NOT_FOUND"
    other = Gateway(world, "other").init()
    with pytest.raises(ProgramFailed) as failure:
        run(BIN / "engawactl", "--url", f"https://{gateway.admin}", "--token-file", gateway.data / "admin.token",
            "--ca", other.ca, "license", "list")
    assert failure.value.code == 76 and "TLS_UNTRUSTED" in failure.value.err
    with pytest.raises(ProgramFailed) as failure:
        run(BIN / "engawactl", "--url", f"https://127.0.0.1:{free_port()}", "--token-file",
            gateway.data / "admin.token", "--ca", gateway.ca, "license", "list")
    assert failure.value.code == 69


def test_nodes_and_drain(gateway):
    node = gateway.made["node"]
    rows = wait_for("the node's card", lambda: gateway.ctl("node", "list"))
    assert rows[0]["id"] == node and rows[0]["away"] is False
    gateway.ctl("node", "drain", node)
    wait_for("the list to say so", lambda: gateway.ctl("node", "list")[0]["draining"], seconds=4)
    wait_for("it not to be ready", lambda: Rest(gateway).ask("GET", "/readyz")[0] == 503)
    gateway.ctl("node", "undrain", node)
    wait_for("it to be ready again", lambda: Rest(gateway).ask("GET", "/readyz")[0] == 200)


# what is printed from tables


def test_printed_files_are_current():
    assert (TOP / "docs/openapi.yaml").read_text() == run(GATEWAY, "check", "--openapi")
    assert (TOP / "deploy/conf/gateway.ini").read_text() == run(GATEWAY, "check", "--sample")
    run("python3", TOP / "docs/manual_tables.py", BIN.parent, "--check")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_unit_is_hardened():
    out = run("systemd-analyze", "security", "--offline=true", TOP / "deploy/systemd/engawa-gateway.service")
    level = float(re.search(r"exposure level[^:]*: ([0-9.]+)", out).group(1))
    assert level <= 1.5, out[-300:]
