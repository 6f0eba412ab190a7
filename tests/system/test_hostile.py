"""Hostile strings in every text that the API takes: refused with the field named, or kept as text and shown as
text, in JSON, in CSV, on a terminal and in the log. The members come from the API's own description, so that
a route that is added later is swept too."""

import csv
import io
import json
import re

import pytest
import yaml
from test_gateway_admin import Rest
from test_tenants import MADE_BY
from world import BIN, TOP, run

# What must be refused wherever people will read it: characters that deceive, hide or steer a terminal.
NEVER = {
    "NUL": "a\0b", "newline": "a\r\nSet-Cookie: x=1", "ANSI": "a\x1b[2J\x1b]0;x\x07", "C1": "a\u009b31mb",
    "bidi": "a\u202egnp.exe", "isolate": "a\u2066b\u2069", "zero width": "a\u200bb", "line separator": "a\u2028b",
    "byte order mark": "\ufeffa", "lone surrogate": "\\ud800", "DEL": "a\x7fb",
}
# What may be a name, and must then be nothing but a name.
TEXT = {
    "HTML": "<img src=x onerror=alert(1)>", "formula": "=HYPERLINK(\"http://x\",\"y\")", "at": "@SUM(A1)",
    "plus": "+1+1", "minus": "-2+3", "emoji": "🧑🏯", "quotes": "a\"b'c;--", "percent": "%s%n%x", "path": "../../x",
    "template": "${jndi:ldap://x}{{7*7}}",
}
DECEIVING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# Values for members that a route needs beside the one that is hostile.
GOOD = {"holder": "x", "name": "good", "role": "auditor", "id": "good", "kind": "syslog", "target": "unix",
        "when": "login_failed", "act": "enable", "ids": [], "code": "000000", "csv": None}
SKIPPED = {"sign-in", "me", "sign-out", "import"}  # people's own: tests/system/test_accounts.py; files: test_company.py


class Taker:
    """A route that takes a body."""

    def __init__(self, path, method, schema):
        self.path, self.method = path, method.upper()
        self.members = {name: entry.get("type") for name, entry in schema.get("properties", {}).items()}
        self.needed = schema.get("required", [])

    def __repr__(self):
        return f"{self.method} {self.path}"

    def texts(self):
        return [name for name, kind in self.members.items() if kind == "string"]


def takers():
    described = yaml.safe_load(run(BIN / "engawa-gateway", "check", "--openapi"))
    for path, entries in described["paths"].items():
        for method, entry in entries.items():
            schema = entry.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema and entry.get("security") != [] and not SKIPPED & set(path.split("/")):
                yield Taker(path, method, schema)


def post(rest, method, path, body):
    """json.dumps would escape a lone surrogate rightly; it goes out as the six characters that mean one."""
    text = json.dumps(body).replace("\\\\ud800", "\\ud800")
    status, _, said = rest.ask(method, path, text)
    return status, json.loads(said) if said else None


@pytest.fixture
def made(gateway):
    """A thing of each kind, whose path takes changes."""
    rest = Rest(gateway)
    post(rest, "POST", "/api/v1/tenants", {"id": "acme", "name": "acme"})
    things = {"tenants": "acme"}
    for kind, body in MADE_BY.items():
        status, one = post(rest, "POST", f"/api/v1/{kind}", body("acme"))
        assert status == 201, one
        inner = one.get(kind[:-1]) if isinstance(one.get(kind[:-1]), dict) else one
        things[kind] = inner["name"] if kind in ("groups", "accounts") else inner.get("id")
    return things


def path_for(taker, made):
    kind = taker.path.split("/")[3]
    if "/policies/" in taker.path:
        kind = "tenants" if "tenant/" in taker.path else "groups"
    path = re.sub(r"{\w+}", str(made.get(kind, "x")), taker.path)
    return path + "?tenant=acme" if kind in ("groups", "security") else path


def body_for(taker, member, value, number):
    body = {name: GOOD.get(name, "x") for name in taker.needed}
    for name in ("id", "name"):
        if name in taker.needed:
            body[name] = f"good-{number}"
    body[member] = value
    return body


def every_text(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from every_text(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_text(inner)


def sweep(rest, made):
    """Sends everything everywhere; what was accepted, and how often it was refused by name."""
    accepted, named, number = set(), 0, 0
    for taker in takers():
        path = path_for(taker, made)
        for member in taker.texts():
            for what, value in {**NEVER, **TEXT}.items():
                number += 1
                status, said = post(rest, taker.method, path, body_for(taker, member, value, number))
                assert status < 500, (taker, member, what, said)
                if 200 <= status < 300:
                    assert what in TEXT, (taker, member, what, said)
                    accepted.add(value)
                    assert not any(DECEIVING.search(text) for text in every_text(said)), (taker, member, what)
                elif said.get("field") == member:
                    named += 1
                elif status == 400:
                    # Not JSON at all (a surrogate), or another member was looked at first.
                    assert said["detail"], (taker, member, what, said)
                    assert not DECEIVING.search(said["detail"]), (taker, member, what, said)
    return accepted, named, number


def list_verbs():
    """The nouns of engawactl that can be listed without a word more."""
    for line in (TOP / "gateway/ctl/verbs.def").read_text().splitlines():
        found = re.match(r'VERB\(\w+, "([\w-]+) (list|current)", ""', line)
        if found:
            yield found.groups()


def test_no_text_deceives_anybody(gateway, made):
    rest = Rest(gateway)
    accepted, named, number = sweep(rest, made)
    assert number > 500 and named > number / 3, (named, number)
    assert set(TEXT.values()) <= accepted, "each of them is a name somewhere"
    # Labels are members whose names are free.
    for what, value in {**NEVER, **TEXT}.items():
        for labels in ({"a": value}, {value: "a"}):
            status, said = post(rest, "POST", "/api/v1/licenses", {"holder": "x", "labels": labels})
            assert (status == 201) if what in TEXT and "a" in labels else status in (201, 400), (what, said)
            assert status == 400 or what in TEXT
    # What is shown on a terminal.
    for noun, verb in list_verbs():
        out = gateway.ctl(noun, verb, json_out=False)
        assert not DECEIVING.search(out.replace("\n", "")), (noun, DECEIVING.search(out.replace("\n", "")))
    # What a spreadsheet opens.
    for words in (("license", "export"), ("log", "audit", "--csv")):
        rows = list(csv.reader(io.StringIO(gateway.ctl(*words, json_out=False))))
        assert len(rows) > 5
        for row in rows:
            assert len(row) == len(rows[0])
            for cell in row:
                assert not cell.startswith(("=", "+", "@", "\t", "\r")), (words, cell)
                assert not cell.startswith("-") or re.fullmatch(r"-\d+", cell), (words, cell)
    # What an operator reads: one line each, escaped.
    log = (gateway.data.parent / "gateway.log").read_text()
    assert not DECEIVING.search(log.replace("\n", ""))
    assert all(line.startswith("time=") for line in log.splitlines() if line.strip())


def test_hostile_words_of_a_query(gateway):
    """They are looked for like any other, or refused; nothing of them comes back unescaped."""
    rest = Rest(gateway)
    gateway.license("=1+1 <b>")
    described = yaml.safe_load(run(BIN / "engawa-gateway", "check", "--openapi"))
    for path, entries in described["paths"].items():
        entry = entries.get("get")
        if not entry or "{" in path or path.endswith("/events") or entry.get("security") == []:
            continue
        for parameter in entry.get("parameters", ()):
            for value in (*NEVER.values(), *TEXT.values(), "x" * 3000):
                word = "".join(f"%{byte:02X}" for byte in value.encode("utf-8", "surrogatepass"))
                status, headers, text = rest.ask("GET", f"{path}?{parameter['name']}={word}")
                assert status < 500, (path, parameter["name"], value, text)
                if "json" in headers.get("Content-Type", ""):
                    assert not any(DECEIVING.search(one) for one in every_text(json.loads(text))), (path, value)
