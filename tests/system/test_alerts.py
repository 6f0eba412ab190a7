"""Alerts: from what happened to a real receiver, whatever comes between."""

import email
import email.header
import hashlib
import hmac
import json
import re
import signal
import time

import pytest
from conversation import Conversation
from person import Person, hire, operator
from receivers import Hook, PostOffice, Syslog, Trust
from test_gateway_admin import Rest
from test_refusals import refused
from world import PATIENCE, TOP, Gateway, wait_for

SECRET = "a-secret-of-the-test"


class Watched:
    """A gateway whose alarms go to receivers on this machine."""

    def __init__(self, world, **more):
        self.trust = Trust(world.tmp)
        self.closing = []
        self.socket = world.tmp / "log.socket"
        settings = {"targets": "127.0.0.0/8", "ca": self.trust.ca, "retry": "300ms", "scan": "300ms",
                    "probe": "500ms", "syslog": self.socket, **more}
        self.config = world.tmp / "alerts.ini"
        self.write(settings)
        self.gateway = Gateway(world).init().start("--config", self.config)
        self.rest = Rest(self.gateway)
        self.keep = world.tmp

    def write(self, settings):
        self.config.write_text("[alerts]\n" + "".join(
            f"{name} = {value}\n" for name, value in settings.items() if value is not None))

    def call(self, method, path, body=None, status=200):
        got, _, text = self.rest.ask(method, f"/api/v1{path}", body)
        assert got == status, (method, path, got, text)
        return json.loads(text) if text else None

    def hook(self, **more):
        hook = Hook(self.trust, **more)
        self.closing.append(hook)
        return hook

    def route(self, **members):
        return self.call("POST", "/routes", members, 201)["id"]

    def rule(self, when, **members):
        return self.call("PATCH", f"/alerts/alr_{when}", members)

    def fail_to_sign_in(self, times=1, source="127.0.0.2", account="nobody"):
        """All of 127.0.0.0/8 is this machine; each address is locked for itself after a few tries."""
        for _ in range(times):
            Person(self.gateway, account, "wrong", source=source).ask(
                "POST", "/api/v1/sign-in", {"account": account, "password": "wrong"})

    def alarms(self, query=""):
        return self.call("GET", f"/alarms?limit=100{query}")["items"]

    def wait_for_alarm(self, when, **members):
        def look():
            for alarm in self.alarms(f"&when={when}"):
                if all(alarm[name] == value for name, value in members.items()):
                    return alarm
            return None
        return wait_for(f"an alarm {when} {members}", look)


@pytest.fixture
def watched(world):
    watched = Watched(world)
    yield watched
    for one in watched.closing:
        one.close()


def signature_is_good(headers, body, secret=SECRET):
    stamp, mac = [part.split("=", 1)[1] for part in headers["Engawa-Signature"].split(",")]
    return hmac.compare_digest(mac, hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
                               .hexdigest()) and abs(time.time() - int(stamp)) < PATIENCE


def test_one_alarm_is_told_once_and_signed(watched):
    hook = watched.hook()
    route = watched.route(kind="webhook", url=hook.url, secret=SECRET, name="当番")
    watched.rule("login_failed", routes=[route], threshold=3)
    before = time.time() * 1000
    watched.fail_to_sign_in(2)
    time.sleep(1.2)
    assert not watched.alarms()
    watched.fail_to_sign_in(1)
    wait_for("the webhook", lambda: hook.got)
    at, headers, body = hook.got[0]
    assert signature_is_good(headers, body)
    assert not signature_is_good(headers, body + b" ")
    told = json.loads(body)
    assert told["when"] == "login_failed" and told["subject"] == "127.0.0.2" and told["value"] == 3
    assert "3回" in told["text"]["ja"] and "3 within" in told["text"]["en"] and told["hint"]["ja"]
    assert headers["Idempotency-Key"] == f"{told['id']}-{route}"
    # From the fault to the receiver: the figure of the check sheet.
    assert before <= told["at_ms"] <= at * 1000
    alarm = wait_for("the delivery to be noted", lambda: next(
        (one for one in watched.alarms() if one["deliveries"][0]["state"] == "sent"), None))
    delay = alarm["deliveries"][0]["at_ms"] - alarm["at_ms"]
    assert 0 <= delay < PATIENCE * 1000
    (watched.keep / "delay").write_text(f"{delay} ms from the fault to the receiver\n")
    # The same again and again is one alarm, until it is over.
    watched.fail_to_sign_in(2)
    time.sleep(1.5)
    assert len(watched.alarms()) == 1 and len(hook.got) == 1
    seen = watched.call("POST", f"/alarms/{alarm['id']}/seen")
    assert seen["seen_by"] == "token:admin.token" and seen["seen"]
    assert not watched.alarms("&seen=no") and watched.alarms("&seen=yes&state=open")
    watched.rule("login_failed", quiet_ms=0)
    rows = [row for row in watched.gateway.log("audit") if row["event"] in ("ROUTE_CHANGED", "ALERT_CHANGED")]
    assert rows and SECRET not in json.dumps(rows)


def test_nothing_is_lost_by_failures_and_restarts(watched):
    hook = watched.hook()
    hook.answers += [503, 302, 500]
    route = watched.route(kind="webhook", url=hook.url, secret=SECRET)
    watched.rule("login_failed", routes=[route], threshold=1)
    watched.fail_to_sign_in()
    wait_for("the fourth try", lambda: hook.got)
    assert len(hook.tries) == 4 and len(set(hook.tries)) == 1, "a redirect is a failure, and the id stays"
    alarm = wait_for("what was noted", lambda: next(
        (one for one in watched.alarms() if one["deliveries"][0]["state"] == "sent"), None))
    assert alarm["deliveries"][0]["tries"] == 4

    # The receiver is away, the gateway is killed: the letter waits on the disk and goes out later.
    hook.answers += [503] * 1000
    watched.fail_to_sign_in(source="127.0.0.3")
    wait_for("a try that fails", lambda: len(hook.tries) > 4)
    watched.gateway.program.kill()
    spooled = list((watched.gateway.data / "alerts").glob("alm_*.json"))
    assert len(spooled) == 1
    assert not [text for text in (SECRET, "127.0.0.3", "login_failed") if text in spooled[0].read_text()], "not sealed"
    hook.answers.clear()
    watched.gateway.restart()
    wait_for("what waited", lambda: len(hook.got) == 2)
    assert json.loads(hook.got[1][2])["subject"] == "127.0.0.3"
    wait_for("an empty spool", lambda: not list((watched.gateway.data / "alerts").glob("alm_*.json")))

    # Rows written while nobody watched are looked at once, however often the node starts.
    for _ in range(2):
        watched.gateway.program.kill(signal.SIGTERM).wait()
        watched.gateway.restart()
    time.sleep(1.5)
    assert sorted(alarm["subject"] for alarm in watched.alarms()) == ["127.0.0.2", "127.0.0.3"]
    assert len(hook.got) == 2


def test_a_slow_receiver_holds_nobody_up(watched):
    slow, quick = watched.hook(pause=8), watched.hook()
    routes = [watched.route(kind="webhook", url=one.url, secret=SECRET) for one in (slow, quick)]
    watched.rule("login_failed", routes=routes, threshold=1, quiet_ms=0)
    for number in range(5):
        watched.fail_to_sign_in(source=f"127.0.1.{number + 1}")
    wait_for("the quick one", lambda: len(quick.got) == 5)
    assert len(slow.got) < 5


def test_ends_that_counted_otherwise_reach_a_receiver(watched, world):
    """Host and viewer sign what they counted; one of them names more bytes than the node carried to it."""
    hook = watched.hook()
    watched.rule("receipts_differ", routes=[watched.route(kind="webhook", url=hook.url, secret=SECRET, name="当番")])
    honest = (TOP / "tests/vectors/conversations/gen1-session.txt").read_text()
    bent, counted = world.tmp / "bent.txt", '"sent": 0, "received": 16,'
    assert honest.count(counted) == 1
    bent.write_text(honest.replace(counted, '"sent": 0, "received": 26,'))

    def talk(path):
        license = watched.gateway.license()
        Conversation(path, watched.gateway, license).run()
        return wait_for("both parts in the journal", lambda: [rows for rows in [watched.gateway.log(
            "sessions", "--license", license["id"])] if len(rows) == 2])[0]
    rows = talk(TOP / "tests/vectors/conversations/gen1-session.txt")
    assert sorted(row["receipts"]["agree"] for row in rows) == ["unknown", "yes"]
    row = next(row for row in talk(bent) if row["receipts"]["agree"] == "no")
    wait_for("the webhook", lambda: hook.got)
    _, headers, body = hook.got[0]
    assert signature_is_good(headers, body)
    told = json.loads(body)
    assert (told["when"], told["subject"]) == ("receipts_differ", row["id"])
    assert row["id"] in told["text"]["ja"] and "counted differently" in told["text"]["en"]
    # The row has what each of them said, and the node.
    assert row["bytes_to_host"] == row["receipts"]["viewer"]["sent"] == 16 and row["receipts"]["host"]["received"] == 26
    said = [one for one in watched.gateway.log("audit") if one["event"] == "RECEIPTS_DIFFER"]
    assert len(said) == 1 and "to the host: sent 16, carried 16, received 26" in said[0]["detail"], said
    assert re.search(r"^engawa_receipts_differ_total 1$", watched.rest.ask("GET", "/metrics")[2], re.M)
    # The honest session came before it and was told to nobody.
    assert len(hook.got) == 1 and len(watched.alarms("&when=receipts_differ")) == 1


def test_mail_arrives_in_japanese(watched):
    office = PostOffice(watched.trust)
    watched.closing.append(office)
    mail = {"kind": "mail", "server": office.server, "security": "starttls", "user": "engawa",
            "from": "engawa@example.jp", "to": ["it@example.jp", "boss@example.jp"], "language": "ja"}
    wrong = watched.route(**mail, password="not-the-password")
    status, _, text = watched.rest.ask("POST", f"/api/v1/routes/{wrong}/test", {})
    assert status in (502, 503) and json.loads(text)["code"] in ("RECEIVER_FAILED", "TIMEOUT") and not office.got
    assert watched.call("GET", f"/routes/{wrong}")["test_error"]
    route = watched.route(**mail, password="mail-password")
    watched.rule("login_failed", routes=[route], threshold=1)
    watched.fail_to_sign_in(source="127.0.0.2")
    watched.fail_to_sign_in(source="127.0.0.3")
    wait_for("both mails", lambda: len(office.got) == 2)
    for sender, to, content, tls in office.got:
        assert tls and sender == "engawa@example.jp" and to == mail["to"]
        message = email.message_from_bytes(content)
        assert message["Bcc"] is None and message["Auto-Submitted"] == "auto-generated"
        subject = str(email.header.make_header(email.header.decode_header(message["Subject"])))
        assert subject.startswith("[Engawa] サインインの失敗: "), subject
        body = message.get_payload(decode=True).decode()
        assert "対応: " in body and "\x1b" not in body
    plain = watched.route(**{**mail, "security": "none", "user": ""})
    assert watched.rest.ask("POST", f"/api/v1/routes/{plain}/test", {})[0] == 502, "the server wants STARTTLS"


@pytest.mark.parametrize("kind", ["unix", "udp", "tcp", "tls"])
def test_syslog(watched, kind):
    log = Syslog(kind, watched.trust, watched.socket)
    watched.closing.append(log)
    route = watched.route(kind="syslog", target=log.target, language="ja")
    assert watched.gateway.ctl("route", "test", route)["sent"] is True
    wait_for("the test", lambda: log.got)
    assert "通知の試験です" in log.got[0], "a test must frighten nobody"
    watched.rule("login_failed", routes=[route], threshold=1)
    watched.fail_to_sign_in()
    wait_for("the message", lambda: len(log.got) == 2)
    said = log.got[1]
    assert said.startswith("<84>1 20") and " engawa-gateway - login_failed [engawa@32473 alarm=\"alm_" in said
    assert 'subject="127.0.0.2"] \ufeffサインインの失敗: 127.0.0.2' in said
    assert watched.call("GET", f"/routes/{route}")["test_error"] == ""


def test_where_letters_may_not_go(world):
    watched = Watched(world, targets=None, ca=None)
    hook = watched.hook()
    for target in (hook.url, hook.url.replace("127.0.0.1", "localhost"), "https://169.254.169.254/latest/",
                   "https://[::1]:9/", "https://[::ffff:127.0.0.1]:9/"):
        route = watched.route(kind="webhook", url=target, secret=SECRET)
        status, _, text = watched.rest.ask("POST", f"/api/v1/routes/{route}/test", {})
        assert status == 403 and json.loads(text)["code"] == "ADDRESS_REFUSED", (target, text)
    for target in ("tcp://127.0.0.1:9", "udp://127.0.0.1:9", "tls://localhost:9"):
        route = watched.route(kind="syslog", target=target)
        assert watched.rest.ask("POST", f"/api/v1/routes/{route}/test", {})[0] == 403, target
    assert not hook.tries
    # The certificate is checked, by name too.
    watched.write({"targets": "127.0.0.0/8, ::1"})
    watched.gateway.program.process.send_signal(signal.SIGHUP)
    route = watched.route(kind="webhook", url=hook.url, secret=SECRET)
    wait_for("the new configuration", lambda: json.loads(watched.rest.ask(
        "POST", f"/api/v1/routes/{route}/test", {})[2])["code"] == "TLS_UNTRUSTED")
    assert not hook.tries
    hook.close()


def test_companies_know_nothing_of_each_other(watched):
    hook = watched.hook()
    one = operator(watched.gateway)
    for tenant in ("acme", "other"):
        watched.call("POST", "/tenants", {"id": tenant, "name": tenant}, 201)
    admin = hire(one, watched.gateway, "admin@acme", "admin", tenant="acme")
    stranger = hire(one, watched.gateway, "admin@other", "admin", tenant="other")
    rules = {rule["when"] for rule in admin.call("GET", "/alerts")["items"]}
    assert "login_failed" in rules and not rules & {"disk", "node_away", "journal", "certificate"}
    for when in ("disk", "node_away"):
        refused(lambda when=when: watched.gateway.ctl(
            "alert", "create", "--when", when, "--tenant", "acme", json_out=False),
                "BAD_VALUE", 65)
    route = admin.call("POST", "/routes", {"kind": "webhook", "url": hook.url})
    assert len(route["secret"]) == 64
    listed = admin.call("GET", "/routes")["items"][0]
    assert "secret" not in listed and listed["has_secret"]
    assert {rule["tenant"] for rule in stranger.call("GET", "/alerts")["items"]} == {"other"}
    for path in (f"/routes/{route['id']}", "/alerts/alr_acme.veto"):
        assert stranger.ask("GET", f"/api/v1{path}")[0] == 404
        assert stranger.ask("PATCH", f"/api/v1{path}", {"name": "x"})[0] == 404
        assert stranger.ask("DELETE", f"/api/v1{path}")[0] == 404
    assert stranger.ask("PATCH", "/api/v1/alerts/alr_other.veto", {"routes": [route["id"]]})[0] == 400
    assert admin.ask("POST", "/api/v1/routes", {"kind": "syslog", "target": "unix"})[0] == 400
    assert admin.ask("POST", "/api/v1/alerts", {"when": "veto", "tenant": "other"})[0] in (403, 404)
    admin.call("PATCH", "/alerts/alr_acme.login_failed", {"routes": [route["id"]], "threshold": 2})
    watched.fail_to_sign_in(2, account="admin@acme")
    wait_for("the company's own webhook", lambda: hook.got)
    alarm = json.loads(hook.got[0][2])
    assert alarm["tenant"] == "acme" and alarm["subject"] == "admin@acme"
    assert signature_is_good(*hook.got[0][1:], secret=route["secret"])
    assert not stranger.call("GET", "/alarms")["items"]
    assert stranger.ask("POST", f"/api/v1/alarms/{alarm['id']}/seen")[0] == 404
    assert admin.ask("DELETE", f"/api/v1/routes/{route['id']}")[0] == 409, "a rule still uses it"
    admin.call("PATCH", "/alerts/alr_acme.login_failed", {"routes": []})
    assert admin.ask("DELETE", f"/api/v1/routes/{route['id']}")[0] == 204
    # A rule that was removed does not come back.
    assert admin.ask("DELETE", "/api/v1/alerts/alr_acme.veto")[0] == 204
    assert "veto" not in {rule["when"] for rule in admin.call("GET", "/alerts")["items"]}


def test_states_last_and_end(watched):
    """A threshold that every disk and certificate misses, and then none."""
    watched.rule("disk", threshold=101)
    watched.rule("certificate", threshold=100000)
    for when in ("disk", "certificate"):
        alarm = watched.wait_for_alarm(when, state="open")
        assert alarm["subject"] == watched.gateway.made["node"] and alarm["urgency"] == "error"
    time.sleep(1)
    assert len(watched.alarms("&when=disk")) == 1
    watched.gateway.program.kill()
    watched.gateway.restart()
    time.sleep(1)
    assert len(watched.alarms("&when=disk")) == 1, "it is the same one after a restart"
    watched.rule("disk", threshold=1)
    watched.wait_for_alarm("disk", state="over")
    assert watched.alarms("&when=certificate")[0]["state"] == "open"
    watched.rule("certificate", threshold=1, state="disabled")
    watched.wait_for_alarm("certificate", state="over")


def test_notices_are_told_beforehand(watched):
    made = watched.gateway.ctl("notice", "create", "--kind", "planned_stop", "--ja", "保守のため停止します", "--from",
                               "+3d", "--to", "+4d")
    assert made["warnings"] and made["short"] and watched.call("GET", "/notices/current")["items"][0]["text"][
        "en"] == "保守のため停止します"
    early = watched.gateway.ctl("notice", "create", "--kind", "planned_stop", "--en", "stop", "--from", "+40d", "--to",
                                "+41d", "--place", "viewer")
    assert early["warnings"] == [] and len(watched.call("GET", "/notices/current")["items"]) == 1
    later = watched.gateway.ctl("notice", "create", "--kind", "news", "--en", "later", "--show-from", "+1d")
    assert len(watched.call("GET", "/notices/current")["items"]) == 1
    assert watched.gateway.ctl("notice", "change", later["id"], "--show-from", "-1d")["changed"]
    assert len(watched.call("GET", "/notices/current")["items"]) == 2
    watched.gateway.ctl("notice", "delete", made["id"])
    assert [one["id"] for one in watched.call("GET", "/notices/current")["items"]] == [later["id"]]
    refused(lambda: watched.gateway.ctl("notice", "create", "--kind", "planned_stop", "--en", "x", json_out=False), "BAD_VALUE", 65)
    one = operator(watched.gateway)
    for tenant in ("acme", "other"):
        watched.call("POST", "/tenants", {"id": tenant, "name": tenant}, 201)
    watched.gateway.ctl("notice", "create", "--kind", "news", "--en", "for acme", "--tenant", "acme")
    auditor = hire(one, watched.gateway, "look@acme", "auditor", tenant="acme")
    stranger = hire(one, watched.gateway, "look@other", "auditor", tenant="other")
    assert "for acme" in str(auditor.call("GET", "/notices/current"))
    assert "for acme" not in str(stranger.call("GET", "/notices/current")) + str(stranger.call("GET", "/notices"))
    assert auditor.ask("POST", "/api/v1/notices", {"kind": "news", "text": {"en": "x"}})[0] == 403
