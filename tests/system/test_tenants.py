"""Two companies on one gateway: whatever belongs to one does not exist for the other. Every route that names
something by an id is tried, as the API's own description lists them, so that one that is added later is tried
too; a kind of thing that is not known here fails the test until something is made of it below."""

import json
import re

import pytest
from test_gateway_admin import Rest
from test_roles import CHANGING, all_routes

# Of each kind of thing: how one is made, as an operator, for a company. What nobody can make by hand (a host,
# a session) is an id of a license, which those routes take as well.
MADE_BY = {
    "licenses": lambda name: {"holder": "theirs", "tenant": name, "group": "sales"},
    "groups": lambda name: {"name": f"only-{name}", "tenant": name},
    "tokens": lambda name: {"name": "theirs", "role": "auditor", "tenant": name},
    "accounts": lambda name: {"name": f"person.{name}", "full_name": "Theirs", "roles": ["admin"], "tenant": name},
    "alerts": lambda name: {"name": "theirs", "when": "login_failed", "tenant": name},
    "routes": lambda name: {"name": "theirs", "kind": "mail", "server": "mail.example:25", "from": "a@b.example", "to": ["a@b.example"],
                                 "security": "none", "tenant": name},
    "directories": lambda name: {"id": f"dir-{name}", "name": "theirs", "kind": "ldap", "tenant": name,
                                 "use": ["holders"],
                                 "ldap": {"url": "ldaps://ldap.example", "bind_dn_template": "uid={user},dc=x"}},
}
LIKE_A_LICENSE = {"hosts", "sessions", "usage"}
# Of the service, not of a company (a company's people get 403 or 404, whatever the id), or of nobody.
NOT_A_COMPANYS = {"nodes", "notices", "backups", "keys", "statements", "me", "journal", "alarms", "sign-in", "policies",
                  "tenants", "holders", "reports", "outages", "audit"}


def ask(rest, method, path, body=None):
    status, _, text = rest.ask(method, path, body)
    try:
        return status, json.loads(text) if text else None
    except ValueError:
        return status, text


def make_company(operator, gateway, name):
    """Its admin, and the ids of what it has: {"licenses": "lic_…", …}."""
    assert ask(operator, "POST", "/api/v1/tenants", {"id": name, "name": name})[0] == 201
    things = {"tenants": name}
    for kind, body in MADE_BY.items():
        status, made = ask(operator, "POST", f"/api/v1/{kind}", body(name))
        assert status == 201, (kind, made)
        inner = made.get(kind[:-1]) if isinstance(made.get(kind[:-1]), dict) else made
        things[kind] = inner["name"] if kind in ("groups", "accounts") else inner.get("id", inner.get("name"))
    for kind in LIKE_A_LICENSE:
        things[kind] = things["licenses"]
    assert ask(operator, "PUT", f"/api/v1/policies/tenant/{name}", {"watermark": True})[0] == 200
    path = f"/api/v1/policies/group/{things['groups']}?tenant={name}"
    assert ask(operator, "PUT", path, {"watermark": True})[0] == 200
    admin = Rest(gateway, gateway.ctl("token", "create", "--name", name, "--role", "admin", "--tenant", name)["token"])
    return admin, things


def path_of(route, things):
    """The route with the ids of somebody's things; None where no id is one of a company's."""
    kind = route.template.split("/")[3]
    if route.template.startswith("/api/v1/policies/tenant/"):
        return route.template.replace("{id}", things["tenants"])
    if route.template.startswith("/api/v1/policies/group/"):
        return route.template.replace("{name}", things["groups"])
    if kind == "tenants":
        return route.template.replace("{id}", things["tenants"])
    if kind in NOT_A_COMPANYS:
        return None
    assert kind in things, f"{route}: make one of these in MADE_BY, or say in NOT_A_COMPANYS why not"
    path = re.sub(r"{\w+}", things[kind], route.template, count=1)
    return re.sub(r"{\w+}", "dev_0000000000000000", path)


def snapshot(operator, name):
    """Everything of a company that a list shows."""
    seen = {}
    for kind in [*MADE_BY, "policies", "hosts"]:
        seen[kind] = ask(operator, "GET", f"/api/v1/{kind}?tenant={name}&limit=1000")[1]["items"]
    seen["tenant"] = ask(operator, "GET", f"/api/v1/tenants/{name}")[1]
    return seen


# Bodies that would do something where they met something.
BODIES = {"licenses": {"note": "mine"}, "groups": {"note": "mine"}, "accounts": {"full_name": "Mine"},
          "alerts": {"name": "mine"}, "routes": {"name": "mine"}, "directories": {"name": "mine"},
          "tenants": {"note": "mine"}, "policies": {"consent": True}}
ACTS = {"confirm": {"code": "000000"}}


def test_nothing_of_another_company_is_there(gateway):
    operator = Rest(gateway)
    ours, own = make_company(operator, gateway, "acme")
    _, theirs = make_company(operator, gateway, "other")
    before, tried = snapshot(operator, "other"), set()
    for route in all_routes():
        if "{" not in route.template or not route.template.startswith("/api/v1/") or route.open or route.own:
            continue
        path = path_of(route, theirs)
        if not path:
            continue
        kind, act = route.template.split("/")[3], route.template.split("/")[-1]
        body = ACTS.get(act, BODIES.get(kind, {}) if "{" in act else {}) if route.method != "GET" else None
        if route.method == "DELETE":
            body = None
        for query in ("", "?tenant=other"):
            status, said = ask(ours, route.method, path + query, body)
            # A right that no company has is refused whatever is asked for, one's own included.
            if status == 403 and ask(ours, route.method, path_of(route, own), body)[0] == 403:
                continue
            assert status == 404, (route, path + query, status, said)
            assert "other" not in json.dumps(said)
        tried.add(route.template)
    assert len(tried) > 20
    assert snapshot(operator, "other") == before
    # And no list shows any of it, whatever company it is asked for.
    for route in all_routes():
        if route.method != "GET" or "{" in route.template or route.open or route.own or "limit" not in route.queries:
            continue
        for query in ("", "?tenant=other", "?tenant="):
            status, said = ask(ours, "GET", route.template + query)
            assert status in (200, 403, 404), (route, said)
            if status == 200 and isinstance(said, dict):
                for row in said["items"]:
                    assert row.get("tenant", "acme") in ("acme", ""), (route, row)
                    assert theirs["licenses"] not in json.dumps(row)


@pytest.mark.parametrize("kind", sorted(MADE_BY))
def test_nothing_is_made_for_another_company(gateway, kind):
    operator = Rest(gateway)
    ours, _ = make_company(operator, gateway, "acme")
    make_company(operator, gateway, "other")
    before = snapshot(operator, "other")
    body = MADE_BY[kind]("other")
    for member in ("name", "id"):
        if member in body and kind != "tokens":
            body[member] = body[member].replace("other", "new")
    status, said = ask(ours, "POST", f"/api/v1/{kind}", body)
    assert status in (403, 404) or (status == 400 and said.get("field") == "tenant"), said
    assert snapshot(operator, "other") == before


def test_changing_routes_are_many():
    """The sweep above is worth something only while it finds the routes."""
    assert len([route for route in all_routes() if route.method in CHANGING]) > 40
