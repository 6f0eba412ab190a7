"""People of the administration: first sign-in, passwords, one-time codes, locks, ends, who may lift whom."""

import threading

import pytest
from person import Person, Refused, hire, operator, totp
from test_gateway_admin import Rest
from test_roles import guarded
from world import BIN, Gateway, ProgramFailed, run, wait_for


def events(gateway, *names):
    return [row for row in gateway.log("audit") if row["event"] in names]


def company(gateway, by, name):
    by.call("POST", "/tenants", {"id": name, "name": name.title()})
    return name


def test_the_first_operator_must_choose_a_password(gateway):
    """D4, and nothing else is open before it is done."""
    made = gateway.made["operator"]
    person = Person(gateway, made["account"], made["password"]).sign_in()
    assert person.me["must"] == ["password"] and person.me["roles"] == ["operator"]
    for route in guarded():
        if not route.own and route.path != "/metrics":
            status, _, text = person.ask(route.method, route.path, route.body)
            assert status == 403 and "PASSWORD_CHANGE_NEEDED" in text, (route, text)
    weak = {"Short-1": "12 characters", "alllowercaseletters": "small letters", "Xx-operator-4711": "account's name",
            "My-Engawa-4711xx": "product's name", "P@ssw0rd1234": "common", made["password"]: "used before"}
    for new, why in weak.items():
        problem = person.refused("POST", "/me/password", {"old": made["password"], "new": new})
        assert problem["code"] == "PASSWORD_WEAK" and problem["field"] == "new" and why in problem["detail"], problem
    problem = person.refused("POST", "/me/password", {"old": "not it", "new": Person.PASSWORD})
    assert problem["code"] == "PASSWORD_WRONG"
    other = Person(gateway, made["account"], made["password"]).sign_in()
    before = person.cookie
    person.call("POST", "/me/password", {"old": made["password"], "new": Person.PASSWORD})
    assert person.me["must"] == [] and person.cookie != before
    # The one that asked goes on under a new id; the old id and everybody else are out.
    assert other.refused("GET", "/me")["code"] == "UNAUTHENTICATED"
    other.cookie = before
    assert other.refused("GET", "/me")["code"] == "UNAUTHENTICATED"
    assert person.call("GET", "/licenses")["items"] == []
    with pytest.raises(Refused):
        Person(gateway, made["account"], made["password"]).sign_in()
    assert [row["account"] for row in events(gateway, "SIGNED_IN")] == ["operator", "operator"]
    person.password = Person.PASSWORD
    # A password comes back only when enough others were in between.
    gateway.ctl("security", "set", "--history", "2")
    words = [Person.PASSWORD, "Verandah-5-Tanuki", "Verandah-6-Tanuki"]
    for i, new in enumerate([words[1], words[0], words[2], words[0]]):
        body = {"old": person.password, "new": new}
        if i == 1:
            assert "used before" in person.refused("POST", "/me/password", body)["detail"]
        else:
            person.call("POST", "/me/password", body)
            person.password = new
    # One that is too old has to go; the rule is asked at each request.
    gateway.ctl("security", "set", "--max-age", "1s")
    wait_for("the password to be too old", lambda: person.call("GET", "/me")["must"] == ["password"])
    assert person.refused("GET", "/licenses")["code"] == "PASSWORD_CHANGE_NEEDED"


def test_one_time_codes(gateway):
    """W4: replays, codes of another time, ten wrong ones, a recovery code twice; and the company may insist."""
    boss = operator(gateway)
    person = hire(boss, gateway, "hanako", "admin")
    given = person.call("POST", "/me/totp")
    rows = given["qr"]["rows"]
    assert len(rows) == given["qr"]["size"] == len(rows[0]) and set("".join(rows)) == {"0", "1"}
    assert f"secret={given['secret']}" in given["uri"] and "Engawa:hanako" in given["uri"]
    assert person.call("GET", "/me")["totp"] is False, "not before a code was shown"
    assert person.refused("POST", "/me/totp/confirm", {"code": "000000"})["code"] == "TOTP_WRONG"
    code = totp(given["secret"])
    codes = person.call("POST", "/me/totp/confirm", {"code": code})["recovery_codes"]
    assert len(set(codes)) == 10
    again = Person(gateway, "hanako", person.password)
    status, _, problem = again.try_in()
    assert status == 401 and problem["code"] == "TOTP_NEEDED"
    assert again.try_in(password="wrong")[2]["code"] == "PASSWORD_WRONG", "who has not the password learns nothing"
    for wrong in (code, totp(given["secret"], step=-2), totp(given["secret"], step=3)):
        assert again.try_in(code=wrong)[2]["code"] == "TOTP_WRONG", wrong
    fresh = totp(given["secret"], step=1)
    again.sign_in(code=fresh)
    assert again.me["totp"] is True and again.me["recovery_codes_left"] == 10
    assert again.try_in(code=fresh)[2]["code"] == "TOTP_WRONG", "each code once"
    again.sign_in(code=codes[4].upper().replace("-", " "))
    assert again.me["recovery_codes_left"] == 9
    assert again.try_in(code=codes[4])[2]["code"] == "TOTP_WRONG"
    assert [row["left"] for row in events(gateway, "RECOVERY_CODE_USED")] == [9]
    new = again.call("POST", "/me/recovery-codes")["recovery_codes"]
    assert again.try_in(code=codes[0])[2]["code"] == "TOTP_WRONG", "the old list is worth nothing"
    again.sign_in(code=new[0])
    # Ten wrong codes with the right password: the lock comes long before.
    answers = [Person(gateway, "hanako", person.password, source="127.0.0.9").try_in(code="123456")[2]["code"]
               for _ in range(10)]
    assert answers == ["TOTP_WRONG"] * 5 + ["LOCKED_OUT"] * 5
    # Neither secret nor codes are shown again, or stored as they are.
    shown = boss.call("GET", "/accounts/hanako")
    assert shown["totp"] is True and given["secret"] not in str(shown)
    boss.call("DELETE", "/accounts/hanako/totp")
    person.sign_in()
    assert person.me["totp"] is False
    # The company insists.
    gateway.ctl("security", "set", "--totp", "yes")
    assert person.call("GET", "/me")["must"] == ["totp"]
    assert person.refused("GET", "/licenses")["code"] == "TOTP_SETUP_NEEDED"
    given = person.call("POST", "/me/totp")
    person.call("POST", "/me/totp/confirm", {"code": totp(given["secret"])})
    assert person.call("GET", "/me")["must"] == [] and person.call("GET", "/licenses")["items"] == []
    assert person.refused("DELETE", "/me/totp")["code"] == "TOTP_SETUP_NEEDED"
    stored = b"".join(path.read_bytes() for path in gateway.data.iterdir() if path.name.startswith("engawa.db"))
    assert given["secret"].encode() not in stored and new[1].encode() not in stored


def test_guessing_is_counted_and_tells_nothing(gateway):
    boss = operator(gateway)
    hire(boss, gateway, "taro", "helpdesk")

    def guess(name, source, count, password="Wrong-guess-1"):
        person = Person(gateway, name, password, source=source)
        return [person.ask("POST", "/api/v1/sign-in", {"account": name, "password": password}) for _ in range(count)]

    known, unknown = guess("taro", "127.0.0.2", 7), guess("nobody-here", "127.0.0.3", 7)
    assert [one[0] for one in known] == [401] * 5 + [429] * 2
    for ours, theirs in zip(known, unknown):
        assert (ours[0], ours[2]) == (theirs[0], theirs[2]), "a name that exists is answered like one that does not"
        assert abs(int(ours[1].get("Retry-After") or 0) - int(theirs[1].get("Retry-After") or 0)) < 30
        assert {name.lower() for name in ours[1]} == {name.lower() for name in theirs[1]}
    assert 0 < int(known[6][1]["Retry-After"]) <= 900
    # Locked from there, also with the right password; from elsewhere he comes in.
    assert guess("taro", "127.0.0.2", 1, Person.PASSWORD)[0][0] == 429
    assert guess("taro", "127.0.0.5", 1, Person.PASSWORD)[0][0] == 200
    assert boss.call("GET", "/accounts/taro")["locked_until_ms"] > 0
    boss.call("POST", "/accounts/taro/unlock")
    assert boss.call("GET", "/accounts/taro")["locked_until_ms"] == 0
    assert guess("taro", "127.0.0.2", 1, Person.PASSWORD)[0][0] == 200
    rows = events(gateway, "ACCOUNT_LOCKED", "ACCOUNT_UNLOCKED", "SIGN_IN_REFUSED")
    assert [row["account"] for row in rows if row["event"] == "ACCOUNT_LOCKED"] == ["taro"]
    refusals = [row for row in rows if row["event"] == "SIGN_IN_REFUSED"]
    assert {row["account"] for row in refusals} == {"taro", "unknown"}, "what strangers type is not kept: it may be a password"
    assert all(row["by"] == "stranger" and row["reason"] == "PASSWORD_WRONG" for row in refusals)
    # An address that tries many names is locked as such, whatever it tries next.
    spray = [guess(f"name{i}", "127.0.0.4", 1)[0][0] for i in range(22)]
    assert spray == [401] * 20 + [429] * 2
    assert guess("taro", "127.0.0.4", 1, Person.PASSWORD)[0][0] == 429
    assert guess("taro", "127.0.0.6", 1, Person.PASSWORD)[0][0] == 200


def test_sign_ins_end(gateway):
    """W5: a planted cookie, sign-out, revoking one, other roles, disabling, a new password, deletion."""
    boss = operator(gateway)
    person = hire(boss, gateway, "jiro", "admin")

    def signed_in(one):
        return one.ask("GET", "/api/v1/me")[0] == 200

    planted = "A" * 43
    person.cookie = planted
    status, headers, _ = person.try_in()
    assert status == 200 and person.cookie != planted and len(person.cookie) == 43
    flags = headers["Set-Cookie"].split("; ")[1:]
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    fixed = Person(gateway, "jiro")
    fixed.cookie = planted
    assert not signed_in(fixed)
    # An id that was good before is no better: signing in makes a new one.
    first = person.cookie
    person.try_in()
    assert person.cookie != first
    person.sign_in()
    # Out.
    gone = person.cookie
    _, headers, _ = person.ask("POST", "/api/v1/sign-out")
    assert "Max-Age=0" in headers["Set-Cookie"] and person.cookie is None
    fixed.cookie = gone
    assert not signed_in(fixed)
    # Two cookies of the name: nobody knows whose.
    person.sign_in()
    assert person.ask("GET", "/api/v1/me", Cookie=f"__Host-engawa={person.cookie}; __Host-engawa={planted}")[0] == 401
    # One of several.
    other = Person(gateway, "jiro", person.password).sign_in()
    listed = person.call("GET", "/me/sign-ins")["items"]
    assert sum(one["current"] for one in listed) == 1 and all(one["address"] == "127.0.0.1" for one in listed)
    newest = max((one for one in listed if not one["current"]), key=lambda one: one["created_ms"])
    assert boss.refused("DELETE", f"/me/sign-ins/{newest['id']}")["code"] == "NOT_FOUND", "another's is none of his"
    person.call("DELETE", f"/me/sign-ins/{newest['id']}")
    assert not signed_in(other) and signed_in(person)
    # There are at most 16, the oldest goes.
    many = [Person(gateway, "jiro", person.password).sign_in() for _ in range(17)]
    assert [signed_in(one) for one in many] == [False] + [True] * 16 and not signed_in(person)
    assert len(many[-1].call("GET", "/me/sign-ins")["items"]) == 16

    # What is done to the account ends them, as the next request shows.
    def ended_by(act):
        one = Person(gateway, "jiro", person.password).sign_in()
        act()
        assert not signed_in(one)

    ended_by(lambda: boss.call("PATCH", "/accounts/jiro", {"roles": ["auditor"]}))
    one = Person(gateway, "jiro", person.password).sign_in()
    boss.call("PATCH", "/accounts/jiro", {"full_name": "次郎"})
    assert signed_in(one), "a new name is no reason"
    ended_by(lambda: boss.call("DELETE", "/accounts/jiro/sign-ins"))
    ended_by(lambda: boss.call("PATCH", "/accounts/jiro", {"state": "disabled"}))
    assert one.try_in()[2]["code"] == "PASSWORD_WRONG", "nobody learns that it is disabled"
    boss.call("PATCH", "/accounts/jiro", {"state": "enabled"})
    ended_by(lambda: boss.call("POST", "/accounts/jiro/password"))
    person.password = boss.call("POST", "/accounts/jiro/password")["password"]
    ended_by(lambda: boss.call("DELETE", "/accounts/jiro"))
    # One of the same name is another.
    again = hire(boss, gateway, "jiro", "helpdesk")
    assert signed_in(again) and not signed_in(many[-1])
    run(BIN / "engawactl", "--data", gateway.data, "audit", "verify")


def test_step_up(world):
    """What cannot be taken back wants a secret again; programs have shown theirs."""
    config = world.tmp / "gateway.ini"
    config.write_text("[admin]\nstep_up_time = 1s\n")
    gateway = Gateway(world).init().start("--config", str(config))
    boss = operator(gateway)
    wait_for("the proof to be old", lambda: not boss.call("GET", "/me")["step_up_until_ms"])
    needing = [route for route in guarded() if route.step_up]
    assert len(needing) > 10
    # Whatever deletes something for good is among them; ending what is live is not.
    live = ("/sessions/{id}", "/sign-ins", "/sign-ins/{id}")
    for route in guarded():
        if route.method == "DELETE" and not route.template.endswith(live):
            assert route.step_up, f"{route} needs | STEP_UP in routes.def"
    for route in needing:
        status, _, text = boss.ask(route.method, route.path, route.body)
        assert status == 403 and "STEP_UP_NEEDED" in text, (route, text)
    for route in guarded():
        if "format" in route.queries and route.method == "GET":
            for form in ("csv", "jsonl"):
                status, _, text = boss.ask("GET", f"{route.path}?format={form}")
                assert status == 403 and "STEP_UP_NEEDED" in text, (route, form, text)
    assert boss.refused("POST", "/me/step-up", {"password": "wrong"})["code"] == "PASSWORD_WRONG"
    assert boss.refused("POST", "/me/step-up", {"code": "123456"})["code"] == "TOTP_WRONG"
    assert boss.refused("POST", "/me/step-up", {})["code"] == "BAD_VALUE"

    def exports():
        boss.step_up()
        return boss.ask("GET", "/api/v1/licenses?format=csv")[0] == 200

    # A machine that needs more than the second for both is not what is tested.
    wait_for("an export right after the step-up", exports)
    assert Rest(gateway).ask("GET", "/api/v1/licenses?format=csv")[0] == 200


def test_networks_of_a_company(gateway):
    """W8: from elsewhere nobody of it gets in, with cookie or token; what a header says does not count."""
    boss = operator(gateway)
    tenant = company(gateway, boss, "acme")
    person = hire(boss, gateway, "acme.admin", "admin", tenant=tenant)
    token = gateway.ctl("token", "create", "--name", "t", "--role", "admin", "--tenant", tenant)["token"]
    problem = person.refused("PATCH", "/security", {"addresses": ["192.0.2.0/24"]})
    assert problem["code"] == "BAD_VALUE" and problem["field"] == "addresses", "nobody shuts himself out"
    for wrong in (["192.0.2.1/24"], ["nowhere"], "192.0.2.0/24", [1], ["127.0.0.1"] * 65):
        assert person.refused("PATCH", "/security", {"addresses": wrong})["field"] == "addresses"
    inside = Person(gateway, "acme.admin", person.password, source="127.0.0.7").sign_in()
    inside.call("PATCH", "/security", {"addresses": ["127.0.0.7/32", "2001:db8::/32"]})
    assert person.refused("GET", "/me")["code"] == "ADDRESS_REFUSED"
    assert inside.call("GET", "/me")["name"] == "acme.admin"
    outside = Person(gateway, "acme.admin", person.password)
    assert outside.try_in()[2]["code"] == "ADDRESS_REFUSED"
    assert outside.try_in(password="Wrong-guess-1")[2]["code"] == "PASSWORD_WRONG"
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"):
        value = "for=127.0.0.7" if header == "Forwarded" else "127.0.0.7"
        assert person.ask("GET", "/api/v1/me", **{header: value})[0] == 403
    assert Rest(gateway, token).ask("GET", "/api/v1/licenses")[0] == 403
    assert boss.call("GET", "/security?tenant=acme")["addresses"] == ["127.0.0.7", "2001:db8::/32"]
    assert boss.call("GET", "/security")["addresses"] == [], "the operator's own rules are others"
    # The operator can help who shut himself out; and a contract that is disabled lets nobody in.
    boss.call("PATCH", "/security?tenant=acme", {"addresses": []})
    outside.sign_in()
    boss.call("PATCH", "/tenants/acme", {"state": "disabled"})
    assert outside.refused("GET", "/me")["code"] == "TENANT_DISABLED"
    assert outside.try_in()[2]["code"] == "TENANT_DISABLED"
    assert Rest(gateway, token).ask("GET", "/api/v1/licenses")[0] == 403


def test_nobody_lifts_himself(gateway):
    boss = operator(gateway)
    tenant = company(gateway, boss, "acme")
    service_admin = hire(boss, gateway, "svc", "admin")
    admin = hire(boss, gateway, "acme.admin", "admin", tenant=tenant)
    new = {"name": "x", "roles": ["operator"]}
    assert service_admin.refused("POST", "/accounts", new)["code"] == "FORBIDDEN"
    assert admin.refused("POST", "/accounts", new)["code"] == "BAD_VALUE", "not even the operator could do that"
    assert admin.refused("POST", "/accounts", {"name": "x", "roles": ["admin"], "tenant": "other"})["code"] in (
        "FORBIDDEN", "BAD_VALUE")
    assert admin.refused("POST", "/accounts", {"name": "x", "roles": ["admin"], "tenant": ""})["code"] == "FORBIDDEN"
    assert admin.refused("PATCH", "/accounts/acme.admin", {"roles": ["operator"]})["code"] == "BAD_VALUE"
    assert service_admin.refused("PATCH", "/accounts/svc", {"roles": ["operator", "admin"]})["code"] == "FORBIDDEN"
    # One who may more is not to be had through his account either.
    for method, path, body in (("POST", "/accounts/operator/password", None), ("DELETE", "/accounts/operator/totp", None),
                               ("PATCH", "/accounts/operator", {"state": "disabled"}),
                               ("DELETE", "/accounts/operator", None), ("DELETE", "/accounts/operator/sign-ins", None)):
        assert service_admin.refused(method, path, body)["code"] == "FORBIDDEN", path
        assert admin.refused(method, path, body)["code"] == "NOT_FOUND", path
    # A company's admin appoints its people, all but operators.
    for role in ("admin", "helpdesk", "auditor"):
        admin.call("POST", "/accounts", {"name": f"acme.{role}2", "roles": [role]})
    assert {one["tenant"] for one in admin.call("GET", "/accounts")["items"]} == {"acme"}
    assert admin.refused("POST", "/accounts", {"name": "svc", "roles": ["admin"]})["code"] == "CONFLICT"
    wrong = ({"name": "A"}, {"name": "x" * 65}, {"name": "a\n"}, {"name": 1}, {"name": "y", "roles": []},
             {"name": "y", "roles": ["root"]}, {"name": "y", "mail": "m" * 200}, {"name": "y", "nmae": "z"})
    for body in wrong:
        assert admin.refused("POST", "/accounts", {"roles": ["admin"], **body})["field"], body
    # Nobody deletes or disables himself, and the last operator stays.
    assert boss.refused("DELETE", "/accounts/operator")["code"] == "FORBIDDEN"
    assert boss.refused("PATCH", "/accounts/operator", {"state": "disabled"})["code"] == "FORBIDDEN"
    assert boss.refused("PATCH", "/accounts/operator", {"roles": ["admin"]})["code"] == "FORBIDDEN"
    for words in (("delete", "operator"), ("change", "operator", "--state", "disabled"),
                  ("change", "operator", "--role", "auditor")):
        with pytest.raises(ProgramFailed) as refusal:
            gateway.ctl("account", *words)
        assert refusal.value.code == 77
    # Two who disable each other at the same moment: one of them stays.
    second = hire(boss, gateway, "op2", "operator")
    for _ in range(5):
        both = [threading.Thread(target=lambda who=who, whom=whom: who.ask(
            "PATCH", f"/api/v1/accounts/{whom}", {"state": "disabled"})) for who, whom in ((boss, "op2"), (second, "operator"))]
        for one in both:
            one.start()
        for one in both:
            one.join()
        states = [one["state"] for one in gateway.ctl("account", "list") if one["roles"] == ["operator"]]
        assert "enabled" in states
        for name, person in (("operator", boss), ("op2", second)):
            gateway.ctl("account", "change", name, "--state", "enabled")
            person.sign_in()


def test_engawactl_knows_people(gateway):
    made = gateway.ctl("account", "create", "sachiko", "--role", "helpdesk", "--role", "auditor", "--full-name", "幸子",
                       "--mail", "s@example.jp", "--language", "ja")
    person = Person(gateway, "Sachiko", made["password"]).settle()
    assert person.me["language"] == "ja" and person.me["full_name"] == "幸子", "capitals do not matter"
    assert set(person.me["roles"]) == {"helpdesk", "auditor"}
    assert {"session.end", "journal.read"} <= set(person.me["permissions"]), "both roles count"
    shown = gateway.ctl("account", "show", "sachiko")
    assert shown["signed_in_ms"] and not shown["must_change"] and "scrypt" not in str(shown)
    assert "helpdesk auditor" in gateway.ctl("account", "list", "--q", "幸", json_out=False)
    assert len(gateway.ctl("account", "sign-ins", "sachiko")) == 1
    gateway.ctl("account", "sign-out", "sachiko")
    assert gateway.ctl("account", "sign-ins", "sachiko") == []
    gateway.ctl("account", "change", "sachiko", "--role", "admin")
    gateway.ctl("account", "unlock", "sachiko")
    gateway.ctl("account", "totp-remove", "sachiko")
    assert "Password" in gateway.ctl("account", "password", "sachiko", json_out=False)
    gateway.ctl("security", "set", "--min-length", "16", "--idle", "5m", "--longest", "1h", "--failures", "3", "--lock", "1m",
                "--max-age", "90d", "--min-classes", "2", "--refuse-common", "no", "--totp", "no")
    assert gateway.ctl("security", "show") == {
        "totp_required": False, "password": {"min_length": 16, "min_classes": 2, "max_age_ms": 90 * 86400000, "history": 4,
                                             "common": False},
        "addresses": [], "idle_ms": 300000, "absolute_ms": 3600000, "lockout": {"failures": 3, "lock_ms": 60000},
        "tenant": ""}
    gateway.ctl("account", "delete", "sachiko")
    assert [one["name"] for one in gateway.ctl("account", "list")] == ["operator"]
    names = [row["event"] for row in gateway.log("audit")]
    for event in ("ACCOUNT_CREATED", "ACCOUNT_CHANGED", "ACCOUNT_DELETED", "ACCOUNT_PASSWORD_CHANGED", "ACCOUNT_UNLOCKED",
                  "ACCOUNT_TOTP_REMOVED", "SIGN_INS_ENDED", "SECURITY_CHANGED"):
        assert event in names, event


def test_a_flood_of_sign_ins_leaves_room(gateway):
    """Hashing is bounded: who comes too many is told to come again and is not charged; others are served."""
    boss = operator(gateway)
    person = hire(boss, gateway, "saburo", "helpdesk")
    answers = []

    def guess(i):
        one = Person(gateway, "saburo", "Wrong-guess-1", source=f"127.0.1.{i + 1}")
        answers.append(one.ask("POST", "/api/v1/sign-in", {"account": "saburo", "password": "Wrong-guess-1"}))

    crowd = [threading.Thread(target=guess, args=(i,)) for i in range(16)]
    for one in crowd:
        one.start()
    while any(one.is_alive() for one in crowd):
        assert boss.call("GET", "/me")["name"] == "operator"
    for one in crowd:
        one.join()
    codes = [status for status, _, _ in answers]
    assert set(codes) == {401, 503} and len(codes) == 16, codes
    assert all(headers.get("Retry-After") for status, headers, _ in answers if status == 503)
    assert len(events(gateway, "SIGN_IN_REFUSED")) == codes.count(401)
    person.sign_in()
