"""Every role at every route, as people and as programs. The routes come from the API's own description, so
that one that is added later is looked at without a word here."""

import json
import re

import pytest
import yaml
from person import Person, hire, operator
from test_gateway_admin import Rest
from world import BIN, TOP, Gateway, run

ROLES = ("operator", "admin", "helpdesk", "auditor")
# What concerns the service is not a company's business, whatever the role (rules/role.c).
OF_SERVICE = {"METRICS", "NODE_READ", "NODE_WRITE", "TENANT_WRITE", "NOTICE_WRITE", "BACKUP"}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
# A member that no route has: whoever gets past the gate is told so, and nothing is done.
NOTHING = {"no such member": 1}


class Route:
    def __init__(self, path, method, entry):
        self.path, self.method, self.template = path, method.upper(), path
        self.open = entry.get("security") == []
        self.permission = entry.get("x-permission")
        self.step_up, self.own = entry.get("x-step-up", False), entry.get("x-own", False)
        self.service = entry.get("x-service", False) or self.permission in OF_SERVICE
        self.verb = entry.get("x-engawactl", "")
        self.queries = {one["name"] for one in entry.get("parameters", ()) if one["in"] == "query"}
        self.path = re.sub(r"{\w+}", "x", path.replace("{kind}", "audit"))

    def __repr__(self):
        return f"{self.method} {self.template}"

    @property
    def body(self):
        return NOTHING if self.method in ("POST", "PUT", "PATCH") else None


def all_routes():
    described = yaml.safe_load(run(BIN / "engawa-gateway", "check", "--openapi"))
    return [Route(path, method, entry) for path, entries in described["paths"].items()
            for method, entry in entries.items()]


def guarded():
    """Those that need somebody; signing out comes last, for it ends the one who asks."""
    routes = [route for route in all_routes() if not route.open]
    return sorted(routes, key=lambda route: route.path.endswith("/sign-out"))


def role_table():
    table = {}
    for line in (TOP / "gateway/rules/role.def").read_text().splitlines():
        if line.startswith("P("):
            name, _, *marks = [part.strip() for part in line[2:].split(",")[:6]]
            table[name] = dict(zip(ROLES, (mark == "1" for mark in marks)))
    return table


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """One gateway for all of these; nothing here changes what another test relies on."""
    from world import World
    world = World(tmp_path_factory.mktemp("roles"))
    gateway = Gateway(world).init().start()
    gateway.operator = operator(gateway)
    gateway.operator.call("POST", "/tenants", {"id": "acme", "name": "Acme"})
    yield gateway
    world.end()


def sweep(asker, may):
    """`may(route)`: whether the one who asks has the right."""
    wrong = []
    for route in guarded():
        status, _, text = asker.ask(route.method, route.path, route.body)
        code = json.loads(text).get("code") if status >= 300 and text else None
        if route.path == "/metrics" and isinstance(asker, Person):
            continue  # open to everybody unless the configuration says no
        if may(route) == (code == "FORBIDDEN") or status in (401, 500) or code == "CROSS_SITE":
            wrong.append((route, status, text[:200]))
    assert not wrong


@pytest.mark.parametrize("tenant", ["", "acme"])
@pytest.mark.parametrize("role", ROLES)
def test_people_may_what_the_table_says(company, role, tenant):
    table = role_table()
    if tenant and role == "operator":
        refused = company.operator.ask("POST", "/api/v1/accounts", {"name": "op2", "roles": [role], "tenant": tenant})
        assert refused[0] == 400 and json.loads(refused[2])["field"] == "roles"
        return
    person = hire(company.operator, company, f"{role}.{tenant}", role, tenant=tenant)
    assert person.me["roles"] == [role] and person.me["tenant"] == tenant
    sweep(person, lambda route: table[route.permission][role] and not (tenant and route.service))


@pytest.mark.parametrize("role", ROLES)
def test_programs_may_what_the_table_says(company, role):
    table = role_table()
    token = company.ctl("token", "create", "--name", f"as {role}", "--role", role)["token"]
    sweep(Rest(company, token), lambda route: table[route.permission][role] and not route.own)
    refusals = [row for row in company.log("audit") if row["event"] == "PERMISSION_REFUSED"]
    assert {row["by"] for row in refusals} >= {f"token:as {role}"}


def test_nobody_gets_in_without_a_cookie_or_token(company):
    stranger = Person(company, "nobody", "x")
    forger = Person(company, "nobody", "x")
    forger.cookie, forger.csrf = "A" * 43, "A" * 43
    program = Rest(company, token="egt_000000000_" + "A" * 43)
    for route in guarded():
        if route.path == "/metrics":
            continue
        for who in (stranger, forger, program):
            status, headers, text = who.ask(route.method, route.path, route.body)
            assert status == 401 and json.loads(text)["code"] == "UNAUTHENTICATED", (route, text)
            assert headers["WWW-Authenticate"].startswith("Bearer")


def test_a_foreign_page_changes_nothing(company):
    """W1: without the token, with another's, from another origin, in another frame."""
    person = hire(company.operator, company, "w1", "operator")
    ways = ({"X_Engawa_CSRF": None}, {"X_Engawa_CSRF": "A" * 43}, {"X_Engawa_CSRF": ""},
            {"X_Engawa_CSRF": company.operator.csrf}, {"Origin": "https://evil.example"}, {"Origin": "null"},
            {"Origin": person.origin.replace("https", "http")}, {"Origin": person.origin + ".evil.example"},
            {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"})
    changing = [route for route in guarded() if route.method in CHANGING]
    assert len(changing) > 30
    for route in changing:
        for way in ways:
            status, _, text = person.ask(route.method, route.path, route.body, **way)
            assert status == 403 and json.loads(text)["code"] == "CROSS_SITE", (route, way, text)
    # And the same with all of it in order gets past.
    assert person.call("GET", "/me")["name"] == "w1"
    status, _, text = person.ask("POST", "/api/v1/sign-in", {"account": "w1", "password": "x"},
                                 Origin="https://evil.example")
    assert status == 403 and json.loads(text)["code"] == "CROSS_SITE"


def test_every_answer_has_the_headers(company):
    """W2, on every route there is."""
    person = hire(company.operator, company, "w2", "operator")
    for route in all_routes():
        _, headers, _ = person.ask(route.method, route.path, route.body)
        assert headers["X-Content-Type-Options"] == "nosniff", route
        assert headers["X-Frame-Options"] == "DENY", route
        assert headers["Referrer-Policy"] == "no-referrer", route
        assert headers["Cache-Control"] == "no-store", route
        assert "max-age" in headers["Strict-Transport-Security"], route
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], route
        assert headers.get("Server") is None and headers.get("Access-Control-Allow-Origin") is None, route


CANARY = "CANARY-OTHER"


def things_of(operator, tenant):
    """One thing of each kind that belongs to a company: {first part of the path: its id}."""
    def made(path, body):
        return operator.call("POST", path, {"tenant": tenant, **body})

    license = made("/licenses", {"holder": CANARY, "group": CANARY, "note": CANARY})["id"]
    made("/groups", {"name": CANARY, "note": CANARY})
    policy = {"watermark": True}
    operator.call("PUT", f"/policies/group/{CANARY}?tenant={tenant}", policy)
    operator.call("PUT", f"/policies/tenant/{tenant}", policy)
    account = made("/accounts", {"name": "canary-other", "full_name": CANARY, "roles": ["admin"]})
    person = Person(operator.gateway, "canary-other", account["password"]).settle()
    sign_in = person.call("GET", "/me/sign-ins")["items"][0]["id"]
    route = made("/routes", {"name": CANARY, "kind": "webhook", "url": "https://192.0.2.1/canary"})
    directory = made("/directories", {
        "id": "canary-other", "name": CANARY, "kind": "ldap", "use": ["holders"],
        "ldap": {"url": "ldaps://192.0.2.1", "bind_dn_template": "uid={user},dc=canary"}})
    notice = made("/notices", {"kind": "news", "text": {"en": CANARY, "ja": CANARY}})
    return {
        "licenses": license, "hosts": license, "sessions": license, "groups": CANARY, "group": CANARY, "tenant": tenant, "keys": tenant,
        "tenants": tenant, "accounts": "canary-other", "sign-ins": sign_in,
        "tokens": made("/tokens", {"name": CANARY, "role": "admin"})["id"],
        "alerts": made("/alerts", {"name": CANARY, "when": "login_failed"})["id"], "routes": route["id"],
        "directories": directory["id"], "notices": notice["id"],
    }


# Nobody's in particular, or nothing that a test can have without a second end.
NO_COMPANY = {"nodes": "x", "journal": "audit", "alarms": "x", "backups": "x", "statements": "x", "devices": "dev_0000000000000000"}


# Where the body is looked at before the thing, it has to be a good one.
GOOD_BODIES = {"confirm": {"code": "123456"}, "test": {}}


def foreign(route, things):
    """The route's path with another company's ids."""
    parts = route.template.split("/")
    for i, part in enumerate(parts):
        if part.startswith("{"):
            kind = parts[i - 1]
            assert kind in things or kind in NO_COMPANY, f"{route}: things_of() makes no {kind} yet"
            parts[i] = things.get(kind, NO_COMPANY.get(kind))
    return "/".join(parts)


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_a_company_knows_nothing_of_another(company, role):
    """W9: another's ids are unknown, and no list, whatever is asked, has anything of it."""
    company.operator.gateway = company
    if not hasattr(company, "things"):
        company.operator.step_up()
        company.operator.call("POST", "/tenants", {"id": "other", "name": CANARY})
        company.things = things_of(company.operator, "other")
    things = company.things
    company.operator.call("POST", "/tenants", {"id": f"w9-{role}", "name": "Nine"})
    person = hire(company.operator, company, f"w9.{role}", role, tenant=f"w9-{role}")
    secrets = [CANARY] + [one for one in things.values() if len(one) > 8]
    wrong = []
    # Lists first: later the company's own journal tells what it asked for in vain.
    for route in sorted(guarded(), key=lambda route: "{id}" in route.template or "{name}" in route.template):
        if route.path.endswith("/sign-out") or route.path == "/metrics":
            continue
        path, body = foreign(route, things), GOOD_BODIES.get(route.template.rsplit("/", 1)[1], route.body)
        for query in ("", "?tenant=other") + (("?tenant=other&format=csv",) if "format" in route.queries else ()):
            status, _, text = person.ask(route.method, path + query, body)
            code = json.loads(text).get("code") if status >= 300 else None
            if "{" in route.template and route.template != "/api/v1/journal/{kind}":
                if code not in ("NOT_FOUND", "FORBIDDEN"):
                    wrong.append((route, path + query, status, text[:200]))
            elif status >= 500 or route.method == "GET" and any(one in text for one in secrets):
                wrong.append((route, path + query, status, text[:300]))
    assert not wrong
    # All of it is still there, unchanged, for its own people.
    owner = Person(company, "canary-other").sign_in()
    assert owner.call("GET", f"/licenses/{things['licenses']}")["note"] == CANARY
    assert owner.call("GET", "/accounts/canary-other")["full_name"] == CANARY
    assert {one["id"] for one in owner.call("GET", "/tokens")["items"]} == {things["tokens"]}
