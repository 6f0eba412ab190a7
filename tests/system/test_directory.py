"""LDAP directories, with a real slapd: the API and engawactl, what is asked of the server, and holders."""

import json
import time

import pytest
from ldap_peer import BASE, Slapd, make_ca
from person import Person, operator, totp
from test_gateway_admin import Rest
from test_refusals import refused
from world import Gateway, Host, Viewer, have, wait_for

pytestmark = pytest.mark.skipif(not have("slapd"), reason="slapd is not installed")

PEOPLE = {"alice": "wonder land 1", "bob": "builder", "carol": "singer", "*": "star", "a,b": "comma"}

QUICK = "[directory]\nconnect_time = 1s\nanswer_time = 1s\nfailures = 3\npause = 2s\n"


@pytest.fixture
def slapd(world):
    return Slapd(world, PEOPLE)


@pytest.fixture
def quick(world):
    config = world.tmp / "quick.ini"
    config.write_text(QUICK)
    return Gateway(world).init().start("--config", config)


@pytest.fixture
def rest(quick):
    return Rest(quick)


def ask(rest, method, path, body=None, status=200):
    got, _, text = rest.ask(method, f"/api/v1/{path}", body)
    assert got == status, text
    return json.loads(text) if text else None


def add(rest, name, ldap, use=("accounts", "holders"), **more):
    return ask(rest, "POST", "directories", {"id": name, "name": name, "kind": "ldap", "use": list(use), "ldap": ldap,
                                             **more}, 201)


def tried(rest, name, user=None, password=None):
    """What the directory says of somebody's password: "" or a reason, with the detail."""
    body = {"user": user, "password": password} if user is not None else {}
    answer = ask(rest, "POST", f"directories/{name}/test", body)
    assert answer["good"] == (answer["code"] == "")
    return answer["code"], answer["detail"]


def test_documents_and_secrets(quick, rest, slapd, world):
    made = add(rest, "ad", slapd.searching())
    assert made["ldap"]["bind_password_set"] is True
    assert "readerpw" not in rest.ask("GET", "/api/v1/directories")[2] + json.dumps(made)
    assert ask(rest, "POST", "directories", {"id": "ad", "name": "x", "kind": "ldap", "ldap": slapd.binding()},
               409)["code"] == "CONFLICT"
    for ldap, field in (({"url": "ldap://ad.example.jp"}, "ldap.url"), ({"url": slapd.ldaps}, "ldap.bind_dn_template")):
        wrong = ask(rest, "POST", "directories", {"id": "b", "name": "b", "kind": "ldap", "ldap": ldap}, 400)
        assert wrong["detail"].startswith(field), wrong
    # A secret does not follow to a server of somebody else's.
    moved = ask(rest, "PATCH", "directories/ad", {"ldap": {"url": "ldaps://evil.example"}}, 400)
    assert moved["detail"].startswith("ldap.bind_password")
    # By engawactl, from files, so that secrets are on no command line.
    path = world.tmp / "dir.json"
    path.write_text(json.dumps({"id": "file", "name": "From a file", "kind": "ldap", "ldap": slapd.binding()}))
    assert quick.ctl("directory", "create", path)["id"] == "file"
    path.write_text(json.dumps({"name": "Renamed"}))
    assert quick.ctl("directory", "change", "file", path)["name"] == "Renamed"
    assert quick.ctl("directory", "show", "file")["name"] == "Renamed"
    assert {row["id"] for row in quick.ctl("directory", "list")} == {"ad", "file"}
    path.write_text("wonder land 1\n")
    assert quick.ctl("directory", "test", "file", "--user", "alice", "--password-file", path)["good"] is True
    path.write_text("wrong\n")
    said = refused(lambda: quick.ctl("directory", "test", "file", "--user", "alice", "--password-file", path,
                                     json_out=False), "PASSWORD_WRONG", 77)
    assert "wrong" in said
    quick.ctl("directory", "delete", "file")
    assert ask(rest, "GET", "directories/file", None, 404)["code"] == "NOT_FOUND"
    rows = [row for row in quick.log("audit") if row["event"].startswith("DIRECTORY_")]
    assert [row["changes"]["act"] for row in rows if "changes" in row] == ["created", "created", "changed", "deleted"]
    assert "readerpw" not in json.dumps(rows) and "wonder" not in json.dumps(rows)


def test_companies_see_their_own(quick, rest, slapd):
    def token(tenant):
        return Rest(quick, quick.ctl("token", "create", "--name", "t", "--role", "admin", "--tenant", tenant)["token"])

    for tenant in ("acme", "other"):
        ask(rest, "POST", "tenants", {"id": tenant, "name": tenant}, 201)
    acme, other = token("acme"), token("other")
    add(rest, "ours", slapd.binding())
    theirs = {"url": "ldaps://ldap.acme.example", "bind_dn_template": "uid={user},dc=acme"}
    assert add(acme, "acme-ad", theirs)["tenant"] == "acme"
    for method, path in (("GET", "acme-ad"), ("PATCH", "acme-ad"), ("DELETE", "acme-ad"), ("POST", "acme-ad/test")):
        ask(other, method, f"directories/{path}", None if method == "GET" else {}, 404)
    assert [row["id"] for row in ask(other, "GET", "directories")["items"]] == []
    for more in ({"tenant": ""}, {"tenant": "other"}):
        assert ask(acme, "POST", "directories", {"id": "x", "name": "x", "kind": "ldap", "ldap": theirs, **more},
                   403)["code"] == "FORBIDDEN"
    # The machine of the gateway is the operator's.
    local = {"id": "x", "name": "x", "kind": "ldap", "ldap": {"url": slapd.plain, "bind_dn_template": "uid={user}"}}
    ask(acme, "POST", "directories", local, 403)
    # Nobody lets others in who may more than himself, or at another company.
    oidc = {"id": "x", "name": "x", "kind": "oidc", "oidc": {
        "issuer": "https://idp.example", "client_id": "c", "claim": "sub",
        "provision": {"role": "admin", "tenant": "other"}}}
    ask(acme, "POST", "directories", oidc, 400)
    # A license of one company cannot name the directory of another.
    wrong = ask(rest, "POST", "licenses", {"holder": "x", "tenant": "other", "directory": "acme-ad",
                                           "directory_user": "x"}, 400)
    assert wrong["detail"].startswith("directory")
    ask(rest, "POST", "licenses", {"holder": "x", "tenant": "acme", "directory": "nowhere", "directory_user": "x"}, 400)
    ask(rest, "POST", "licenses", {"holder": "x", "tenant": "other", "directory": "ours", "directory_user": "x"}, 201)


@pytest.mark.parametrize("way", ["search", "template", "starttls", "ldapi"])
def test_whose_password_it_is(rest, slapd, way):
    add(rest, "ad", {"search": slapd.searching, "template": slapd.binding,
                     "starttls": lambda: slapd.searching(url=slapd.plain, start_tls=True),
                     "ldapi": lambda: slapd.binding(url=slapd.ldapi, ca="")}[way]())
    assert tried(rest, "ad") == ("", "")
    assert tried(rest, "ad", "alice", "wonder land 1")[0] == ""
    assert tried(rest, "ad", "ALICE", "wonder land 1")[0] == ""
    assert tried(rest, "ad", "*", "star")[0] == ""
    assert tried(rest, "ad", "a,b", "comma")[0] == ""
    # A bind without password "succeeds" at servers; names must stay values.
    for user, password in (("alice", "wrong"), ("alice", ""), ("nobody", "wrong"), ("", "wonder land 1"), ("al*", "x"),
                           ("*", "wonder land 1"), ("alice)(uid=*", "wonder land 1"), ("alice,ou=people", "builder"),
                           ("*)(|(uid=alice", "wonder land 1"), ("alice\\", "wonder land 1"),
                           ("alice+cn=alice", "wonder land 1"), ("alice\\2cou=people", "wonder land 1"),
                           (" alice", "wonder land 1"), ("é" * 60, "x")):
        assert tried(rest, "ad", user, password)[0] == "PASSWORD_WRONG", (user, password)
    slapd.lock("carol")
    assert tried(rest, "ad", "carol", "singer")[0] == "PASSWORD_WRONG"


def test_only_the_right_server(rest, slapd, world):
    other = make_ca(world.tmp / "other", "Other CA")
    add(rest, "wrong-ca", slapd.binding(ca=other))
    add(rest, "system-ca", slapd.binding(ca=""))
    add(rest, "wrong-ca-tls", slapd.binding(url=slapd.plain, start_tls=True, ca=other))
    # libldap takes "localhost" for the name of this machine, which is not in the certificate.
    add(rest, "wrong-name", slapd.binding(url=slapd.ldaps.replace("127.0.0.1", "localhost")))
    for name in ("wrong-ca", "system-ca", "wrong-ca-tls", "wrong-name"):
        code, detail = tried(rest, name, "alice", "wonder land 1")
        assert code == "DIRECTORY_UNREACHABLE" and detail, name
    add(rest, "right", slapd.binding())
    assert tried(rest, "right", "alice", "wonder land 1")[0] == ""
    add(rest, "wrong-reader", slapd.searching(bind_password="no"))
    code, detail = tried(rest, "wrong-reader", "alice", "wonder land 1")
    assert code == "DIRECTORY_UNREACHABLE" and "bind_dn" in detail
    add(rest, "wrong-base", slapd.searching(base="dc=elsewhere"))
    assert tried(rest, "wrong-base", "alice", "wonder land 1")[0] == "PASSWORD_WRONG"
    # Two that fit are nobody.
    add(rest, "two", slapd.searching(filter="(|(uid={user})(uid=alice))"))
    assert tried(rest, "two", "bob", "builder")[0] == "PASSWORD_WRONG"
    assert tried(rest, "two", "alice", "wonder land 1")[0] == ""


def test_a_server_that_hangs_or_is_gone(rest, slapd):
    add(rest, "tls", slapd.searching())
    add(rest, "start", slapd.binding(url=slapd.plain, start_tls=True))
    add(rest, "local", slapd.binding(url=slapd.ldapi, ca=""))
    slapd.hang()
    for name in ("tls", "start", "local"):
        begun = time.monotonic()
        assert tried(rest, name, "alice", "wonder land 1")[0] == "DIRECTORY_UNREACHABLE", name
        # connect and answers, 1 s each; the rest is what a busy machine needs
        assert time.monotonic() - begun < 15
    slapd.go_on()
    assert tried(rest, "tls", "alice", "wonder land 1")[0] == ""
    slapd.stop()
    assert tried(rest, "tls", "alice", "wonder land 1")[0] == "DIRECTORY_UNREACHABLE"
    slapd.start()
    assert tried(rest, "tls", "alice", "wonder land 1")[0] == ""


def test_holders_sign_in_at_the_directory(world, quick, rest, slapd, desktop):
    add(rest, "ad", slapd.searching())
    local = quick.license("local")
    license = quick.license("Alice", "--directory", "ad", "--directory-user", "alice")
    for more in (("--directory", "nowhere", "--directory-user", "x"), ("--directory", "ad")):
        refused(lambda more=more: quick.ctl("license", "create", "--holder", "x", *more, json_out=False), "BAD_VALUE",
                65)
    host = Host(world, quick, license).enroll().run("--display", desktop.at).online()
    viewer = Viewer(world, quick, license)
    ticket = host.ticket()
    # The access password is worth nothing any more.
    refused(lambda: viewer.pair(ticket), "PASSWORD_WRONG", 77)
    viewer.set_password("wonder land 1")
    viewer.pair(ticket)
    viewer.screenshot(after=1)

    # A server that hangs: told so, no try is counted, and other licenses do not notice.
    slapd.hang()
    stranger = Viewer(world, quick, local, "stranger")
    for _ in range(6):
        refused(lambda: viewer.connect(), "DIRECTORY_UNREACHABLE", 75)
    begun = time.monotonic()
    refused(lambda: stranger.pair(ticket), "HOST_OFFLINE", 69)
    assert time.monotonic() - begun < 20
    slapd.go_on()
    wait_for("the directory to be asked again", lambda: tried(rest, "ad", "alice", "wonder land 1")[0] == "")
    viewer.screenshot(after=1)

    # Wrong ones are counted as ever.
    viewer.set_password("wrong")
    for _ in range(5):
        refused(lambda: viewer.connect(), "PASSWORD_WRONG", 77)
    viewer.set_password("wonder land 1")
    refused(lambda: viewer.connect(), "LOCKED_OUT", 77)
    quick.ctl("license", "unlock", license["id"])
    viewer.screenshot(after=1)
    ask(rest, "PATCH", "directories/ad", {"state": "disabled"})
    refused(lambda: viewer.connect(), "DIRECTORY_REFUSED", 77)
    ask(rest, "PATCH", "directories/ad", {"state": "enabled"})
    # Back to a password of our own.
    quick.ctl("license", "change", license["id"], "--directory", "")
    viewer.set_password(license["password"])
    viewer.screenshot(after=1)
    assert BASE not in quick.program.text() and "wonder" not in quick.program.text()


def come_in(person, directory, password, account=None, code=None):
    """(code or "", ME or problem) of signing in at a directory."""
    person.cookie = person.csrf = None
    body = {"account": account or person.account, "password": password, "directory": directory}
    status, _, text = person.ask("POST", "/api/v1/sign-in", {**body, **({"code": code} if code else {})})
    answer = json.loads(text)
    if status == 200:
        person.me, person.csrf = answer, answer["csrf"]
        return "", answer
    return answer["code"], answer


def test_people_sign_in_at_the_directory(quick, rest, slapd):
    boss = operator(quick)
    add(rest, "ad", slapd.searching())
    for name, more in (("alice", {}), ("robert", {"directory_user": "bob"}), ("carol", {"state": "disabled"}),
                       ("zoe", {})):
        boss.call("POST", "/accounts", {"name": name, "roles": ["admin"], "directory": "ad"})
        if more:
            boss.call("PATCH", f"/accounts/{name}", more)
    given = boss.call("POST", "/accounts", {"name": "local", "roles": ["auditor"]})["password"]
    assert rest.ask("GET", "/api/v1/sign-in/ways")[2] == json.dumps(
        {"directories": [{"id": "ad", "name": "ad", "kind": "ldap"}]}, separators=(",", ":"))
    alice, bob = Person(quick, "alice"), Person(quick, "robert")
    code, me = come_in(alice, "ad", "wonder land 1")
    assert code == "" and me["name"] == "alice" and me["directory"] == "ad" and me["must"] == []
    # By the name there, and by the name of the account.
    for name in ("bob", "robert", "BOB"):
        assert come_in(bob, "ad", "builder", name)[1]["name"] == "robert"
    # Unknown here, unknown there, disabled here, of another directory: one answer.
    answers = []
    for name, password in (("alice", "wrong"), ("nobody", "x"), ("carol", "singer"), ("zoe", "x"),
                           ("local", given), ("*", "star"), ("alice)(uid=*", "x"), ("", "x")):
        code, answer = come_in(Person(quick, name), "ad", password, name)
        if name:
            answers.append((code, answer["message"], answer.get("detail")))
    assert set(answers) == {("PASSWORD_WRONG", answers[0][1], answers[0][2])}, answers
    assert come_in(alice, "nowhere", "x")[0] == "NOT_FOUND"
    # By no password of our own: neither an old one nor one that is given now.
    fresh = boss.call("POST", "/accounts/alice/password")["password"]
    assert alice.try_in(fresh)[2]["code"] == "PASSWORD_WRONG"
    assert alice.try_in("wonder land 1")[2]["code"] == "PASSWORD_WRONG"
    assert come_in(alice, "ad", "wonder land 1")[0] == ""
    assert alice.refused("POST", "/me/password", {"old": "wonder land 1", "new": "Verandah-4-Tanuki"})["code"] == \
        "FORBIDDEN"
    assert alice.refused("POST", "/me/step-up", {"password": fresh})["code"] == "PASSWORD_WRONG"
    alice.call("POST", "/me/step-up", {"password": "wonder land 1"})
    # One-time codes come after the first factor.
    secret = alice.call("POST", "/me/totp", {})["secret"]
    codes = alice.call("POST", "/me/totp/confirm", {"code": totp(secret)})["recovery_codes"]
    assert come_in(alice, "ad", "wonder land 1")[0] == "TOTP_NEEDED"
    assert come_in(alice, "ad", "wonder land 1", code="000000")[0] == "TOTP_WRONG"
    assert come_in(alice, "ad", "wonder land 1", code=codes[0])[0] == ""

    # A server that hangs: told so, nothing is counted, others sign in meanwhile and soon.
    slapd.hang()
    for _ in range(6):
        assert come_in(bob, "ad", "builder")[0] == "DIRECTORY_UNREACHABLE"
    assert Person(quick, "local", given).try_in()[0] == 200
    slapd.go_on()
    wait_for("the directory to be asked again", lambda: come_in(bob, "ad", "builder")[0] == "")
    # Wrong ones are counted, and who is locked out is locked out with the right one too.
    for _ in range(5):
        assert come_in(bob, "ad", "wrong")[0] == "PASSWORD_WRONG"
    assert come_in(bob, "ad", "builder")[0] == "LOCKED_OUT"
    boss.call("POST", "/accounts/robert/unlock")
    assert come_in(bob, "ad", "builder")[0] == ""
    ask(rest, "PATCH", "directories/ad", {"state": "disabled"})
    assert come_in(bob, "ad", "builder")[0] == "NOT_FOUND"
    assert json.loads(rest.ask("GET", "/api/v1/sign-in/ways")[2])["directories"] == []
    ask(rest, "DELETE", "directories/ad", None, 204)
    assert come_in(bob, "ad", "builder")[0] == "NOT_FOUND"
    rows = quick.log("audit")
    assert any(row["event"] == "SIGNED_IN" and row.get("directory") == "ad" for row in rows)
    assert any(row["event"] == "SIGN_IN_REFUSED" and row["account"] == "robert" for row in rows)
    assert any(row["event"] == "ACCOUNT_LOCKED" and row["account"] == "robert" for row in rows)
