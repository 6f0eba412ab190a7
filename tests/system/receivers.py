"""Receivers of alarms, as real as a test can have them: HTTPS, SMTP with STARTTLS and a password, syslog.

    trust = Trust(tmp)                       a certificate for 127.0.0.1
    hook = Hook(trust); hook.url             POSTs are in hook.got; hook.answers.append(503) fails the next
    post = PostOffice(trust); post.server    mails are in post.got
    Syslog(tmp).udp / .tcp / .tls / .unix    messages are in .got
"""

import http.server
import socket
import socketserver
import ssl
import subprocess
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from world import free_port


class Trust:
    def __init__(self, tmp):
        self.ca, self.key = tmp / "receiver.pem", tmp / "receiver.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.key, "-out", self.ca, "-days", "2", "-subj", "/CN=receiver",
                        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, self.key)
        return context


class Hook:
    """A webhook's receiver: answers with what is in `answers`, then 200; a pause makes it slow."""

    def __init__(self, trust, pause=0):
        self.got, self.answers, self.tries = [], [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.tries.append(self.headers["Idempotency-Key"])
                time.sleep(pause)
                status = hook.answers.pop(0) if hook.answers else 200
                if status == 200:
                    hook.got.append((time.time(), dict(self.headers), body))
                self.send_response(status)
                self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = trust.context().wrap_socket(self.server.socket, server_side=True,
                                                         do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class PostOffice:
    """Takes mail after STARTTLS and a password only."""

    def __init__(self, trust, user="engawa", password="mail-password"):
        self.got = []
        office = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                office.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl))
                return "250 taken"

        def authenticate(server, session, envelope, mechanism, data):
            good = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=good)

        class Tls(Controller):
            def factory(self):
                return SMTP(self.handler, tls_context=trust.context(), require_starttls=True, auth_required=True,
                            authenticator=authenticate, hostname="receiver")

        port = free_port()
        self.controller = Tls(Handler(), hostname="127.0.0.1", port=port)
        self.controller.start()
        self.server = f"127.0.0.1:{port}"

    def close(self):
        self.controller.stop()


class Syslog:
    """One kind of syslog receiver: "udp", "tcp", "tls" or "unix"; whole messages are in `got`."""

    def __init__(self, kind, trust=None, path=None):
        self.got, self.kind = [], kind
        if kind in ("udp", "unix"):
            self.socket = socket.socket(socket.AF_INET if kind == "udp" else socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 0) if kind == "udp" else str(path))
            threading.Thread(target=self._datagrams, daemon=True).start()
            self.target = "unix" if kind == "unix" else f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
            return
        syslog = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                syslog._frames(self.rfile)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if kind == "tls":
            self.server.socket = trust.context().wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.target = f"{kind}://127.0.0.1:{self.server.server_address[1]}"

    def _datagrams(self):
        while True:
            try:
                self.got.append(self.socket.recv(8192).decode())
            except OSError:
                return

    def _frames(self, stream):
        """RFC 6587: the length in front."""
        while True:
            length = b""
            while not length.endswith(b" "):
                one = stream.read(1)
                if not one:
                    return
                length += one
            self.got.append(stream.read(int(length)).decode())

    def close(self):
        if hasattr(self, "server"):
            self.server.shutdown()
            self.server.server_close()
        else:
            self.socket.close()
