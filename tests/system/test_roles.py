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
