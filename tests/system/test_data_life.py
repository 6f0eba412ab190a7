"""What is stored is sealed, backed up, restored elsewhere, and erased when a contract is over: the real gateway."""

import csv
import io
import json
import os
import signal
import tarfile
import threading
from pathlib import Path

import pytest

from test_gateway_admin import Rest
from test_refusals import refused
from world import BIN, Gateway, run, wait_for

CANARY = "カナリア Canary-Yamada"


def everywhere(top, *needles):
    """Files below `top` that hold one of these texts."""
    found = []
    for path in top.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [(path.name, needle) for needle in needles if needle.encode() in content]
    return found


def backed_up(gateway, *options):
    identity = gateway.ctl("backup", "create", *options)["id"]
    record = wait_for("the backup", lambda: [
        row for row in gateway.ctl("backup", "list") if row["id"] == identity and row["state"] in ("done", "failed")])[0]
    assert record["state"] == "done", record
    return record, gateway.data / "backups" / record["file"]


def restore(directory, file, key, *options, code=0):
    return run(BIN / "engawa-gateway", "restore", "--data", directory, "--from", file, "--key", key, *options, code=code)


def company(gateway, identity, licenses=3):
    gateway.ctl("tenant", "create", identity, "--name", f"{CANARY} KK", "--note", CANARY)
    return [gateway.license(f"{CANARY} {number}", "--tenant", identity, "--note", CANARY) for number in range(licenses)]


def test_the_disk_holds_no_name(gateway):
    made = company(gateway, "acme")
    gateway.ctl("account", "create", "canary.account", "--full-name", CANARY, "--mail", "canary@example.jp",
                "--role", "admin", "--tenant", "acme")
    record, file = backed_up(gateway, "--note", CANARY[-6:])
    assert record["documents"] > 5
    assert everywhere(gateway.data, "Canary-Yamada", "canary.account", "canary@example.jp", made[0]["password"]) == []
    assert everywhere(gateway.data, made[0]["id"])  # what is looked for stays clear: this search finds things
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_under_load_restores_elsewhere(gateway, world):
    company(gateway, "acme", 40)
    stop = threading.Event()

    def load():
        rest = Rest(gateway)
        number = 0
        while not stop.is_set():
            rest.ask("POST", "/api/v1/licenses", {"holder": f"load {number}", "tenant": "acme"})
            number += 1

    thread = threading.Thread(target=load)
    thread.start()
    try:
        record, file = backed_up(gateway)
    finally:
        stop.set()
        thread.join()
    gateway.ctl("backup", "drill", record["id"])
    drill = wait_for("the drill", lambda: [
        one for one in [gateway.ctl("backup", "show", record["id"])["drill"]] if one["state"] != "running"])[0]
    assert drill["state"] == "good" and drill["documents"] == record["documents"] and drill["checked"] == record["rows"]

    key = gateway.data / "backup.key"
    other = Gateway(world, "other")
    told = json.loads(restore(other.data, file, key, "--json"))
    assert told["documents"] == record["documents"] and told["rows"] == record["rows"]
    other.start()
    assert other.ctl("audit", "verify")["ok"]
    licenses = other.ctl("license", "list")
    assert len([row for row in licenses if row["holder"].startswith(CANARY)]) == 40
    known = {row["id"] for row in gateway.ctl("license", "list")}
    assert {row["id"] for row in licenses} <= known
    assert "BACKUP_RESTORED" in [row["event"] for row in other.log("audit")]
    # The ends trust what they trusted: the same authority, the same node.
    assert other.ca.read_bytes() == gateway.ca.read_bytes()
    # It goes on from there, with backups of its own.
    other.license("after")
    backed_up(other)


def test_what_is_not_whole_is_refused_and_changes_nothing(gateway, world):
    company(gateway, "acme")
    _, file = backed_up(gateway)
    key, target = gateway.data / "backup.key", world.tmp / "target"
    whole = bytearray(file.read_bytes())
    wrong_key, broken = world.tmp / "wrong.key", world.tmp / "broken.backup"
    wrong_key.write_text("00" * 32 + "\n")
    wrong_key.chmod(0o600)
    refused(lambda: restore(target, file, wrong_key), "BACKUP_DAMAGED", 65)
    for at in (3, 20, len(whole) // 2, len(whole) - 1):
        bent = bytearray(whole)
        bent[at] ^= 1
        broken.write_bytes(bent)
        refused(lambda: restore(target, broken, key), "BACKUP_DAMAGED", 65)
    broken.write_bytes(whole[:-20])
    refused(lambda: restore(target, broken, key), "BACKUP_DAMAGED", 65)
    key.chmod(0o644)
    refused(lambda: restore(target, file, key), "FILE_EXPOSED", 78)
    key.chmod(0o600)
    assert not target.exists()
    # A running gateway, a store with something in it, a directory with other things.
    refused(lambda: restore(gateway.data, file, key), "ALREADY_RUNNING", 75)
    gateway.program.stop()
    refused(lambda: restore(gateway.data, file, key), "CONFLICT", 65)
    target.mkdir()
    (target / "diary.txt").write_text("mine")
    refused(lambda: restore(target, file, key), "CONFLICT", 65)
    assert [path.name for path in target.iterdir()] == ["diary.txt"]
    # A directory that is set up keeps its own keys and takes the store.
    restore(gateway.data, file, key, "--store", f"sqlite:{world.tmp}/fresh.db")
    gateway.start("--store", f"sqlite:{world.tmp}/fresh.db")
    assert len(gateway.ctl("license", "list")) == 3 and gateway.ctl("audit", "verify")["ok"]
    assert len(list(gateway.data.glob("checkpoints-*.jsonl"))) == 1


def test_killed_while_it_backs_up(gateway):
    company(gateway, "acme", 30)
    backups = gateway.data / "backups"
    for turn in range(4):
        identity = gateway.ctl("backup", "create")["id"]
        os.kill(gateway.pid, signal.SIGKILL)
        gateway.program.process.wait()
        names = [path.name for path in backups.iterdir()] if backups.exists() else []
        for name in names:
            if name.endswith(".backup"):
                target = gateway.world.tmp / f"{turn}-{name}"
                restore(target, backups / name, gateway.data / "backup.key")
        gateway.restart()
        record = wait_for("the record", lambda: [
            one for one in [gateway.ctl("backup", "show", identity)] if one["state"] in ("done", "failed")])[0]
        assert record["state"] == "done" or record["reason"] == "NODE_STOPPED"
        wait_for("half files to go", lambda: not [
            path for path in (backups.iterdir() if backups.exists() else []) if path.name.endswith(".part")])
    assert gateway.ctl("audit", "verify")["ok"]


def test_the_wrong_master_key_is_refused(gateway):
    company(gateway, "acme", 1)
    gateway.program.stop()
    file = gateway.data / "master.key"
    right = file.read_text()
    file.write_text("11" * 32 + "\n")
    refused(lambda: run(BIN / "engawa-gateway", "run", "--data", gateway.data, "--listen", "127.0.0.1:0",
                        "--admin-listen", "127.0.0.1:0"), "MASTER_KEY_WRONG", 78)
    file.write_text(right)
    gateway.restart()
    assert gateway.ctl("license", "list")[0]["holder"].startswith(CANARY)


def test_keys_are_renewed(gateway):
    company(gateway, "acme")
    assert gateway.ctl("key", "rotate", "acme")["generation"] == 2
    assert gateway.ctl("key", "rotate", "~operator")["generation"] == 2
    refused(lambda: gateway.ctl("key", "rotate", "nobody", json_out=False), "NOT_FOUND", 65)
    rows = gateway.ctl("key", "list", "--tenant", "acme")
    assert [row["generation"] for row in rows] == [1, 2] and all("wrapped" not in row for row in rows)
    gateway.program.stop()
    gateway.restart()
    assert len(gateway.ctl("license", "list", "--tenant", "acme")) == 3
    assert [row["event"] for row in gateway.log("audit")].count("KEY_ROTATED") == 2


def test_a_new_master_key(gateway):
    company(gateway, "acme")
    assert gateway.ctl("audit", "verify")["ok"]
    file, fresh = gateway.data / "master.key", gateway.data / "master.key.new"
    refused(lambda: run(BIN / "engawa-gateway", "rekey", "--data", gateway.data), "ALREADY_RUNNING", 75)
    gateway.program.stop()
    old = file.read_text()
    told = json.loads(run(BIN / "engawa-gateway", "rekey", "--data", gateway.data, "--json"))
    new = file.read_text()
    assert told["keys"] == 3 and told["checkpoints"] > 0 and new != old and not fresh.exists()
    assert file.stat().st_mode & 0o777 == 0o600
    gateway.restart()
    assert len(gateway.ctl("license", "list", "--tenant", "acme")) == 3
    verdict = gateway.ctl("audit", "verify")
    assert verdict["ok"] and verdict.get("checkpoints_met", 1) > 0
    gateway.program.stop()
    # As if it had been killed before the new key took its name.
    file.write_text(old)
    fresh.write_text(new)
    refused(lambda: run(BIN / "engawa-gateway", "run", "--data", gateway.data), "MASTER_KEY_WRONG", 78)
    told = json.loads(run(BIN / "engawa-gateway", "rekey", "--data", gateway.data, "--json"))
    assert told["keys"] == 0 and file.read_text() == new
    gateway.restart()
    assert gateway.ctl("audit", "verify")["ok"]


def test_a_backup_for_a_place_with_its_own_keys(gateway, world):
    company(gateway, "acme")
    _, file = backed_up(gateway)
    other = Gateway(world, "other").init()
    (other.data / "engawa.db").unlink()
    restore(other.data, file, gateway.data / "backup.key")
    other.start()
    assert len(other.ctl("license", "list")) == 3 and other.ca.read_bytes() != gateway.ca.read_bytes()
    # What the old place has signed is signed by the new one.
    verdict = other.ctl("audit", "verify")
    assert verdict["ok"] and verdict.get("checkpoints", 1) > 0


def test_the_end_of_a_contract(gateway):
    made, others = company(gateway, "acme"), company(gateway, "other", 1)
    rest = Rest(gateway)
    admin = gateway.ctl("token", "create", "--name", "acme", "--role", "admin", "--tenant", "acme")["token"]
    status, _, text = rest.ask("POST", "/api/v1/tenants/acme/export")
    assert status == 200
    with tarfile.open(fileobj=io.BytesIO(text.encode())) as tar:
        files = {name.partition("/")[2]: tar.extractfile(name).read().decode() for name in tar.getnames()}
    holders = [json.loads(line)["holder"] for line in files["licenses.jsonl"].splitlines()]
    assert sorted(holders) == [f"{CANARY} {number}" for number in range(3)]
    assert [row["holder"] for row in csv.DictReader(io.StringIO(files["licenses.csv"]))] == holders
    assert "LICENSE_CREATED" in files["journal/audit.jsonl"]
    assert "scrypt" not in "".join(files.values()) and others[0]["id"] not in "".join(files.values())
    # Nobody of the company ends it, nobody ends it by a slip.
    acme = Rest(gateway, admin)
    for method, path in (("DELETE", ""), ("POST", "/purge"), ("POST", "/export"), ("GET", "/proof")):
        assert acme.ask(method, f"/api/v1/tenants/acme{path}", {"confirm": "acme"} if method != "GET" else None)[0] == 403
    assert rest.ask("DELETE", "/api/v1/tenants/acme", {"confirm": "other"})[0] == 400
    assert rest.ask("POST", "/api/v1/tenants/acme/purge", {"confirm": "acme"})[0] == 409
    gateway.ctl("tenant", "change", "acme", "--purge-days", "30")
    ended = gateway.ctl("tenant", "delete", "acme", "--confirm", "acme")
    assert ended["state"] == "ended" and ended["purge_after_ms"] - ended["ended_ms"] == 30 * 86_400_000
    refused(lambda: run(BIN / "engawa-host", "--state", gateway.world.tmp / "host", "enroll", "--gateway", gateway.address,
                        "--ca", gateway.ca, "--license", made[0]["key"]), "TENANT_DISABLED", 77)
    assert acme.ask("GET", "/api/v1/licenses")[0] in (401, 403)
    assert rest.ask("GET", "/api/v1/tenants/acme/proof")[0] == 404

    proof = gateway.ctl("tenant", "purge", "acme", "--confirm", "acme")
    assert proof["state"] == "done" and proof["kinds"]["license"] == 3 and proof["keys"] == 1
    assert gateway.ctl("tenant", "proof", "acme")["purged"]
    refused(lambda: gateway.ctl("tenant", "show", "acme", json_out=False), "NOT_FOUND", 65)
    assert [row["id"] for row in gateway.ctl("license", "list")] == [others[0]["id"]]
    rows = gateway.log("audit")
    assert [row["tenant"] for row in rows if row.get("event") == "TENANT_PURGED"] == ["acme"], "which one is said"
    assert CANARY not in json.dumps([row for row in rows if row.get("license") != others[0]["id"] and
                                     row.get("tenant") != "other"], ensure_ascii=False)
    assert gateway.ctl("audit", "verify")["ok"]
    assert everywhere(gateway.data, "Canary-Yamada") == []


FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def start_on_day(gateway, day):
    gateway.program = gateway.world.start(f"gateway on day {day}", [
        BIN / "engawa-gateway", "run", "--data", gateway.data, "--listen", "127.0.0.1:0",
        "--admin-listen", "127.0.0.1:0"], ready=True, env={
            "LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+{day}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"})
    gateway.address = (gateway.data / "run/listen").read_text().strip()
    gateway.admin = (gateway.data / "run/admin").read_text().strip()


@pytest.mark.skipif(not FAKETIME.exists(), reason="faketime is a test package")
def test_sixty_days_after_the_end(gateway):
    """Nothing goes a day too early; then everything goes by itself."""
    company(gateway, "acme")
    company(gateway, "other", 1)
    gateway.ctl("tenant", "delete", "acme", "--confirm", "acme")
    gateway.program.stop()
    start_on_day(gateway, 59)
    # Its hourly care begins with the start, and has passed when a backup ordered after it is made.
    backed_up(gateway)
    assert len(gateway.ctl("license", "list", "--tenant", "acme")) == 3
    refused(lambda: gateway.ctl("tenant", "proof", "acme", json_out=False), "NOT_FOUND", 65)
    gateway.program.stop()
    start_on_day(gateway, 61)
    proof = wait_for("the company to be erased", lambda: [
        one for one in [json.loads(run(BIN / "engawactl", "--data", gateway.data, "tenant", "proof", "acme", "--json",
                                       code=None) or "{}")] if one.get("state") == "done"])[0]
    assert proof["by"] == "gateway" and proof["kinds"]["license"] == 3
    assert [row["tenant"] for row in gateway.ctl("license", "list")] == ["other"]
    assert gateway.ctl("audit", "verify")["ok"]


@pytest.mark.parametrize("words", [("backup", "show", "x"), ("backup", "drill", "x"), ("backup", "delete", "x"),
                                   ("tenant", "proof", "nobody")])
def test_what_is_not_there(gateway, words):
    refused(lambda: gateway.ctl(*words, json_out=False), "NOT_FOUND", 65)
