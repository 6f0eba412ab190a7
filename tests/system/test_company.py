"""Companies, groups, policies and licenses by the thousand: the real gateway, its REST API and engawactl."""

import csv
import http.client
import json
import socket
import stat

from test_gateway_admin import Rest
from test_refusals import refused
from world import Host, Viewer, wait_for


def ask(rest, method, path, body=None, **headers):
    status, _, text = rest.ask(method, path, body, **headers)
    return status, json.loads(text) if text else None


def company(gateway, identity="acme"):
    gateway.ctl("tenant", "create", identity, "--name", identity.title())
    token = gateway.ctl("token", "create", "--name", identity, "--role", "admin", "--tenant", identity)["token"]
    return Rest(gateway, token)


def test_life_of_a_company(gateway):
    made = gateway.ctl("tenant", "create", "acme", "--name", "アクメ株式会社", "--retention-days", "800")
    assert made["id"] == "acme" and made["state"] == "enabled" and made["retention_days"] == 800 and made["created"]
    refused(lambda: gateway.ctl("tenant", "create", "acme", "--name", "x", json_out=False), "CONFLICT", 65)
    refused(lambda: gateway.ctl("tenant", "create", "No Id", "--name", "x", json_out=False), "BAD_VALUE", 65)
    gateway.ctl("tenant", "change", "acme", "--note", "since 1949", "--licenses-max", "2")
    assert gateway.ctl("tenant", "show", "acme")["note"] == "since 1949"
    assert [row["id"] for row in gateway.ctl("tenant", "list")] == ["acme"]
    refused(lambda: gateway.ctl("license", "create", "--holder", "x", "--tenant", "nobody", json_out=False),
            "BAD_VALUE", 65)
    rest = Rest(gateway)
    status, problem = ask(rest, "POST", "/api/v1/licenses", {"holder": "x", "tenant": "nobody"})
    assert status == 400 and problem["field"] == "tenant"
    status, problem = ask(rest, "PATCH", "/api/v1/tenants/acme", {"retention_days": 3})
    assert status == 400 and problem["field"] == "retention_days"
    events = [row["event"] for row in gateway.log("audit") if row["event"].startswith("TENANT_")]
    assert events == ["TENANT_CREATED", "TENANT_CHANGED"]


def test_people_of_a_company_see_it_and_change_nothing_of_it(gateway):
    acme = company(gateway)
    company(gateway, "other")
    assert [row["id"] for row in ask(acme, "GET", "/api/v1/tenants")[1]["items"]] == ["acme"]
    assert ask(acme, "GET", "/api/v1/tenants/acme")[0] == 200
    assert ask(acme, "GET", "/api/v1/tenants/other")[0] == 404
    assert ask(acme, "PATCH", "/api/v1/tenants/acme", {"note": "x"})[0] == 403
    assert ask(acme, "POST", "/api/v1/tenants", {"id": "new", "name": "x"})[0] == 403


def test_groups_belong_to_one_company(gateway):
    acme, other = company(gateway), company(gateway, "other")
    for rest in (acme, other):
        status, made = ask(rest, "POST", "/api/v1/groups", {"name": "営業/1", "note": "3F"})
        assert status == 201 and made["name"] == "営業/1"
    assert ask(acme, "POST", "/api/v1/groups", {"name": "営業/1"})[0] == 409
    assert ask(acme, "POST", "/api/v1/groups", {"name": "x", "tenant": "other"})[0] == 403
    path = "/api/v1/groups/%E5%96%B6%E6%A5%AD%2F1"
    assert ask(acme, "PATCH", path, {"note": "4F"})[1]["note"] == "4F"
    assert ask(other, "GET", path)[1]["note"] == "3F"
    assert ask(acme, "GET", path + "?tenant=other")[1]["tenant"] == "acme"
    for method, body in (("PATCH", {"note": "5F"}), ("DELETE", None)):
        assert ask(acme, method, path + "?tenant=other", body)[0] == 404, "not one's own of that name either"
    assert len(gateway.ctl("group", "list")) == 2 and len(gateway.ctl("group", "list", "--tenant", "acme")) == 1
    gateway.ctl("group", "delete", "営業/1", "--tenant", "acme")
    assert ask(acme, "GET", path)[0] == 404 and ask(other, "GET", path)[0] == 200


def test_levels_of_policy_narrow_each_other(gateway, world):
    acme = company(gateway)
    gateway.ctl("group", "create", "sales", "--tenant", "acme")
    levels = {"default": {"rights": ["view", "control", "clip_to_host"], "idle_ms": 900000},
              "tenant/acme": {"rights": ["view", "control", "clip_to_viewer"], "watermark": True},
              "group/sales": {"hours": [{"days": ["mon"], "from": "08:00", "to": "20:00"}], "offset": "+09:00"}}
    for level, policy in levels.items():
        file = world.tmp / "policy.json"
        file.write_text(json.dumps(policy))
        gateway.ctl("policy", "set", level, file, "--tenant", "acme")
        assert gateway.ctl("policy", "show", level, "--tenant", "acme")["policy"] == policy
    made = gateway.license("佐藤", "--tenant", "acme", "--group", "sales")
    status, _ = ask(acme, "PATCH", f"/api/v1/licenses/{made['id']}", {"policy": {"rights": ["view"], "idle_ms": 600000}})
    assert status == 200
    whole = gateway.ctl("license", "policy", made["id"])
    assert [level["from"] for level in whole["levels"]] == ["default", "tenant/acme", "group/acme/sales", "license"]
    effective = whole["effective"]
    assert effective["rights"] == ["view"] and effective["idle_ms"] == 600000 and effective["watermark"] is True
    assert effective["hours"][0]["offset"] == "+09:00"
    # The company's people narrow their own levels and see the operator's.
    assert ask(acme, "GET", "/api/v1/policies/default")[0] == 200
    assert ask(acme, "PUT", "/api/v1/policies/default", {})[0] == 403
    assert ask(acme, "DELETE", "/api/v1/policies/default")[0] == 403
    status, problem = ask(acme, "PUT", "/api/v1/policies/tenant/acme", {"rights": ["fly"]})
    assert status == 400 and problem["field"] == "rights"
    assert ask(acme, "PUT", "/api/v1/policies/tenant/acme", {"watermarks": True})[0] == 400
    assert {row["id"] for row in ask(acme, "GET", "/api/v1/policies")[1]["items"]} == {"tenant/acme", "group/acme/sales"}
    assert gateway.ctl("policy", "show", "tenant/acme")["policy"] == levels["tenant/acme"], "nothing was changed"
    gateway.ctl("policy", "delete", "tenant/acme")
    assert gateway.ctl("policy", "show", "tenant/acme")["set"] is False
    assert ask(acme, "PUT", "/api/v1/policies/group/nobody", {})[0] == 404


def test_licenses_are_found_by_everything_that_people_know(gateway):
    rest = Rest(gateway)
    company(gateway)
    rows = {name: gateway.license(name, *words) for name, *words in (
        ("佐藤 花子", "--group", "sales", "--label", "floor=3", "--label", "desk=a"),
        ("Smith", "--group", "sales", "--note", "back in April", "--expires", "+1s"),
        ("smithers", "--tenant", "acme", "--label", "floor=30"))}

    def found(query):
        page = ask(rest, "GET", f"/api/v1/licenses?{query}&count=1")[1]
        assert page["total"] == len(page["items"])
        return {row["holder"] for row in page["items"]}

    assert found("holder=SMITH") == {"Smith", "smithers"}
    assert found("group=sales&holder=smith") == {"Smith"}
    assert found("label=floor") == {"佐藤 花子", "smithers"} and found("label=floor%3D3") == {"佐藤 花子"}
    assert found("q=april") == {"Smith"} and found("q=%E8%8A%B1") == {"佐藤 花子"} and found("q=acme") == {"smithers"}
    assert found("q=" + rows["Smith"]["id"]) == {"Smith"}
    assert found("tenant=acme") == {"smithers"} and found("online=1") == set() and len(found("online=0")) == 3
    gateway.ctl("license", "disable", rows["smithers"]["id"])
    assert found("state=disabled") == {"smithers"}, "a change is found at once"
    gateway.ctl("license", "change", rows["佐藤 花子"]["id"], "--holder", "佐藤 次郎")
    assert found("holder=%E6%AC%A1%E9%83%8E") == {"佐藤 次郎"} and found("holder=%E8%8A%B1") == set()
    gateway.ctl("license", "delete", rows["smithers"]["id"])
    assert found("q=smithers") == set()
    assert [row["holder"] for row in gateway.ctl("license", "list", "--q", "april")] == ["Smith"]
    for bad in ("state=broken", "online=maybe"):
        status, problem = ask(rest, "GET", f"/api/v1/licenses?{bad}")
        assert status == 400 and problem["field"] == bad.split("=")[0]
    # Whatever the index holds comes from the store: a restart finds the same.
    assert gateway.program.stop() == 0
    gateway.restart()
    rest = Rest(gateway)
    assert {row["holder"] for row in ask(rest, "GET", "/api/v1/licenses?q=s")[1]["items"]} == {"佐藤 次郎", "Smith"}


def test_filters_page_without_gap_or_double(gateway):
    rest = Rest(gateway)
    made = {gateway.license(f"person {number}", "--group", "even" if number % 2 else "odd")["id"]: number
            for number in range(9)}
    seen, after, totals = [], "", set()
    while True:
        page = ask(rest, "GET", f"/api/v1/licenses?group=odd&limit=2&count=1{after}")[1]
        seen += [made[row["id"]] for row in page["items"]]
        totals.add(page["total"])
        if not page["next"]:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == [0, 2, 4, 6, 8] and totals == {5}


def test_counts_and_limits_of_a_company(gateway):
    acme = company(gateway)
    gateway.ctl("tenant", "change", "acme", "--licenses-max", "2")
    gateway.ctl("group", "create", "sales", "--tenant", "acme")
    first = ask(acme, "POST", "/api/v1/licenses", {"holder": "a", "group": "sales"})[1]
    assert ask(acme, "POST", "/api/v1/licenses", {"holder": "a"})[0] == 201
    status, problem = ask(acme, "POST", "/api/v1/licenses", {"holder": "c"})
    assert status == 422 and problem["code"] == "LIMIT" and "2 of 2" in problem["detail"]
    assert ask(acme, "GET", "/api/v1/tenants/acme")[1]["licenses"] == 2
    assert ask(acme, "GET", "/api/v1/groups/sales")[1]["licenses"] == 1
    assert ask(acme, "DELETE", "/api/v1/groups/sales")[0] == 409, "a license is in it"
    gateway.license("Other")
    holders = gateway.ctl("holder", "list")
    assert [(row["holder"], row["tenant"], row["licenses"], row["online"]) for row in holders] == [
        ("Other", "", 1, 0), ("a", "acme", 2, 0)]
    assert [row["holder"] for row in gateway.ctl("holder", "list", "--q", "OTH")] == ["Other"]
    assert [row["tenant"] for row in ask(acme, "GET", "/api/v1/holders")[1]["items"]] == ["acme"]
    page = ask(Rest(gateway), "GET", "/api/v1/holders?limit=1")[1]
    assert page["items"][0]["holder"] == "Other"
    assert ask(Rest(gateway), "GET", f"/api/v1/holders?limit=1&after={page['next']}")[1]["items"][0]["holder"] == "a"
    gateway.ctl("license", "delete", first["id"])
    assert ask(acme, "DELETE", "/api/v1/groups/sales")[0] == 204
    assert ask(acme, "POST", "/api/v1/licenses", {"holder": "c"})[0] == 201


def test_devices_are_seen_and_forgotten(gateway, license, viewer):
    rows = gateway.ctl("license", "devices", license["id"])
    assert len(rows) == 1 and rows[0]["id"].startswith("dev_") and rows[0]["permitted"] is True and rows[0]["last"]
    assert gateway.ctl("license", "list", "--online")[0]["id"] == license["id"]
    assert gateway.ctl("license", "list", "--offline") == []
    assert len(gateway.ctl("host", "list", "--q", "花子")) == 1 and gateway.ctl("host", "list", "--q", "nobody") == []
    assert gateway.ctl("host", "list", "--state", "offline") == []
    assert gateway.ctl("holder", "list")[0]["last_seen"] and gateway.ctl("holder", "list")[0]["online"] == 1
    refused(lambda: gateway.ctl("license", "forget", license["id"], "dev_0", json_out=False), "NOT_FOUND", 65)
    gateway.ctl("license", "forget", license["id"], rows[0]["id"])
    assert gateway.ctl("license", "devices", license["id"]) == []
    events = [row["event"] for row in gateway.log("audit", "--license", license["id"])]
    assert events[-1] == "DEVICES_FORGOTTEN"
    viewer.screenshot()
    rows = gateway.log("audit", "--license", license["id"])
    assert [row["event"] for row in rows].count("DEVICE_NEW") == 2, "it was new again"


BROKEN = [  # line of the file, what is wrong with it: (field, what is said)
    ("佐藤,sales,2030-01-01", None),
    ("Smith,sales", ("", "2 cells instead of 3")),
    ("=cmd|' /C calc'!A0,,", ("holder", "formula")),
    ("x,sales,31.12.2030", ("expires", "a day like")),
    ('"never ends,sales,', ("", "does not end")),
    ("a" * 300 + ",,", ("holder", "256 bytes")),
    ("佐藤,sales,2030-01-01", ("", "the same as line 2")),
    ("a\u202eb,,", ("holder", "cannot be shown")),
    (",sales,", ("holder", "needed")),
    ("鈴木,,", None),
]


def upload(rest, text, query="", **headers):
    if isinstance(text, str):
        text = text.encode()
    link = http.client.HTTPSConnection(rest.host, rest.port, context=rest.trust, timeout=120)
    link.request("POST", f"/api/v1/licenses/import{query}", text, {
        "Authorization": f"Bearer {rest.token}", "Content-Type": "text/csv", **headers})
    answer = link.getresponse()
    body = answer.read().decode()
    link.close()
    return answer.status, [json.loads(line) for line in body.splitlines()] if answer.status == 200 else json.loads(body)


def test_a_broken_import_says_all_that_is_wrong_and_changes_nothing(gateway, world):
    rest = Rest(gateway)
    text = "holder,group,expires\r\n" + "".join(line + "\r\n" for line, _ in BROKEN)
    status, said = upload(rest, text)
    assert status == 200
    *lines, end = said
    wanted = [(number, *wrong) for number, (_, wrong) in enumerate(BROKEN, 2) if wrong]
    assert [(row["line"], row["field"]) for row in lines] == [(line, field) for line, field, _ in wanted]
    assert all(part in row["message"] for row, (_, _, part) in zip(lines, wanted)), lines
    assert end == {"done": 0, "refused": 8, "good": 2, "applied": False}
    assert gateway.ctl("license", "list") == []
    assert "引用符が閉じられていません" in {row.get("message") for row in upload(rest, text, **{"Accept-Language": "ja"})[1]}
    assert upload(rest, text, "?take=good&dry_run=1")[1][-1]["applied"] is False
    assert gateway.ctl("license", "list") == []
    # The good ones alone, and engawactl: keys first, complaints behind.
    path, keys = world.tmp / "broken.csv", world.tmp / "keys.csv"
    path.write_text(text)
    refused(lambda: gateway.ctl("license", "import", path, "--out", keys, json_out=False), "BAD_VALUE", 65)
    assert not keys.exists(), "nothing to keep, and nothing in the way of the next try"
    out = refused(lambda: gateway.ctl("license", "import", path, "--out", keys, "--take-good", json_out=False),
                  "BAD_VALUE", 65)
    assert "line 5, expires: a day like" in out
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    made = list(csv.DictReader(keys.open()))
    assert [row["line"] for row in made] == ["2", "11"] and all(len(row["key"]) == 29 for row in made)
    assert {row["holder"] for row in gateway.ctl("license", "list")} == {"佐藤", "鈴木"}
    refused(lambda: gateway.ctl("license", "import", path, "--out", keys, "--take-good", json_out=False),
            "FILE_UNWRITABLE", 73)
    events = [row["event"] for row in gateway.log("audit") if row["event"].startswith("LICENSE")]
    assert events == ["LICENSES_IMPORTED", "LICENSE_CREATED", "LICENSE_CREATED"]


def test_files_that_are_no_sheet(gateway):
    rest = Rest(gateway)
    for text, field, part in (
            ("holder\n佐藤\n".encode("shift_jis"), "", "Shift_JIS"), ("holder\nx\n".encode("utf-16"), "", "UTF-16"),
            (b"", "", "empty"), (b"\xef\xbb\xbf", "", "empty"), (b"name\nx\n", "name", "no such column"),
            (b"holder,holder\nx,y\n", "holder", "twice"), (b"group\nx\n", "holder", "needed")):
        status, (wrong, end) = upload(rest, text)
        assert status == 200 and wrong["line"] == 1 and wrong["field"] == field and part in wrong["message"], wrong
        assert end["applied"] is False
    status, said = upload(rest, b"holder,note\nx,a\xffb\ny,a\0b\nz,\n", "?take=good")
    assert [(row.get("line"), row.get("field")) for row in said[:2]] == [(2, "note"), (3, "")] and said[-1]["done"] == 1
    assert upload(rest, b"holder\nx\n", **{"Content-Type": "application/json"})[0] == 415
    assert upload(rest, b"holder\nx\n", "?take=some")[1]["field"] == "take"
    assert upload(rest, b"holder\nx\n", "?offset=9")[1]["field"] == "offset"
    stranger = Rest(gateway, token="")
    assert upload(stranger, b"holder\n" + b"x\n" * 200000)[0] == 401, "before the file is read"
    assert upload(rest, b"holder\n" + b"x" * 17 * 1024 * 1024)[0] == 413


def test_an_import_stays_in_its_company(gateway):
    acme = company(gateway)
    company(gateway, "other")
    gateway.ctl("tenant", "change", "acme", "--licenses-max", "2")
    status, (wrong, end) = upload(acme, "holder,tenant\nx,other\n")
    assert wrong["code"] == "FORBIDDEN" and wrong["field"] == "tenant"
    status, said = upload(acme, "holder\na\nb\nc\n", "?take=good")
    assert [row.get("code") for row in said] == ["LIMIT", None, None, None] and said[0]["line"] == 4
    assert {row["tenant"] for row in gateway.ctl("license", "list")} == {"acme"}
    status, (wrong, end) = upload(Rest(gateway), "holder,tenant\nx,nobody\n")
    assert wrong["code"] == "NOT_FOUND" and wrong["field"] == "tenant"
    assert ask(acme, "GET", "/api/v1/licenses?count=1")[1]["total"] == 2


def test_a_large_import_is_made_once(gateway):
    """As much as needs several batches; tests/bench/licenses.py does 50,000."""
    rest = Rest(gateway)
    text = "holder,group,label:floor\r\n" + "".join(f"社員 {n},g{n % 7},{n % 30}\r\n" for n in range(3000))
    status, said = upload(rest, text, **{"Idempotency-Key": "the same file"})
    assert status == 200 and said[-1] == {"done": 3000, "refused": 0, "good": 3000, "applied": True}
    assert [row["line"] for row in said[:-1]] == list(range(2, 3002))
    assert len({row["key"] for row in said[:-1]}) == len({row["password"] for row in said[:-1]}) == 3000
    status, problem = upload(rest, text, **{"Idempotency-Key": "the same file"})
    assert status == 409 and "done already" in problem["detail"]
    assert ask(rest, "GET", "/api/v1/licenses?count=1&limit=1")[1]["total"] == 3000
    assert ask(rest, "GET", "/api/v1/licenses?q=%E7%A4%BE%E5%93%A1%202999&count=1")[1]["total"] == 1
    assert gateway.ctl("audit", "verify")
    assert len(gateway.ctl("license", "export", "--group", "g3", json_out=False).splitlines()) == 1 + 429


def test_one_act_on_many(gateway):
    rest = Rest(gateway)
    acme = company(gateway)
    status, said = upload(rest, "holder,group\n" + "".join(f"p{n},{'even' if n % 2 else 'odd'}\n" for n in range(600)))
    assert said[-1]["done"] == 600
    theirs = gateway.license("Theirs", "--tenant", "acme")["id"]

    def total(query):
        return ask(rest, "GET", f"/api/v1/licenses?{query}&count=1&limit=1")[1]["total"]

    answer = gateway.ctl("license", "bulk", "disable", "--group", "odd")
    assert answer == {"done": 300, "failed": []}
    assert total("state=disabled") == 300 and total("state=enabled") == 301
    ids = [row["id"] for row in said[:4]]
    status, answer = ask(rest, "POST", "/api/v1/licenses/bulk",
                         {"act": "change", "ids": ids + ["lic_000000000"], "change": {"note": "moved", "expires": None}})
    assert status == 200 and answer["done"] == 4
    assert [(row["id"], row["code"]) for row in answer["failed"]] == [("lic_000000000", "NOT_FOUND")]
    assert total("q=moved") == 4
    assert ask(acme, "POST", "/api/v1/licenses/bulk", {"act": "delete", "ids": ids})[1]["done"] == 0
    assert ask(acme, "POST", "/api/v1/licenses/bulk", {"act": "delete", "filter": {"q": "p1", "tenant": ""}})[1] == {
        "done": 0, "failed": []}, "a filter does not reach beyond the company"
    assert ask(acme, "POST", "/api/v1/licenses/bulk", {"act": "disable", "filter": {"tenant": "other"}})[0] == 404
    assert total("tenant=acme&state=enabled") == 1, "what was meant for others does not fall on one's own"
    assert gateway.ctl("license", "bulk", "delete", "--group", "odd")["done"] == 300
    assert total("group=odd") == 0 and total("tenant=") == 300 and total("tenant=acme") == 1
    for body, field in (({"act": "burn", "ids": []}, "act"), ({"act": "delete"}, "ids"),
                        ({"act": "delete", "filter": {}}, "filter"), ({"act": "delete", "ids": ["x"]}, "ids"),
                        ({"act": "delete", "filter": {"salary": "x"}}, "filter"),
                        ({"act": "change", "ids": ids}, "change"), ({"act": "enable", "ids": ids, "oops": 1}, "oops"),
                        ({"act": "change", "ids": ids, "change": {"state": "on"}}, "state"),
                        ({"act": "change", "ids": ids, "change": {"key": "x"}}, "key"),
                        ({"act": "delete", "ids": ids, "change": {"note": "x"}}, "change")):
        status, problem = ask(rest, "POST", "/api/v1/licenses/bulk", body)
        assert status == 400 and problem["field"] == field, (body, problem)
    rows = [row["event"] for row in gateway.log("audit")]
    assert rows.count("LICENSE_DISABLED") == 300 and rows.count("LICENSE_DELETED") == 300
    assert rows.count("LICENSE_CHANGED") == 4
    assert gateway.ctl("license", "show", theirs)["holder"] == "Theirs"


def test_disabling_a_company_cuts_it_off_and_nobody_else(world, gateway, desktop):
    ends = []
    for identity in ("acme", "other"):
        company(gateway, identity)
        license = gateway.license("holder", "--tenant", identity)
        host = Host(world, gateway, license, f"host-{identity}").enroll().run("--display", desktop.at).online()
        ends.append(Viewer(world, gateway, license, f"viewer-{identity}").pair(host.ticket()))
    ours, theirs = ends
    for viewer in ends:
        viewer.listen()
    # A session begins when somebody looks; both hosts share one desktop.
    looks = [socket.create_connection(("127.0.0.1", viewer.port), 30) for viewer in ends]
    wait_for("both sessions", lambda: len(gateway.ctl("session", "list")) == 2)
    gateway.ctl("tenant", "disable", "acme")
    wait_for("the company's session to end", lambda: len(gateway.ctl("session", "list")) == 1)
    assert gateway.ctl("session", "list")[0]["license"] == theirs.license["id"]
    # The other row is that of the pairing.
    assert wait_for("its row", lambda: "TENANT_DISABLED" in {
        row["reason"] for row in gateway.log("sessions") if row["license"] == ours.license["id"]})
    assert wait_for("the host to be gone", lambda: [
        row["license"] for row in gateway.ctl("host", "list", "--state", "online")] == [theirs.license["id"]])
    ours.program.stop()
    refused(lambda: ours.connect(), "TENANT_DISABLED", 77)
    gateway.ctl("tenant", "enable", "acme")
    wait_for("the host to come back", lambda: len(gateway.ctl("host", "list", "--state", "online")) == 2)
    ours.screenshot()
    for look in looks:
        look.close()
