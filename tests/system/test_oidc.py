"""Signing in by OpenID Connect, with a real provider: the whole way, and everything that can be forged on it."""

import json
from urllib.parse import urlencode, urlsplit

import pytest
from ldap_peer import make_ca
from oidc_peer import Browser, Provider, queries
from person import hire, operator, totp
from world import have

pytestmark = pytest.mark.skipif(not have("node") or not have("npm"),
                                reason="node and npm are not installed: no provider to sign in at")


@pytest.fixture
def boss(gateway):
    return operator(gateway)


@pytest.fixture
def folder(world):
    make_ca(world.tmp / "peer")
    return world.tmp / "peer"


def back_of(gateway, name="idp"):
    return f"https://{gateway.admin}/api/v1/sign-in/oidc/{name}/return"


@pytest.fixture
def provider(world, gateway, folder):
    return Provider(world, folder, [back_of(gateway)])


def add(boss, provider, name="idp", use=("accounts",), tenant="", **more):
    return boss.call("POST", "/directories", {"id": name, "name": name, "kind": "oidc", "use": list(use),
                                              "tenant": tenant, "oidc": provider.directory(**more)})


class Visit:
    """One browser on its way."""

    def __init__(self, gateway, provider, login, name="idp"):
        self.gateway, self.origin, self.name = gateway, f"https://{gateway.admin}", name
        self.browser = Browser(gateway.ca.read_text(), provider.ca)
        self.way = self.browser.out(f"{self.origin}/api/v1/sign-in/oidc/{name}", login)

    def come_back(self, url=None):
        """Where the console is opened: "/" is signed in, else the reason."""
        status, headers, text = self.browser.ask("GET", url or self.way, Sec_Fetch_Site="cross-site")
        assert status == 303, text
        self.cookies = headers.get_all("Set-Cookie") or []
        place = headers["Location"]
        if place == "/":
            return place
        return queries("/?" + place.split("?", 1)[1])["code"]

    def me(self):
        status, _, text = self.browser.ask("GET", f"{self.origin}/api/v1/me")
        return json.loads(text) if status == 200 else None

    def post(self, path, body, csrf=None):
        more = {"X_Engawa_CSRF": csrf} if csrf else {}
        status, _, text = self.browser.ask("POST", f"{self.origin}/api/v1{path}", body=body, Origin=self.origin,
                                           Sec_Fetch_Site="same-origin", **more)
        return status, json.loads(text) if text else None


def events(gateway, *names):
    return [row for row in gateway.log("audit") if row["event"] in names]


def test_the_whole_way(gateway, boss, provider):
    add(boss, provider)
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["helpdesk"], "directory": "idp"})
    boss.call("POST", "/accounts", {"name": "robert", "roles": ["auditor"], "directory": "idp",
                                    "directory_user": "bob@example.jp"})
    assert boss.call("POST", "/directories/idp/test", {}) == {"good": True, "code": "", "detail": ""}
    for login, name in (("alice", "alice"), ("bob@example.jp", "robert")):
        visit = Visit(gateway, provider, login)
        sent = queries(next(url for _, url, _ in visit.browser.visited if "/auth?" in url))
        assert sent["code_challenge_method"] == "S256" and sent["response_type"] == "code"
        assert len(sent["state"]) == len(sent["nonce"]) == 43 and sent["redirect_uri"] == back_of(gateway)
        assert visit.come_back() == "/"
        session = [cookie for cookie in visit.cookies if cookie.startswith("__Host-engawa=")]
        assert len(session) == 1 and all(word in session[0] for word in ("Secure", "HttpOnly", "SameSite=Strict"))
        assert "__Host-engawa-oidc" not in visit.browser.jar[urlsplit(visit.origin).netloc]
        me = visit.me()
        assert me["name"] == name and me["directory"] == "idp" and me["must"] == []
    assert [row.get("directory") for row in events(gateway, "SIGNED_IN") if row["account"] in ("alice", "robert")] == [
        "idp", "idp"]
    # A password of our own is worth nothing for them, nor is one given later.
    alice = boss.call("POST", "/accounts/alice/password")["password"]
    said = Visit(gateway, provider, "x").post("/sign-in", {"account": "alice", "password": alice})
    assert said[0] in (401, 403) and said[1]["code"] == "PASSWORD_WRONG"


def test_who_is_let_in(gateway, boss, provider):
    add(boss, provider, claim="email", domains=["example.jp"])
    for name in ("alice@example.jp", "unverified@example.jp", "eve@evil.example", "off@example.jp"):
        boss.call("POST", "/accounts", {"name": name, "roles": ["auditor"], "directory": "idp"})
    boss.call("POST", "/accounts", {"name": "local@example.jp", "roles": ["auditor"]})
    boss.call("PATCH", "/accounts/off@example.jp", {"state": "disabled"})
    assert Visit(gateway, provider, "alice").come_back() == "/"
    assert Visit(gateway, provider, "Alice@Example.JP").come_back() == "/"
    # Without a verified address, of another domain, disabled, of no directory, unknown.
    for login in ("unverified", "eve@evil.example", "off", "local", "nobody"):
        visit = Visit(gateway, provider, login)
        assert visit.come_back() == "DIRECTORY_REFUSED", login
        assert visit.me() is None
    boss.call("PATCH", "/directories/idp", {"oidc": {"domains": [], "provision": {"role": "helpdesk", "tenant": ""}}})
    visit = Visit(gateway, provider, "new@some.example")
    assert visit.come_back() == "/" and visit.me()["roles"] == ["helpdesk"]
    assert visit.me()["full_name"] == "Person new@some.example"
    assert Visit(gateway, provider, "new@some.example").come_back() == "/"
    # An account that somebody has stays his.
    assert Visit(gateway, provider, "local").come_back() == "DIRECTORY_REFUSED"
    made = [row for row in events(gateway, "ACCOUNT_CREATED") if row["account"] == "new@some.example"]
    assert len(made) == 1 and made[0]["by"] == "gateway"


def test_companies_do_not_meet(world, gateway, boss, folder):
    provider = Provider(world, folder, [back_of(gateway, name) for name in ("acme-idp", "other-idp")])
    for tenant in ("acme", "other"):
        boss.call("POST", "/tenants", {"id": tenant, "name": tenant})
        add(boss, provider, f"{tenant}-idp", tenant=tenant)
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["admin"], "tenant": "acme", "directory": "acme-idp"})
    wrong = boss.refused("POST", "/accounts", {"name": "x", "roles": ["admin"], "tenant": "acme",
                                               "directory": "other-idp"})
    assert wrong["code"] == "BAD_VALUE" and "directory" in wrong["detail"]
    assert Visit(gateway, provider, "alice", "acme-idp").come_back() == "/"
    assert Visit(gateway, provider, "alice", "other-idp").come_back() == "DIRECTORY_REFUSED"
    # Set out for one, and back to another.
    visit = Visit(gateway, provider, "alice", "acme-idp")
    assert visit.come_back(visit.way.replace("acme-idp", "other-idp")) == "DIRECTORY_REFUSED"
    boss.call("PATCH", "/tenants/acme", {"state": "disabled"})
    assert Visit(gateway, provider, "alice", "acme-idp").come_back() == "TENANT_DISABLED"


def test_forged_tokens(gateway, boss, provider):
    add(boss, provider)
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["auditor"], "directory": "idp"})
    refusals = 0
    for change in ("nonce", "audience", "party", "issuer", "expired", "future", "none", "secret", "stranger"):
        provider.control(change=change)
        visit = Visit(gateway, provider, "alice")
        assert visit.come_back() == "DIRECTORY_REFUSED", change
        assert visit.me() is None
        refusals += 1
    assert len(events(gateway, "SIGN_IN_REFUSED")) == refusals
    assert "the ID token" in gateway.program.text()


def test_keys_that_change(gateway, boss, provider):
    add(boss, provider)
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["auditor"], "directory": "idp"})
    assert Visit(gateway, provider, "alice").come_back() == "/"
    before = provider.control()["jwks"]
    assert Visit(gateway, provider, "alice").come_back() == "/"
    assert provider.control()["jwks"] == before, "keys are kept"
    provider.control(rotate="second")
    assert Visit(gateway, provider, "alice").come_back() == "/"
    assert provider.control()["jwks"] == before + 1, "and fetched once when one is unknown"
    # An answer without end is not read to its end.
    provider.control(rotate="third", change="long")
    assert Visit(gateway, provider, "alice").come_back() == "DIRECTORY_UNREACHABLE"
    provider.control(change="away")
    assert Visit(gateway, provider, "alice").come_back() == "DIRECTORY_UNREACHABLE"
    provider.control(change="")
    assert Visit(gateway, provider, "alice").come_back() == "/"


def test_forged_answers(gateway, boss, provider):
    add(boss, provider)
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["auditor"], "directory": "idp"})
    good = Visit(gateway, provider, "alice")
    sent = queries(good.way)

    def answer(**changes):
        told = {name: value for name, value in {**sent, **changes}.items() if value is not None}
        return f"{back_of(gateway)}?{urlencode(told)}"

    asked = provider.control()["token"]
    # Another browser, which never set out: what an attacker would send to somebody.
    assert Visit.come_back(stranger(gateway, provider), good.way) == "DIRECTORY_REFUSED"
    for way in (answer(state="A" * 43), answer(state=None), answer(state=sent["state"] + "x"),
                answer(iss="https://another.example"), answer(iss=None), answer(code=None),
                answer(code=None, error="access_denied")):
        # The cookie is gone after one answer, whatever it was.
        held = dict(good.browser.jar[urlsplit(good.origin).netloc])
        assert good.come_back(way) == "DIRECTORY_REFUSED", way
        good.browser.jar[urlsplit(good.origin).netloc] = held
    assert provider.control()["token"] == asked, "none of them was worth a question"
    assert good.come_back(answer(code="B" * 43)) == "DIRECTORY_REFUSED"

    again = Visit(gateway, provider, "alice")
    held = dict(again.browser.jar[urlsplit(again.origin).netloc])
    assert again.come_back() == "/"
    again.browser.jar[urlsplit(again.origin).netloc] = held
    assert again.come_back() == "DIRECTORY_REFUSED", "a code is good once"


def stranger(gateway, provider):
    visit = Visit.__new__(Visit)
    visit.gateway, visit.origin, visit.name = gateway, f"https://{gateway.admin}", "idp"
    visit.browser = Browser(gateway.ca.read_text(), provider.ca)
    return visit


def test_guessing_locks_the_address(gateway, boss, provider):
    add(boss, provider)
    visit = stranger(gateway, provider)
    for _ in range(20):
        status, headers, _ = visit.browser.ask("GET", f"{back_of(gateway)}?code=x&state=y")
        assert status in (303, 403, 429, 503), status
        if status != 303:
            break
    else:
        status = visit.browser.ask("GET", f"{back_of(gateway)}?code=x&state=y")[0]
    assert status != 303


def test_second_factors(gateway, boss, provider):
    add(boss, provider, provision={"role": "admin", "tenant": "acme"})
    boss.call("POST", "/tenants", {"id": "acme", "name": "acme"})
    boss.call("PATCH", "/security?tenant=acme", {"totp_required": True})
    # The company asks for one, and the provider's word is not trusted: he sets it up, and shows it from then on.
    provider.control(change="otp")
    visit = Visit(gateway, provider, "alice")
    assert visit.come_back() == "/"
    me = visit.me()
    assert me["must"] == ["totp"]
    secret = visit.post("/me/totp", {}, me["csrf"])[1]["secret"]
    codes = visit.post("/me/totp/confirm", {"code": totp(secret)}, me["csrf"])[1]["recovery_codes"]
    visit = Visit(gateway, provider, "alice")
    assert visit.come_back() == "TOTP_NEEDED" and visit.me() is None
    status, said = visit.post("/sign-in/oidc/idp/code", {"code": "000000"})
    assert status >= 400 and said["code"] == "TOTP_WRONG" and visit.me() is None
    held = dict(visit.browser.jar[urlsplit(visit.origin).netloc])
    status, me = visit.post("/sign-in/oidc/idp/code", {"code": codes[0]})
    assert status == 200 and me["name"] == "alice" and me["must"] == []
    assert visit.me()["name"] == "alice"
    # What vouches for him is not a way in by itself, and not for others.
    assert stranger(gateway, provider).post("/sign-in/oidc/idp/code", {"code": codes[1]})[1]["code"] == \
        "DIRECTORY_REFUSED"
    visit.browser.jar[urlsplit(visit.origin).netloc] = held
    assert visit.come_back(f"{back_of(gateway)}?{urlencode({'code': 'x', 'state': ''})}") == "DIRECTORY_REFUSED"
    # Trusted, its word counts for both: what is asked for, and what the company asks for.
    boss.call("PATCH", "/directories/idp", {"oidc": {"trusted_mfa": True}})
    assert Visit(gateway, provider, "alice").come_back() == "/"
    boss.call("DELETE", "/accounts/alice/totp")
    visit = Visit(gateway, provider, "alice")
    assert visit.come_back() == "/" and visit.me()["must"] == []
    provider.control(change="")
    visit = Visit(gateway, provider, "alice")
    assert visit.come_back() == "/" and visit.me()["must"] == ["totp"]


def test_rules_of_the_account_hold(gateway, boss, provider):
    add(boss, provider)
    boss.call("POST", "/tenants", {"id": "acme", "name": "acme"})
    boss.call("POST", "/accounts", {"name": "alice", "roles": ["admin"], "tenant": "acme", "directory": "idp"})
    boss.call("PATCH", "/security?tenant=acme", {"addresses": ["192.0.2.0/24"]})
    assert Visit(gateway, provider, "alice").come_back() == "ADDRESS_REFUSED"
    boss.call("PATCH", "/security?tenant=acme", {"addresses": []})
    visit = Visit(gateway, provider, "alice")
    assert visit.come_back() == "/"
    # Taken away from the directory, he is out at once.
    boss.call("PATCH", "/accounts/alice", {"directory": ""})
    assert visit.me() is None
    # The last operator with a password of our own stays one.
    assert boss.refused("PATCH", f"/accounts/{boss.account}", {"directory": "idp"})["code"] == "FORBIDDEN"
    second = hire(boss, gateway, "second", "operator")
    boss.call("PATCH", "/accounts/second", {"directory": "idp"})
    assert second.refused("GET", "/me")["code"] == "UNAUTHENTICATED"
    boss.call("PATCH", "/directories/idp", {"state": "disabled"})
    browser = Browser(gateway.ca.read_text(), provider.ca)
    for name in ("idp", "nothing"):
        status, headers, _ = browser.ask("GET", f"https://{gateway.admin}/api/v1/sign-in/oidc/{name}")
        assert status == 303 and headers["Location"] == "/#/sign-in?code=NOT_FOUND"


def test_claims_that_only_userinfo_has(world, gateway, boss, folder):
    provider = Provider(world, folder, [back_of(gateway)], plain=True)
    add(boss, provider, claim="email")
    boss.call("POST", "/accounts", {"name": "alice@example.jp", "roles": ["auditor"], "directory": "idp"})
    assert Visit(gateway, provider, "alice").come_back() == "/"


def test_only_the_right_provider(world, gateway, boss, provider, folder):
    other = make_ca(world.tmp / "other", "Other CA")
    add(boss, provider, "wrong-ca", ca=other)
    add(boss, provider, "system-ca", ca="")
    add(boss, provider, "wrong-issuer", issuer=f"{provider.issuer}/")
    add(boss, provider, "wrong-secret", client_secret="no")
    browser = Browser(gateway.ca.read_text(), provider.ca)
    for name in ("wrong-ca", "system-ca", "wrong-issuer"):
        said = boss.call("POST", f"/directories/{name}/test", {})
        assert not said["good"] and said["code"] == "DIRECTORY_UNREACHABLE" and said["detail"]
        status, headers, _ = browser.ask("GET", f"https://{gateway.admin}/api/v1/sign-in/oidc/{name}")
        assert status == 303 and headers["Location"] == "/#/sign-in?code=DIRECTORY_UNREACHABLE"
