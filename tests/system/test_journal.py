"""The journal as people use it: found, exported, summed up, watched, and proved whole."""

import base64
import csv
import hashlib
import io
import json
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from test_contract import error_of, fill_a_year
from test_gateway_admin import Rest
from world import BIN, run, wait_for

HOUR = 3_600_000


@pytest.fixture
def rest(gateway):
    return Rest(gateway)


def get(rest, path, status=200):
    got, _, text = rest.ask("GET", path)
    assert got == status, text
    return json.loads(text)


def pages(rest, path):
    rows, after = [], ""
    while after is not None:
        page = get(rest, f"{path}&after={after}" if after else path)
        rows += page["items"]
        after = page["next"]
    return rows


def test_rows_are_found_by_what_is_in_them(gateway, rest):
    made = [gateway.license(f"利用者 {number:02d}") for number in range(12)]
    gateway.ctl("license", "disable", made[3]["id"])
    audit = "/api/v1/journal/audit?"
    assert [row["license"] for row in pages(rest, audit + "event=LICENSE_CREATED&limit=5")] == [
        one["id"] for one in made]
    assert [row["license"] for row in pages(rest, audit + "event=LICENSE_CREATED&order=newest&limit=5")] == [
        one["id"] for one in reversed(made)]
    assert [row["event"] for row in pages(rest, audit + f"license={made[3]['id']}")] == [
        "LICENSE_CREATED", "LICENSE_DISABLED"]
    found = pages(rest, audit + "q=%E5%88%A9%E7%94%A8%E8%80%85%2007")
    assert [row["license"] for row in found if row["event"] == "LICENSE_CREATED"] == [made[7]["id"]]
    by = found[0]["by"]
    assert len(pages(rest, audit + f"by={by}&event=LICENSE_CREATED")) == 12
    assert pages(rest, audit + "by=nobody") == []
    assert pages(rest, audit + "event=LICENSE_CREATED&to=2020-01-01") == []
    # The same for exports, and engawactl.
    rows = gateway.log("audit", "--event", "LICENSE_CREATED", "--q", "利用者 07")
    assert [row["license"] for row in rows] == [made[7]["id"]]
    text = gateway.ctl("log", "audit", "--event", "LICENSE_DISABLED", "--csv", "--bom", "--heads", "ja", json_out=False)
    assert text.startswith("\ufeff番号,日時,テナント,ライセンス,操作,")
    lines = list(csv.reader(io.StringIO(text)))
    assert len(lines) == 2 and lines[1][3] == made[3]["id"]
    for wrong, field in (("from=yesterday", "from"), ("bom=2", "bom"), ("heads=de", "heads"), ("order=up", "order"),
                         ("format=xml", "format"), ("q=%E2%80%AE", "q"), ("after=x", "after"), ("by=" + "x" * 300, "by")):
        status, _, text = rest.ask("GET", audit + wrong)
        assert (status, json.loads(text).get("field")) == (400, field), text
    assert rest.ask("GET", "/api/v1/journal/nothing")[0] == 404


def test_what_cannot_be_there_is_not_answered_with_nothing(gateway, rest):
    for question, field in (("event=ACOUNT_CREATED", "event"), ("reason=PASWORD_WRONG", "reason"),
                            ("from=2026-12-01&to=2026-11-01", "from")):
        assert get(rest, f"/api/v1/journal/audit?{question}", 400)["detail"].startswith(f"{field}: "), question
        got, _, text = rest.ask("GET", f"/api/v1/journal/audit?format=csv&{question}")
        assert got == 400, text
    assert rest.ask("PUT", "/api/v1/policies/default", {"rights": ["view"]})[0] == 200
    for event, thing in (("ACCOUNT_CREATED", "operator"), ("POLICY_CHANGED", "default"),
                         ("NODE_STARTED", gateway.made["node"])):
        rows = gateway.ctl("log", "audit", "--event", event, json_out=False).splitlines()[1:]
        assert rows and f" {thing} " in rows[0], "what a row is about"


def test_reading_is_recorded(gateway, rest):
    def recorded(event):
        return [row for row in gateway.log("audit", "--event", event) if row["event"] == event]

    for _ in range(5):
        get(rest, "/api/v1/journal/logins?license=lic_x&limit=3")
    get(rest, "/api/v1/journal/logins?license=lic_y&limit=3")
    read = [row for row in recorded("JOURNAL_READ") if row["kind"] == "logins"]
    by_license = [row["filter"]["license"] for row in read]
    assert by_license.count("lic_y") == 1 and 1 <= by_license.count("lic_x") <= 2, read
    assert read[0]["by"].startswith("token:")
    before = len(recorded("JOURNAL_EXPORTED"))
    for _ in range(2):
        assert rest.ask("GET", "/api/v1/journal/sessions?format=csv&from=2026-01-01&q=abc")[0] == 200
    exported = recorded("JOURNAL_EXPORTED")[before:]
    mine = [row for row in exported if row["kind"] == "sessions"]
    assert len(mine) == 2 and mine[0]["format"] == "csv" and mine[0]["filter"]["q"] == "abc"


def edit(gateway, *statements):
    base = sqlite3.connect(gateway.data / "engawa.db")
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()


def check_elsewhere(text):
    """What an auditor does with his own program: store/journal_chain.h and journal_checkpoint.h, and nothing else."""
    def net(value):
        raw = value if isinstance(value, bytes) else str(value).encode()
        return b"%d:%s," % (len(raw), raw)

    def unb64(value):
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))

    lines = [json.loads(line) for line in text.splitlines()]
    public, links = unb64(lines[0]["public_key"]), [line for line in lines if "seq" in line]
    signed = [line["checkpoint"] for line in lines if "checkpoint" in line]
    anchor = lines[1]["anchor"]
    hashes, last = {}, bytes.fromhex(anchor["hash"])
    for number, link in enumerate(links, anchor["seq"] + 1):
        assert link["seq"] == number
        parts = ("engawa-journal-2", link["seq"], link["kind"], link["at_ms"], bytes.fromhex(link["rest"]))
        last = hashlib.sha256(last + b"".join(map(net, parts))).digest()
        assert last.hex() == link["hash"]
        hashes[number] = link["hash"]
    assert signed
    for one in signed:
        assert one["hash"] == hashes[one["seq"]]
        said = b"".join(map(net, ("engawa-checkpoint-1", one["seq"], bytes.fromhex(one["hash"]), one["at_ms"],
                                  one["node"], one["rows"])))
        assert is_signed(public, unb64(one["signature"]), said)
        assert not is_signed(public, unb64(one["signature"]), said + b"x")
    return len(links)


def is_signed(public, signature, text):
    """By openssl, so that no further library is needed."""
    with tempfile.TemporaryDirectory() as place:
        for name, data in (("key", bytes.fromhex("302a300506032b6570032100") + public), ("sig", signature), ("text", text)):
            (Path(place) / name).write_bytes(data)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", "key",
                               "-sigfile", "sig", "-in", "text"], cwd=place, capture_output=True).returncode == 0


def test_checkpoints_prove_the_end(gateway, rest):
    for number in range(30):
        gateway.license(f"holder {number}")
    state = wait_for("a checkpoint", lambda: get(rest, "/api/v1/journal")["checkpoint"])
    assert state["good"] and state["seq"] >= 1
    # The hour is long: what came since is not signed, which is said.
    verdict = gateway.ctl("audit", "verify")
    assert verdict["ok"] and verdict["checkpoints_met"] >= 1 and verdict["unsigned_rows"] >= 30
    assert get(rest, "/api/v1/journal")["last_verify"]["checked"] == verdict["checked"]
    told = gateway.ctl("audit", "state")
    assert told["rows"]["audit"] >= 30 and told["retention_days"] == 400 and told["writable"] is True
    assert told["free_bytes"] > 0 and told["bytes"] > 0
    assert "in order" in gateway.ctl("audit", "state", json_out=False)
    kept = (gateway.data / "checkpoints.jsonl").read_text().splitlines()
    assert json.loads(kept[-1])["seq"] == verdict["newest_checkpoint"]["seq"]
    assert check_elsewhere(gateway.ctl("audit", "export", json_out=False)) >= 30
    # A thousand rows are signed without waiting for the hour, on every start too.
    assert gateway.program.stop() == 0
    license = "lic_0"
    fill_a_year(gateway, license, 5000)
    gateway.restart()
    rest = Rest(gateway)
    newest = wait_for("a checkpoint", lambda: (
        lambda one: one["seq"] > 5000 and one)(get(rest, "/api/v1/journal")["checkpoint"]))
    assert gateway.ctl("audit", "verify")["unsigned_rows"] < 1000
    # Cut off with everything made to fit: found out, by the gateway and without one.
    assert gateway.program.stop() == 0
    offline = json.loads(run(BIN / "engawa-gateway", "audit", "--data", gateway.data, "--json"))
    # A gateway that stops signs what there is.
    assert offline["ok"] and offline["newest_checkpoint"]["seq"] > newest["seq"] and offline["unsigned_rows"] == 0
    edit(gateway, "DELETE FROM journal WHERE seq > 3000",
         "UPDATE journal_mark SET seq=3000, hash=(SELECT hash FROM journal WHERE seq=3000) WHERE name='head'",
         "UPDATE journal_hour SET last_seq=min(last_seq, 3000)",
         "DELETE FROM doc WHERE id LIKE 'checkpoint%'")
    told = error_of(BIN / "engawa-gateway", "audit", "--data", gateway.data, code=65)
    assert told["code"] == "STATE_DAMAGED" and "3001" in told["message"] and "missing tail" in told["message"]
    assert told["hint"].startswith("Keep the evidence"), "no word of restoring or removing"
    gone = error_of(BIN / "engawa-gateway", "audit", "--data", gateway.data, "--checkpoints", gateway.data / "gone", code=66)
    assert gone["code"] == "FILE_UNREADABLE", "what was to be compared with is not silently left out"
    shared = error_of(BIN / "engawa-gateway", "audit", "--data", gateway.data, "--store", "redis://127.0.0.1:1", code=78)
    assert "engawactl audit verify" in shared["message"], "what can be done is said"
    gateway.restart()
    said = error_of(BIN / "engawactl", "--data", gateway.data, "audit", "verify", code=65)
    assert said["code"] == "STATE_DAMAGED" and said["hint"].startswith("Keep the evidence")


def test_usage_is_the_sum_of_the_rows(gateway):
    license = gateway.license("佐藤")["id"]
    assert gateway.program.stop() == 0
    fill_a_year(gateway, license, 4000)
    gateway.restart()
    rest = Rest(gateway)
    rows = [json.loads(line) for line in rest.ask("GET", "/api/v1/journal/bandwidth?format=jsonl")[2].splitlines()]
    closes = [json.loads(line) for line in rest.ask("GET", "/api/v1/journal/sessions?format=jsonl")[2].splitlines()]
    total = sum(row["bytes_to_viewer"] for row in rows)
    year = f"/api/v1/usage?license={license}&from=2020-01-01&step=month"
    wait_for("the sums", lambda: get(rest, year)["sums"]["bytes_to_viewer"] == total)
    for step in ("hour", "day", "month"):
        for who in (f"license={license}", "tenant=", ""):
            chart = get(rest, f"/api/v1/usage?{who}&from=2020-01-01&step={step}")
            assert chart["sums"]["bytes_to_viewer"] == total == sum(point[1] for point in chart["points"])
            assert chart["sums"]["bytes_to_host"] == sum(row["bytes_to_host"] for row in rows)
            assert chart["sums"]["sessions"] == len(closes) == sum(point[3] for point in chart["points"])
            times = [point[0] for point in chart["points"]]
            assert times == sorted(set(times)) and all(at % HOUR == 0 for at in times)
    # A week is a part of it.
    now = int(time.time() * 1000)
    start = (now - 7 * 24 * HOUR) // HOUR * HOUR
    day = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(start / 1000))
    week = get(rest, f"/api/v1/usage?license={license}&from={day}")
    at = [time.mktime(time.strptime(row["at"][:19], "%Y-%m-%dT%H:%M:%S")) * 1000 for row in rows]
    assert week["sums"]["bytes_to_viewer"] == sum(
        row["bytes_to_viewer"] for row, ms in zip(rows, at) if ms - time.timezone * 1000 >= start)
    top = get(rest, "/api/v1/usage/top?from=2020-01-01")
    assert [(row["license"], row["holder"], row["bytes_to_viewer"]) for row in top["items"]] == [
        (license, "佐藤", total)]
    assert gateway.ctl("usage", "top", "--from", "2020-01-01")[0]["license"] == license
    shown = gateway.ctl("usage", "show", "--license", license, "--from", "2020-01-01", "--step", "month")
    assert sum(row["bytes_to_viewer"] for row in shown) == total
    month = time.strftime("%Y-%m", time.gmtime())
    report = gateway.ctl("report", "usage", "--month", month)
    of_month = sum(row["bytes_to_viewer"] for row in rows if row["at"].startswith(month))
    assert of_month and report["sums"]["bytes_to_viewer"] == of_month == report["items"][0]["bytes_to_viewer"]
    assert [row["holder"] for row in report["items"]] == ["佐藤"]
    assert f",{license},佐藤,{of_month}," in gateway.ctl("report", "usage", "--month", month, "--csv", json_out=False)
    assert get(rest, "/api/v1/usage?license=lic_nobody", 404)["code"] == "NOT_FOUND"
    assert get(rest, "/api/v1/usage?tenant=nobody&from=2020-01-01")["points"] == []
    for wrong, field in (("step=year", "step"), ("from=2027-01-01", "from"), ("offset=900", "offset"),
                         ("from=1990-01-01", "from")):
        assert get(rest, "/api/v1/usage?" + wrong, 400)["field"] == field
    assert get(rest, "/api/v1/usage/top?limit=0", 400)["field"] == "limit"
