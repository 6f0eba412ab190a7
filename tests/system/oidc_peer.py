"""A real OpenID Connect provider (npm's oidc-provider), and a browser that goes there and back."""

import fcntl
import hashlib
import html.parser
import http.client
import json
import shutil
import ssl
import subprocess
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from world import BUILD, TOP, free_port, wait_for

HOME = TOP / "tests/system/oidc"
FILES = ("package.json", "package-lock.json", ".npmrc", "provider.mjs")


def modules():
    """The provider's folder in the build tree, with what its lockfile names."""
    place = BUILD / "tests/oidc"
    place.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(b"".join((HOME / name).read_bytes() for name in FILES[:3])).hexdigest()
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in FILES:
            shutil.copy(HOME / name, place / name)
        made = place / "made"
        if not made.exists() or made.read_text() != wanted:
            done = subprocess.run(["npm", "ci"], cwd=place, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr[-2000:]
            made.write_text(wanted)
    return place


class Provider:
    def __init__(self, world, folder, redirects, plain=False):
        """`folder`: of ldap_peer.make_ca(). `plain`: ID tokens carry the subject only, as the standard has it."""
        self.port = free_port()
        self.issuer = f"https://127.0.0.1:{self.port}"
        self.ca = (folder / "ca.pem").read_text()
        place = modules()
        self.program = world.start("provider", ["node", place / "provider.mjs", json.dumps({
            "port": self.port, "cert": str(folder / "ldap.pem"), "key": str(folder / "ldap.key"),
            "redirects": redirects, "plain": plain})], cwd=place)
        wait_for("the provider", lambda: "ready" in self.program.text() or not self.program.alive())
        assert self.program.alive(), self.program.text()

    def control(self, **told):
        """Tells it what to do wrong from now on; the answer counts what it was asked."""
        link = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl.create_default_context(cadata=self.ca),
                                           timeout=20)
        link.request("POST", "/_control", json.dumps(told))
        answer = json.loads(link.getresponse().read())
        link.close()
        return answer

    def directory(self, **more):
        """The "oidc" object of a directory."""
        return {"issuer": self.issuer, "ca": self.ca, "client_id": "engawa",
                "client_secret": "a secret: with / & signs+", "claim": "preferred_username", **more}


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and what it sends unless told otherwise."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = given["action"]
        elif tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value") or ""


class Browser:
    """Goes where it is sent, keeps cookies per place, fills the provider's forms."""

    def __init__(self, *cas):
        self.trust = ssl.create_default_context()
        for ca in cas:
            self.trust.load_verify_locations(cadata=ca)
        self.jar, self.visited = {}, []

    def ask(self, method, url, form=None, body=None, **headers):
        """(status, headers, text) of one request; nothing is followed."""
        parts = urlsplit(url)
        cookies = self.jar.setdefault(parts.netloc, {})
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if form is not None:
            headers["Content-Type"], data = "application/x-www-form-urlencoded", urlencode(form)
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        else:
            data = None
        link = http.client.HTTPSConnection(parts.hostname, parts.port, context=self.trust, timeout=60)
        link.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), data, headers)
        answer = link.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            if value:
                cookies[name] = value
            else:
                cookies.pop(name, None)
        link.close()
        self.visited.append((method, url, answer.status))
        return answer.status, answer.headers, text

    def out(self, start, login):
        """From our address through the provider's pages; the address it sends the browser back to."""
        own = urlsplit(start).netloc
        status, headers, text = self.ask("GET", start)
        url = start
        for _ in range(20):
            if status in (302, 303):
                url = urljoin(url, headers["Location"])
                if urlsplit(url).netloc == own:
                    return url
                status, headers, text = self.ask("GET", url)
                continue
            assert status == 200, (status, url, text[:500])
            form = Form(text)
            assert form.action, text[:500]
            fields = dict(form.fields)
            if "login" in fields:
                fields.update(login=login, password="any")
            url = urljoin(url, form.action)
            status, headers, text = self.ask("POST", url, form=fields)
        raise AssertionError(f"no way back: {self.visited}")


def queries(url):
    return dict(parse_qsl(urlsplit(url).query))
