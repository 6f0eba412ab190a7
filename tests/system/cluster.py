"""Several nodes that share one Redis: what a cluster is made of, in a test.

    cluster = Cluster(world, nodes=2)
    license = cluster.license()
    host = Host(world, cluster, license).enroll(gateway=cluster.addresses).run("--display", desktop.at)
    cluster.nodes[0].program.kill()
    cluster.nodes[0].restart()
    cluster.redis.kill().start()

The public ports stay the same over restarts: the ends keep them in their lists. Everything is ended by
the World that it was started in.
"""

import shutil
import signal
import socket
from pathlib import Path

from world import BIN, TOOLS, TOP, Gateway, free_port, run, wait_for


class Redis:
    """A redis-server of our own, on a socket in a directory of its own; with `tcp` also on a port.

    `options` are redis-server's ("--maxmemory", "64mb"); with `user` and `password` the rights are those of
    deploy/redis/users.acl, for that user. What is written is on the disk when it is answered.
    """

    def __init__(self, world, *options, name="redis", user=None, password=None, tcp=False, clock=None):
        self.world, self.name, self.options = world, name, options
        self.env = clock.env(shutil.which("redis-server")) if clock else None
        self.dir = world.tmp / name
        self.dir.mkdir()
        self.user, self.password = user, password
        self.port = free_port() if tcp else None
        # A path of at most 107 bytes: temporary directories can be deep.
        self.socket = self.dir / "s"
        self.program = None
        self.start()

    def start(self):
        words = ["redis-server", "--port", self.port or 0, "--bind", "127.0.0.1", "--unixsocket", self.socket,
                 "--dir", self.dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                 "--maxmemory-policy", "noeviction", "--logfile", self.dir / "redis.log"]
        if self.user:
            acl = self.dir / "users.acl"
            rules = (TOP / "deploy/redis/users.acl").read_text()
            acl.write_text(rules.replace("user engawa ", f"user {self.user} ").replace("CHANGE-ME", self.password))
            words += ["--aclfile", acl]
        elif self.password:
            words += ["--requirepass", self.password]
        self.program = self.world.start(self.name, [*words, *self.options], env=self.env)
        return self.answers()

    def cli(self, *words, code=0):
        """redis-cli's answer; "" when there is none."""
        who = ["--no-auth-warning"]
        who += ["--user", self.user] if self.user else []
        who += ["--pass", self.password] if self.password else []
        return run("redis-cli", "-s", self.socket, *who, *words, code=code).strip()

    def answers(self):
        wait_for("Redis to answer", lambda: self.cli("ping", code=None).startswith(("PONG", "NOPERM")))
        return self

    @property
    def url(self):
        """Goes to [store] address and --store; options follow after "?"."""
        who = f"{self.user or ''}:{self.password}@" if self.password else ""
        return f"redis://{who}127.0.0.1:{self.port}" if self.port else f"redis+unix://{who}{self.socket}"

    @property
    def pid(self):
        return self.program.process.pid

    def stop(self):
        self.resume()
        self.program.stop()
        return self

    def kill(self):
        self.program.kill()
        return self

    def pause(self):
        self.program.kill(signal.SIGSTOP)
        return self

    def resume(self):
        self.program.kill(signal.SIGCONT)
        return self

    def restart(self):
        return self.kill().start()


# Sentinels that a busy machine keeps from voting try again after some seconds, several times.
LONG = 180


class Pair:
    """A primary and its replica, watched by sentinels of which two have to agree; nodes ask the sentinels."""

    def __init__(self, world, clocks=(None, None), down_ms=500):
        # A disk that is slow is not a primary that is gone.
        options = ("--appendfsync", "everysec", "--repl-diskless-sync-delay", "0")
        one = Redis(world, *options, name="redis1", tcp=True, clock=clocks[0])
        two = Redis(world, *options, "--replicaof", f"127.0.0.1 {one.port}", name="redis2", tcp=True, clock=clocks[1])
        self.both = [one, two]
        self.ports = [free_port() for _ in range(3)]
        for port in self.ports:
            self._sentinel(world, port, one.port, down_ms)
        wait_for("the sentinels to know each other and the replica", lambda: all(
            " ".join(self._master(port)).count("num-slaves 1 num-other-sentinels 2") for port in self.ports), seconds=LONG)
        self.in_step()

    @staticmethod
    def _sentinel(world, port, primary, down_ms):
        place = world.tmp / f"sentinel{port}"
        place.mkdir()
        (place / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {place}\nlogfile {place}/log\n"
            f"sentinel monitor engawa 127.0.0.1 {primary} 2\n"
            f"sentinel down-after-milliseconds engawa {down_ms}\nsentinel failover-timeout engawa 3000\n")
        world.start(f"sentinel{port}", ["redis-server", place / "sentinel.conf", "--sentinel"])

    @staticmethod
    def _master(port):
        return run("redis-cli", "-p", port, "sentinel", "master", "engawa", code=None).split()

    @property
    def url(self):
        return f"redis-sentinel://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/engawa"

    @property
    def primary(self):
        """Whom the sentinels name, and who says so itself."""
        def named():
            told = run("redis-cli", "-p", self.ports[0], "sentinel", "get-master-addr-by-name", "engawa",
                       code=None).split()
            return next((one for one in self.both if told[-1:] == [str(one.port)]
                         and one.cli("role", code=None).startswith("master")), None)
        return wait_for("a primary", named, seconds=LONG)

    def in_step(self):
        """Both are there, and the replica has what the primary has."""
        def agree():
            primary = self.primary
            other = self.both[self.both[0] is primary]
            return "state=online" in primary.cli("info", "replication", code=None) and \
                "master_link_status:up" in other.cli("info", "replication", code=None)
        wait_for("the replica to be in step", agree, seconds=LONG)
        return self

    def fail_over(self):
        """The primary is killed, the sentinels promote the other, and the one that was killed becomes its replica."""
        old = self.primary
        old.kill()
        new = self.both[self.both[0] is old]
        wait_for("the replica to be promoted", lambda: new.cli("role", code=None).startswith("master"),
                 seconds=LONG)
        # Redis puts what the sentinels made of it into no file of ours: it comes back as a replica by its options.
        old.options = tuple(word for at, word in enumerate(old.options)
                            if "--replicaof" not in old.options[max(0, at - 1):at + 1])
        old.options += ("--replicaof", f"127.0.0.1 {new.port}")
        old.start()
        return self.in_step()

    def cli(self, *words, code=0):
        return self.primary.cli(*words, code=code)


class Clock:
    """The wall clock of one process, for which time goes on as it does but that can be set to another time while it
    runs; its monotonic clock is the machine's. Debian's libfaketime reads what it is from a file, once a second."""

    def __init__(self, world, name):
        self.path = world.tmp / f"{name}.clock"
        self.jumps = 0
        self.set(0)

    def set(self, seconds):
        """So many seconds away from the machine's."""
        fresh = self.path.with_suffix(".fresh")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self.path)
        self.jumps += 1
        return self

    def env(self, program):
        """Its sanitizer has to come before any other library; and an allocator of its own that asks for the time
        before libfaketime has begun is left out."""
        libraries = [word for word in run("ldd", program).split() if word.startswith("/")]

        def named(*names):
            return [path for path in libraries if Path(path).name.startswith(names)]
        faketime = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        preload = [*named("libasan.", "libtsan."), str(faketime), *(named("libc.so") if named("libjemalloc.") else [])]
        return {"LD_PRELOAD": ":".join(preload), "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Cluster:
    """`nodes` gateways of one CA and one master key. `config` is what their files have beside the node's
    own lines: {"relay": {"grace": "20s"}}. With `addresses` every node is reachable from other nodes' ends
    ([node] address); without it nobody is sent from one to another by name, but with `peers` the nodes carry viewers
    to each other ([node] peer). Tests that are not about a slow Redis give it a `deadline_ms` that a busy machine
    keeps. With `clocks`, one for each, the nodes' wall clocks can be set."""

    def __init__(self, world, nodes=2, redis=None, config=None, addresses=True, options=(),
                 deadline_ms=250, peers=False, clocks=()):
        self.world, self.config, self.public, self.peers = world, config or {}, addresses, peers
        self.redis = redis or Redis(world)
        self.nodes = []
        self.options, self.clocks = options, clocks
        self.store = f"{self.redis.url}?deadline_ms={deadline_ms}"
        for _ in range(nodes):
            self.add()

    def add(self, **node):
        """One more node, started; `node` are further settings of its [node] section."""
        number = len(self.nodes) + 1
        gateway = Gateway(self.world, f"node{number}")
        first = self.nodes[0] if self.nodes else None
        gateway.init(*(["--from", first.data] if first else []))
        gateway.listen = f"127.0.0.1:{free_port()}"
        own = {"address": gateway.listen} if self.public else {}
        if self.peers:
            own["peer"] = gateway.listen
        gateway.own = {**own, **node}
        if self.clocks:
            gateway.env = self.clocks[number - 1].env(BIN / "engawa-gateway")
        path = self.configure(gateway, self.config)
        gateway.start("--store", self.store, "--config", path, *self.options, listen=gateway.listen)
        self.nodes.append(gateway)
        return gateway

    def configure(self, gateway, config):
        """Its file from now on; it is read at a restart, and much of it on SIGHUP."""
        path = self.world.tmp / f"{gateway.name}.conf"
        path.write_text(self.text({**config, "node": {**config.get("node", {}), **gateway.own}}))
        return path

    @staticmethod
    def text(config):
        return "".join(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
                       for section, values in config.items())

    @property
    def addresses(self):
        """For the ends: enroll --gateway, pair --gateway."""
        return ",".join(node.listen for node in self.nodes)

    # What a Host and a Viewer need of a gateway, so that a cluster can stand in its place.
    address = addresses

    @property
    def ca(self):
        return self.nodes[0].ca

    def living(self):
        """A node that runs, to be asked."""
        return next(node for node in self.nodes if node.program.alive())

    def ctl(self, *words, **options):
        return self.living().ctl(*words, **options)

    def license(self, *words):
        return self.living().license(*words)

    def log(self, kind, *options):
        return self.living().log(kind, *options)

    def names(self):
        """Their names, as `node list` has them."""
        return [node.made["node"] for node in self.nodes]


class Line:
    """A line of our own to one address, that can be cut or frozen."""

    def __init__(self, world, to):
        self.socket = world.tmp / "line"
        port = free_port()
        world.start("line", [TOOLS / "faultproxy", "--to", to, "--listen", f"127.0.0.1:{port}",
                             "--control", self.socket])
        self.address = f"127.0.0.1:{port}"
        wait_for("the line", self.socket.exists)

    def say(self, command):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(self.socket))
            control.sendall(f"{command}\n".encode())
            assert control.recv(100).startswith(b"ok")
