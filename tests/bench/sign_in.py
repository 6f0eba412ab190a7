"""How long a refused sign-in takes for a name that exists and for one that does not, in turn. The difference of
the medians is what somebody who looks for names could see."""

import statistics
import tempfile
import time
from pathlib import Path

from person import Person, hire, operator
from world import Gateway, World

# Both kinds are locked at the same count, so that counting costs the same.
PER_NAME = 90


def source(i):
    """Each try comes from a house of its own: an address is locked after 20."""
    return f"127.{1 + i // 60000}.{i // 250 % 240}.{1 + i % 250}"


def one_try(gateway, name, i):
    person = Person(gateway, name, "Wrong-guess-1", source=source(i))
    person.ask("GET", "/api/v1/sign-in/ways")  # the TLS handshake is no part of it
    started = time.perf_counter()
    status, _, text = person.ask("POST", "/api/v1/sign-in", {"account": name, "password": "Wrong-guess-1"})
    took = (time.perf_counter() - started) * 1000
    assert status == 401, text
    person.link.close()
    return took, text


def measure(wish, figures):
    tries = 60 if wish.quick else 500
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        try:
            gateway = Gateway(world).init().start()
            boss = operator(gateway)
            boss.call("PATCH", "/security", {"lockout": {"failures": 100}})
            names = [f"known{i}" for i in range(1 + tries // PER_NAME)]
            for name in names:
                hire(boss, gateway, name, "auditor")
            took, texts = {"known": [], "unknown": []}, set()
            for i in range(tries):
                # Whichever comes first could find the machine in another state than the second.
                for kind in ("known", "unknown") if i % 2 else ("unknown", "known"):
                    name = names[i // PER_NAME] if kind == "known" else f"nobody{i // PER_NAME}"
                    ms, text = one_try(gateway, name, 2 * i + (kind == "known"))
                    took[kind].append(ms)
                    texts.add(text)
        finally:
            world.end()
    for kind, all_ms in took.items():
        figures.note("sign_in", f"{kind} name, refused", "p50", statistics.median(all_ms))
        figures.note("sign_in", f"{kind} name, refused", "p90", statistics.quantiles(all_ms, n=10)[8])
    apart = abs(statistics.median(took["known"]) - statistics.median(took["unknown"]))
    figures.note("sign_in", "difference of medians", "p50", apart)
    figures.note("sign_in", "different answers", "p50", len(texts) - 1)
    figures.show("sign_in", f"Refused sign-ins at the console, ms, {tries} of each", {"p50": "median", "p90": "p90"})
