"""A person at the console, without the console: signs in, keeps the cookie, sends the CSRF token."""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import struct
import time


def totp(secret, at=None, step=0):
    """The code of RFC 6238 for a base32 secret, `step` steps from now."""
    counter = int((time.time() if at is None else at) // 30) + step
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 1000000:06d}"


def is_endless(answer):
    """A stream of events: its head is all that is read, and then the connection is closed."""
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        return False
    answer.close()
    return True


class Refused(AssertionError):
    """An answer of the API that is not 2xx."""

    def __init__(self, status, problem, words):
        super().__init__(f"{words}: {status} {problem}")
        self.status, self.problem, self.code = status, problem, problem.get("code")


class Person:
    PASSWORD = "Verandah-4-Tanuki"

    def __init__(self, gateway, account, password=None, source=None):
        """`source`: the address to come from; on Linux all of 127.0.0.0/8 is this machine's."""
        self.host, port = gateway.admin.rsplit(":", 1)
        self.port = int(port)
        self.trust = ssl.create_default_context(cafile=str(gateway.ca))
        self.account, self.password = account, password or self.PASSWORD
        self.cookie = self.csrf = self.me = None
        self.origin = f"https://{gateway.admin}"
        self.link, self.source = None, (source, 0) if source else None

    def _exchange(self, method, path, body, headers):
        """One connection for all; the gateway closes it when it has been idle."""
        for fresh in (False, True):
            if self.link is None or fresh:
                self.link = http.client.HTTPSConnection(self.host, self.port, context=self.trust, timeout=60,
                                                        source_address=self.source)
            try:
                self.link.request(method, path, body, headers)
                answer = self.link.getresponse()
                if is_endless(answer):
                    self.link = None
                    return answer.status, answer.headers, ""
                return answer.status, answer.headers, answer.read().decode()
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
                if fresh:
                    raise
        return None

    def ask(self, method, path, body=None, **headers):
        """(status, headers, text). A header of value None is not sent."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            headers.setdefault("Cookie", f"__Host-engawa={self.cookie}")
        if method not in ("GET", "HEAD"):
            headers.setdefault("Origin", self.origin)
            headers.setdefault("Sec-Fetch-Site", "same-origin")
            if self.csrf:
                headers.setdefault("X-Engawa-CSRF", self.csrf)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        status, headers, text = self._exchange(
            method, path, json.dumps(body) if body is not None else None,
            {name: value for name, value in headers.items() if value is not None})
        given = headers.get("Set-Cookie")
        if given and given.startswith("__Host-engawa="):
            self.cookie = given.split("=", 1)[1].split(";")[0] or None
        return status, headers, text

    def call(self, method, path, body=None, **headers):
        """The answer, parsed; a refusal is raised."""
        status, _, text = self.ask(method, "/api/v1" + path, body, **headers)
        answer = json.loads(text) if text else None
        if status >= 300:
            raise Refused(status, answer or {}, f"{method} {path}")
        if isinstance(answer, dict) and "csrf" in answer:
            self.me, self.csrf = answer, answer["csrf"]
        return answer

    def refused(self, method, path, body=None, **headers):
        """The problem with which it is refused; an answer is a failure."""
        try:
            answer = self.call(method, path, body, **headers)
        except Refused as refusal:
            return refusal.problem
        raise AssertionError(f"{method} {path} was answered: {answer}")

    def try_in(self, password=None, code=None):
        """(status, headers, problem or ME) of one try, whatever comes."""
        body = {"account": self.account, "password": password or self.password}
        if code:
            body["code"] = code
        status, headers, text = self.ask("POST", "/api/v1/sign-in", body)
        return status, headers, json.loads(text)

    def sign_in(self, code=None, password=None):
        self.cookie = self.csrf = None
        body = {"account": self.account, "password": password or self.password}
        if code:
            body["code"] = code
        self.call("POST", "/sign-in", body)
        return self

    def settle(self, password=PASSWORD):
        """The first sign-in: the one-time password is changed."""
        self.sign_in()
        self.call("POST", "/me/password", {"old": self.password, "new": password})
        self.password = password
        return self

    def step_up(self):
        self.call("POST", "/me/step-up", {"password": self.password})
        return self


def operator(gateway):
    """The first operator, settled."""
    made = gateway.made["operator"]
    return Person(gateway, made["account"], made["password"]).settle()


def hire(by, gateway, name, *roles, tenant=""):
    """A new account, settled."""
    body = {"name": name, "roles": list(roles), "language": "ja"}
    if tenant:
        body["tenant"] = tenant
    try:
        made = by.call("POST", "/accounts", body)
    except Refused as refusal:  # on a busy machine a sign-in is old before it is used
        assert refusal.problem["code"] == "STEP_UP_NEEDED"
        made = by.step_up().call("POST", "/accounts", body)
    return Person(gateway, name, made["password"]).settle()
