"""The simulated fleet for a driver: starts mm-bench-fleet, makes a controller's
state that knows its hosts, and reads what the hosts remember."""

import os
import pathlib
import socket
import struct
import subprocess
import time

GOOD, DOWN, HANG, BROKEN, NO_SESSION, DEAF, LOST = range(7)
KINDS = ("good", "down", "hang", "broken", "no-session", "deaf", "lost")
ALL_UP, ALL_SPEAK, ALL_SESSIONS = 1, 2, 4
# tests/bench/fleet/world.h
HEAD, RECORD, FLAGS_AT = 64, struct.Struct("<4q32s32s8I"), 16
POLICY = """format = 1;
organisation = {{ name = "Acme"; domain = "acme.example"; }};
endpoints = {{
  imap = {{ protocol = "imap"; host = "{host}"; port = 993; security = "tls"; auth = "password";
           username = "%{{address}}"; password_command = [ "/usr/bin/pass", "show", "mail/%{{login}}" ]; }};
  smtp = {{ protocol = "smtp"; host = "{host}"; port = 465; security = "tls"; auth = "password";
           username = "%{{address}}"; password_command = [ "/usr/bin/pass", "show", "mail/%{{login}}" ]; }};
}};
accounts = {{ work = {{ address = "%{{address}}"; real_name = "%{{name}}"; incoming = "imap"; outgoing = "smtp"; }}; }};
groups = {{ staff = {{ priority = 10; accounts = [ "work" ]; clients = {{ mutt = "enforce"; }}; }}; }};
rules = {{ tls_min = "1.2"; check = "login"; }};
"""


class Host:
    """What one workstation remembers."""

    def __init__(self, number, record):
        (self.epoch, self.serial, self.revision, self.former_revision, self.digest, self.former, self.kind,
         self.connections, self.requests, self.changes, self.reverts, self.unconfirmed, self.refused,
         _) = RECORD.unpack(record)
        self.number, self.id = number, f"h{number}"


def address(n):
    return f"127.{1 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}"


def free_ports():
    """The first of three ports in a row that nobody uses."""
    for base in range(21000, 32000, 7):
        held = []
        try:
            for port in range(base, base + 3):
                s = socket.socket()
                held.append(s)
                s.bind(("0.0.0.0", port))
            return base
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise RuntimeError("no free ports")


class Fleet:
    """`shares`: percent of the hosts of each kind, {"down": 5}."""

    def __init__(self, folder, bin_folder, hosts, shares=None, **options):
        self.dir, self.bin, self.n = pathlib.Path(folder), pathlib.Path(bin_folder), hosts
        self.shares, self.options = shares or {}, options
        self.port, self.process = free_ports(), None
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.dir), "MAILMUSTER_STATE": str(self.dir / "state"),
                    "LANG": "C.UTF-8"}

    # ---- the controller
    def argv(self, *args):
        return [str(self.bin / "mailmuster"), *map(str, args)]

    def run(self, *args, timeout=600):
        return subprocess.run(self.argv(*args), env=self.env, capture_output=True, text=True, check=False,
                              timeout=timeout, stdin=subprocess.DEVNULL)

    def must(self, *args, status=(0,)):
        r = self.run(*args)
        if r.returncode not in status:
            raise RuntimeError(f"mailmuster {' '.join(map(str, args))}: status {r.returncode}\n"
                               f"{r.stdout[-2000:]}{r.stderr[-2000:]}")
        return r

    def write(self, name, text):
        (self.dir / name).write_text(text)
        return self.dir / name

    def policy(self, host="mail.acme.example"):
        """A new revision whose server is `host`; its number."""
        self.must("policy", "import", self.write("policy.conf", POLICY.format(host=host)))

    # ---- the fleet
    def start(self):
        self.must("init")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.dir / "host_key"], check=True)
        argv = [self.bin / "mm-bench-fleet", "--hosts", self.n, "--port", self.port, "--state", self.dir / "world",
                "--host-key", self.dir / "host_key", "--user-key", self.dir / "state/keys/ssh.pub"]
        for name, value in {**self.shares, **self.options}.items():
            argv += [f"--{name.replace('_', '-')}", value]
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the simulated fleet does not start")
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()

    def hosts(self):
        data = (self.dir / "world").read_bytes()
        return [Host(i, data[HEAD + i * RECORD.size:HEAD + (i + 1) * RECORD.size]) for i in range(self.n)]

    def flags(self, bits):
        with open(self.dir / "world", "r+b", buffering=0) as f:
            f.seek(FLAGS_AT)
            f.write(struct.pack("<I", bits))

    def wait_for_late_ones(self):
        """With ALL_UP: until those that were down can be reached."""
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((address(0), self.port + 1), 5).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def prepare(self):
        """Users, hosts with their pinned keys, and the first revision."""
        key = " ".join((self.dir / "host_key.pub").read_text().split()[:2])
        by_kind = {DOWN: self.port + 1, DEAF: self.port + 2}
        rows = [(h.id, address(h.number), by_kind.get(h.kind, self.port), f"u{h.number}") for h in self.hosts()]
        self.must("user", "import", self.write("users.csv", "login,name,address,groups\n" + "".join(
            f"{u},User {u},{u}@acme.example,staff\n" for _, _, _, u in rows)))
        self.must("host", "import", self.write("hosts.csv", "host,address,port,account,users\n" + "".join(
            f"{h},{a},{p},root,{u}\n" for h, a, p, u in rows)))
        self.must("host", "keys", "import", self.write("known_hosts", "".join(f"[{a}]:{p} {key}\n" for _, a, p, _ in rows)))
        self.policy()
        return self
