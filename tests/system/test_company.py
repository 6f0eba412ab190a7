"""Companies, groups, policies and licenses by the thousand: the real gateway, its REST API and engawactl."""

import json

from test_gateway_admin import Rest
from test_refusals import refused


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
