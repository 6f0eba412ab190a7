"""Every route of the REST API has a right, a command, a place in the description, and a test that uses it."""

import re
from functools import lru_cache

from test_roles import all_routes, role_table
from world import TOP

# Without a command of engawactl, which signs in with tokens: what is a person's own, and what other programs ask.
NO_COMMAND = re.compile(r"/api/v1/(me|sign-in|sign-out|events)(/|$)|/metrics$|/healthz$|/readyz$")
# These go through all routes by themselves: what only they touch was looked at, but not used.
SWEEPS = {"test_roles.py", "test_tenants.py", "test_hostile.py", "test_routes.py"}


@lru_cache
def verbs():
    text = (TOP / "gateway/ctl/verbs.def").read_text()
    return set(re.findall(r'^VERB\(\w+, "([^"]+)"', text, re.M))


@lru_cache
def read_tests():
    return "\n".join(path.read_text() for path in sorted((TOP / "tests").glob("**/*"))
                     if path.suffix in (".py", ".js", ".mjs", ".ts") and path.name not in SWEEPS)


def is_used(route):
    """By its command ("license", "rotate") or by its path, ids being whatever a test puts there."""
    text = read_tests()
    words = route.verb.split()
    if words and re.search(r",? *".join(f'"{re.escape(word)}"' for word in words), text):
        return True
    end = re.sub(r"/{\w+}", "/[^/\"' ]+", re.sub(r"^/api/v1", "", route.template))
    if re.search(f"{end}[\"'?`]", text):
        return True
    # f"{base}/rotate", base + "/rotate"
    tail = re.search(r"}(/[\w/-]+)$", route.template)
    return bool(tail and re.search(f"[}}\"]{tail.group(1)}[\"'?]", text))


def test_each_has_a_right_that_exists():
    rights = role_table()
    for route in all_routes():
        assert route.open or route.permission in rights, route


def test_each_has_a_command_that_exists():
    for route in all_routes():
        if NO_COMMAND.match(route.template):
            assert not route.verb or route.verb in verbs(), route
        else:
            # "log" is four commands, one for each kind of row.
            assert route.verb in verbs() or any(verb.startswith(route.verb + " ") for verb in verbs()), (
                route, route.verb)


def test_each_is_described():
    text = (TOP / "gateway/admin/routes.def").read_text()
    defined = re.findall(r'^(?:OPEN_)?ROUTE\(\w+, (\w+), "([^"]+)"', text, re.M)
    assert sorted(defined) == sorted((route.method, route.template) for route in all_routes())


def test_each_is_used_by_a_test():
    unused = [f"{route} (engawactl {route.verb})" for route in all_routes() if not is_used(route)]
    assert not unused, "\n".join(unused)
