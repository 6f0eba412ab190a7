"""Reports: each row of the check sheet is answered by the running product, and follows it."""

import csv
import hashlib
import io
import json
import re
import shlex
import signal
import time
from base64 import b64encode

import pytest
from person import hire, operator
from test_gateway_admin import Rest
from world import BIN, TOP, Gateway, run, wait_for

CONFIG = """[alerts]
targets = 127.0.0.0/8
probe = 200ms
scan = 200ms
[backup]
every = {every}
[journal]
retention = {retention}
[admission]
lockout_failures = {failures}
"""
SETTINGS = {"every": "24h", "retention": "400d", "failures": 5}


class Reported:
    def __init__(self, world):
        self.config = world.tmp / "reports.ini"
        self.config.write_text(CONFIG.format(**SETTINGS))
        self.gateway = Gateway(world).init().start("--config", self.config)
        self.rest = Rest(self.gateway)

    def call(self, method, path, body=None, status=200):
        got, _, text = self.rest.ask(method, f"/api/v1{path}", body)
        assert got == status, (method, path, got, text)
        return json.loads(text) if text else None

    def sheet(self, **query):
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return {row["row"]: row for row in self.call("GET", f"/reports/checksheet?{words}")["rows"]}

    def good(self):
        return {name: row["good"] for name, row in self.sheet().items()}

    def configure(self, **changes):
        before = len(self.changes())
        self.config.write_text(CONFIG.format(**{**SETTINGS, **changes}))
        self.gateway.program.process.send_signal(signal.SIGHUP)
        wait_for("the configuration", lambda: len(self.changes()) > before)

    def changes(self):
        return [row for row in self.gateway.log("audit") if row["event"] == "CONFIG_CHANGED"]


@pytest.fixture
def reported(world):
    return Reported(world)


def rows_of_the_list():
    """What CHECKSHEET asks: SaaS 1 to 64, and the managers' rows of the telework guideline."""
    return {str(number) for number in range(1, 65)} | {
        "B-1", "B-2", "B-3", "B-4", "C-2", "E-4", "E-8", "E-9", "F-1", "F-2", "F-3", "F-4", "G", "H-4", "H-5", "H-6",
        "I", "I-6", "J-5", "J-6", "J-9", "J-10", "M-1", "M-3"}


def test_a_control_that_is_turned_off_flips_its_rows(reported):
    """All on first; then each off alone: exactly its rows say no, and after it is on again all say yes."""
    gateway = reported.gateway
    route = reported.call("POST", "/routes", {"kind": "syslog", "target": "udp://127.0.0.1:9"}, 201)["id"]
    reported.call("PATCH", "/alerts/alr_disk", {"routes": [route]})
    reported.call("PATCH", "/security", {"totp_required": True, "addresses": ["127.0.0.0/8"]})
    backup = gateway.ctl("backup", "create")["id"]
    wait_for("the backup", lambda: gateway.ctl("backup", "show", backup)["state"] == "done")
    reader = Rest(gateway, gateway.ctl("token", "create", "--name", "a", "--role", "auditor")["token"])
    assert reader.ask("GET", "/api/v1/journal/audit")[0] == 200
    gateway.ctl("audit", "verify")
    for row in (name for name, row in reported.sheet().items() if row["kind"] == "D"):
        gateway.ctl("statement", "set", row, "--ja", f"回答 {row}", "--en", f"answer {row}")
    assert all(row["text"]["ja"].startswith("回答") for row in gateway.ctl("statement", "list"))
    assert "sessions" in json.dumps(gateway.ctl("report", "usage"))
    before = reported.good()
    assert set(before) == rows_of_the_list()
    assert {name for name, good in before.items() if good is not True} == {"5"}, "measured for less than an hour"
    fifth = reported.sheet()["5"]
    assert fifth["answer"].startswith("Not measured yet") and fifth["value"]["percent"] is None

    alerts = {rule["id"] for rule in reported.call("GET", "/alerts")["items"]}

    def all_rules(state):
        for rule in alerts:
            reported.call("PATCH", f"/alerts/{rule}", {"state": state})

    controls = {
        "one-time codes": ({"58"}, lambda: reported.call("PATCH", "/security", {"totp_required": False}),
                           lambda: reported.call("PATCH", "/security", {"totp_required": True})),
        "addresses": ({"60", "I"}, lambda: reported.call("PATCH", "/security", {"addresses": []}),
                      lambda: reported.call("PATCH", "/security", {"addresses": ["127.0.0.0/8"]})),
        "lockout of accounts": (
            {"59", "H-6"}, lambda: reported.call("PATCH", "/security", {"lockout": {"failures": 100}}),
            lambda: reported.call("PATCH", "/security", {"lockout": {"failures": 5}})),
        "lockout of licenses": ({"59", "H-6"}, lambda: reported.configure(failures=500), reported.configure),
        "passwords": ({"57", "H-4"}, lambda: reported.call("PATCH", "/security", {"password": {"history": 0}}),
                      lambda: reported.call("PATCH", "/security", {"password": {"history": 4}})),
        "common passwords": ({"57", "H-4"}, lambda: reported.call("PATCH", "/security", {"password": {"common": False}}),
                             lambda: reported.call("PATCH", "/security", {"password": {"common": True}})),
        "backups": ({"6", "7", "8", "28", "29", "30", "32"}, lambda: reported.configure(every="0"),
                    reported.configure),
        "a target of alerts": ({"14", "15", "J-10"}, lambda: reported.call(
            "PATCH", f"/routes/{route}", {"state": "disabled"}), lambda: reported.call(
                "PATCH", f"/routes/{route}", {"state": "enabled"})),
        "all alert rules": ({"14", "15", "J-10", "I-6"}, lambda: all_rules("disabled"), lambda: all_rules("enabled")),
        "files": ({"E-4"}, lambda: reported.call("PUT", "/policies/default", {
            "rights": ["view", "control", "file_to_viewer"]}), lambda: reported.call(
                "DELETE", "/policies/default", status=204)),
    }
    reported.call("POST", "/reports/checksheet/verify", {})
    for name, (rows, off, on) in controls.items():
        off()
        now = reported.good()
        assert {row for row in now if now[row] != before[row]} == rows, name
        assert all(now[row] is False for row in rows), name
        verified = reported.call("POST", "/reports/checksheet/verify", {})
        assert {one["row"] for one in verified["changed"]} == rows, name
        assert all(one["was"] is True and one["is"] is False for one in verified["changed"]), name
        on()
        assert reported.good() == before, name
        assert {one["row"] for one in reported.call("POST", "/reports/checksheet/verify", {})["changed"]} == rows
    # How long records are kept cannot be turned off, only changed: the sheet shows what is in force.
    reported.configure(retention="365d")
    sheet = reported.sheet()
    assert [sheet[row]["value"]["days"] for row in ("18", "46", "J-5", "J-6")] == [365] * 4
    drill = gateway.ctl("backup", "drill", backup)
    assert drill
    wait_for("the drill", lambda: reported.sheet()["6"]["value"]["drill_result"] == "good")


def test_every_command_of_the_sheet_works(reported):
    """Whoever doubts an answer types what stands beside it."""
    sheet = reported.sheet()
    commands = {row["command"] for row in sheet.values()}
    for command in sorted(commands):
        words = shlex.split(command)
        assert words[0] == "engawactl"
        run(BIN / "engawactl", "--data", reported.gateway.data, *words[1:], "--json")
    for lang in ("en", "ja"):
        for row in reported.sheet(lang=lang).values():
            assert row["answer"] and "{" not in row["answer"], row
            assert bool(re.search("[ぁ-んァ-ン一-龥]", row["question"])) == (lang == "ja"), row


def test_forms_and_hostile_statements(reported):
    hostile = "=cmd|' /C calc'!A0 <script>alert(1)</script> &amp; \"x\" '😀"
    reported.call("PUT", "/statements/26", {"text": {"ja": hostile}})
    for body in ({}, {"text": "x"}, {"text": {}}, {"text": {"fr": "x"}}, {"text": {"ja": "a\u202eb"}}, {"txet": {}}):
        assert reported.rest.ask("PUT", "/api/v1/statements/26", body)[0] == 400, body
    assert reported.rest.ask("PUT", "/api/v1/statements/18", {"text": {"ja": "x"}})[0] == 409
    assert reported.rest.ask("PUT", "/api/v1/statements/99", {"text": {"ja": "x"}})[0] == 404
    assert reported.sheet(lang="en")["26"]["answer"] == hostile, "one language stands for both"
    assert reported.sheet()["26"]["value"]["written"] and reported.sheet()["27"]["answer"] == "missing"

    status, headers, page = reported.rest.ask("GET", "/api/v1/reports/checksheet?format=html&lang=ja")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page and "&amp;amp;" in page
    style = re.search("<style>(.*)</style>", page).group(1)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"] and page.count("<tr>") == 89

    rows = list(csv.DictReader(io.StringIO(reported.rest.ask(
        "GET", "/api/v1/reports/checksheet?format=csv&lang=ja")[2])))
    assert len(rows) == 88 and next(row for row in rows if row["row"] == "26")["answer"] == "'" + hostile
    text = reported.rest.ask("GET", "/api/v1/reports/checksheet?format=text&lang=ja")[2]
    assert text.startswith("セキュリティチェックシート") and hostile in text
    for query in ("format=pdf", "lang=fr", "tenant=A%20B"):
        assert reported.rest.ask("GET", f"/api/v1/reports/checksheet?{query}")[0] == 400, query


def test_a_company_sees_its_own(reported):
    one = operator(reported.gateway)
    for tenant in ("acme", "other"):
        reported.call("POST", "/tenants", {"id": tenant, "name": tenant}, 201)
    admin = hire(one, reported.gateway, "admin@acme", "admin", tenant="acme")
    reported.call("PATCH", "/security?tenant=acme", {"totp_required": True})
    mine = {row["row"]: row for row in reported.call("GET", "/reports/checksheet?tenant=acme")["rows"]}
    other = {row["row"]: row for row in reported.call("GET", "/reports/checksheet?tenant=other")["rows"]}
    assert mine["58"]["good"] is True and other["58"]["good"] is False
    assert mine["61"]["value"]["accounts"] == 1 and other["61"]["value"]["accounts"] == 0
    token = reported.gateway.ctl("token", "create", "--name", "a", "--role", "auditor", "--tenant", "acme")["token"]
    auditor = Rest(reported.gateway, token)
    rows = {row["row"]: row for row in json.loads(auditor.ask(
        "GET", "/api/v1/reports/checksheet?tenant=other")[2])["rows"]}
    assert rows["58"]["good"] is True, "what a query says does not make another company"
    assert auditor.ask("PUT", "/api/v1/statements/26", {"text": {"ja": "x"}})[0] == 403
    assert admin.ask("PUT", "/api/v1/statements/26", {"text": {"ja": "x"}})[0] == 403
    helpdesk = hire(one, reported.gateway, "help@acme", "helpdesk", tenant="acme")
    assert helpdesk.ask("GET", "/api/v1/reports/checksheet")[0] == 403


def test_a_node_that_did_not_run_was_down(reported):
    gateway = reported.gateway
    wait_for("the first questions", lambda: reported.call("GET", "/availability")["probe"]["asked"] >= 2)
    first = reported.call("GET", "/availability")
    assert first["percent"] == "100.0000" and first["faults"] == 0
    assert {one["target"]: one["tls"] for one in first["probe"]["targets"]} == {
        "public": "TLSv1.3", "admin": "TLSv1.3"}
    gateway.program.kill()
    time.sleep(1.5)
    gateway.restart()
    reported.rest = Rest(gateway)
    outage = wait_for("the outage", lambda: gateway.ctl("report", "outages"))[0]
    assert outage["target"] == "node" and outage["duration_ms"] >= 1300 and not outage["covered"]
    after = reported.call("GET", "/availability")
    assert after["faults"] == 1 and after["down_ms"] == outage["duration_ms"] == after["mttr_ms"]
    planned = after["planned_ms"]
    assert abs((planned - after["down_ms"]) / planned * 100 - float(after["percent"])) < 0.01
    assert reported.sheet()["12"]["value"]["faults"] == 1
    # A stop that was announced before it came is no fault.
    gateway.ctl("notice", "create", "--kind", "planned_stop", "--en", "upgrade", "--from", "+0d", "--to", "+1d")
    sheet = reported.sheet()
    assert sheet["2"]["good"] is False and sheet["2"]["value"]["current"] == 1
    assert sheet["3"]["good"] is True and sheet["3"]["value"]["current"] == 0, "a stop is no end of the service"
    assert reported.call("GET", "/availability")["faults"] == 1, "announced afterwards is not announced"
    for month in ("2026-13", "26-1", "x", "2026-1"):
        assert reported.rest.ask("GET", f"/api/v1/availability?month={month}")[0] == 400, month
    for month in ("2020-01", "2099-01"):
        nothing = reported.call("GET", f"/availability?month={month}")
        assert nothing["measured_ms"] == 0 and nothing["percent"] is None, "nothing measured is not 100 %"


def test_the_table_names_verbs_that_there_are():
    verbs = set(re.findall(r'^VERB\(\w+, "([^"]+)"', (TOP / "gateway/ctl/verbs.def").read_text(), re.M))
    for line in (TOP / "gateway/rules/checksheet.def").read_text().splitlines():
        if line.startswith("Q("):
            command = re.match(r'Q\(\w+, "[^"]+", \w, \w+, "([^"]+)"', line).group(1).split()
            assert " ".join(command[:2]) in verbs or command[0] in verbs, command
