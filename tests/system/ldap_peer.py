"""A real slapd with a test CA and some people, in a directory of its own, ended by pid."""

import os
import signal
import socket
import subprocess
from urllib.parse import quote

from world import free_port, run, wait_for

SCHEMA = "/etc/ldap/schema"
MODULES = "/usr/lib/ldap"

CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {dir}/slapd.pid
TLSCertificateFile {dir}/ldap.pem
TLSCertificateKeyFile {dir}/ldap.key
TLSCACertificateFile {dir}/ca.pem
{more}
database mdb
suffix "dc=example,dc=jp"
rootdn "cn=root,dc=example,dc=jp"
rootpw rootpw
directory {dir}/db
overlay ppolicy
ppolicy_default "cn=policy,dc=example,dc=jp"
access to attrs=userPassword by anonymous auth by * none
access to * by dn="cn=reader,dc=example,dc=jp" read by * none
"""

PEOPLE = """
dn: dc=example,dc=jp
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=jp
objectClass: organizationalUnit
ou: people

dn: cn=policy,dc=example,dc=jp
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: cn=reader,dc=example,dc=jp
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: readerpw
"""

PERSON = """
dn: uid={dn},ou=people,dc=example,dc=jp
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
mail: {mail}
userPassword: {password}
"""

BASE = "dc=example,dc=jp"
TEMPLATE = "uid={user},ou=people,dc=example,dc=jp"
FILTER = "(&(objectClass=inetOrgPerson)(uid={user}))"


def make_ca(folder, name="Test CA"):
    """A CA and a certificate for 127.0.0.1 and localhost: ca.pem, ldap.pem, ldap.key."""
    folder.mkdir(exist_ok=True)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", f"/CN={name}", "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=peer",
        "-keyout", folder / "ldap.key", "-out", folder / "ldap.csr")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    run("openssl", "x509", "-req", "-in", folder / "ldap.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-days", "30", "-extfile", folder / "ext", "-out", folder / "ldap.pem")
    return (folder / "ca.pem").read_text()


class Slapd:
    def __init__(self, world, people):
        """`people`: {uid: password}."""
        self.world = world
        # A unix socket's path must be short.
        self.dir = world.tmp / "ldap"
        self.ca = make_ca(self.dir)
        (self.dir / "db").mkdir()
        (self.dir / "slapd.conf").write_text(CONFIG.format(schema=SCHEMA, modules=MODULES, dir=self.dir, more=""))
        ldif = PEOPLE + "".join(PERSON.format(uid=uid, dn=uid.replace(",", "\\,"), mail=f"{uid}@example.jp", password=password)
                                for uid, password in people.items())
        run("slapadd", "-f", self.dir / "slapd.conf", text_in=ldif)
        self.plain_port, self.tls_port = free_port(), free_port()
        self.socket = self.dir / "s"
        self.start()

    @property
    def ldaps(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def plain(self):
        return f"ldap://127.0.0.1:{self.plain_port}"

    @property
    def ldapi(self):
        return f"ldapi://{quote(str(self.socket), safe='')}"

    def start(self):
        # It leaves privileges of the test's user as they are; -d keeps it in the foreground.
        self.program = self.world.start("slapd", ["slapd", "-f", self.dir / "slapd.conf", "-d", "0", "-h",
                                                  f"{self.plain}/ {self.ldaps}/ {self.ldapi}"])
        wait_for("slapd", self.answers)
        return self

    def answers(self):
        assert self.program.alive(), self.program.text()
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
        except OSError:
            return False
        return self.socket.exists()

    def modify(self, ldif):
        env = {**os.environ, "LDAPNOINIT": "1"}
        subprocess.run(["ldapmodify", "-x", "-H", self.plain, "-D", f"cn=root,{BASE}", "-w", "rootpw"],
                       input=ldif.encode(), check=True, capture_output=True, timeout=20, env=env)

    def lock(self, uid):
        self.modify(f"dn: uid={uid},ou=people,{BASE}\nchangetype: modify\nreplace: pwdAccountLockedTime\n"
                    "pwdAccountLockedTime: 000001010000Z\n")

    def hang(self):
        self.program.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.program.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.program.stop()

    def searching(self, **more):
        """The "ldap" object of a directory that looks people up."""
        return {"url": self.ldaps, "ca": self.ca, "base": BASE, "filter": FILTER,
                "bind_dn": f"cn=reader,{BASE}", "bind_password": "readerpw", **more}

    def binding(self, **more):
        """The "ldap" object of a directory that knows where people are."""
        return {"url": self.ldaps, "ca": self.ca, "bind_dn_template": TEMPLATE, **more}
