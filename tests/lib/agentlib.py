"""Driving mailmuster-agent in tests: keys, signed requests, frames, scratch users.

The agent is the real program (folder in the environment variable MM_BIN); requests are signed by
tests/lib/mkrequest.c. What a controller would never send is made by changing bytes here.
"""

import ctypes
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("MM_BIN", ROOT / "build/gcc/bin")).resolve()
AGENT = BIN / "mailmuster-agent"
MAGIC = b"MMUSTR1\n"
ENVELOPE, SHEET, REQUEST_END = 1, 2, 3
HELLO, REPORT, FINDING, LOGIN, KEEPALIVE, END, REFUSED = 16, 17, 18, 19, 20, 21, 22
OK, FAILED, DIFF, USAGE, DATAERR, NOPERM = 0, 1, 2, 64, 65, 77


def frame(kind, body=b""):
    return struct.pack(">HHI", kind, 0, len(body)) + body


def digest(data):
    return hashlib.sha256(data).hexdigest()


def mkrequest(*args, data=b""):
    p = subprocess.run([BIN / "mkrequest", *map(str, args)], input=data, capture_output=True, check=True)
    return p.stdout


def is_fact(finding):
    return finding.get("setting", "").startswith(("client.", "file."))


class Answer:
    """What the agent said, taken apart and checked (count and hash of END)."""

    def __init__(self, proc):
        self.status, self.stderr, raw = proc.returncode, proc.stderr.decode(), proc.stdout
        assert raw.startswith(MAGIC), (raw[:200], self.stderr)
        self.frames, sha, count, pos = [], hashlib.sha256(), 0, len(MAGIC)
        self.ended = False
        while pos < len(raw):
            kind, zero, size = struct.unpack(">HHI", raw[pos:pos + 8])
            body = raw[pos + 8:pos + 8 + size]
            assert zero == 0 and len(body) == size
            pos += 8 + size
            if kind == END:
                end = json.loads(body)
                assert end == {"frames": count, "sha256": sha.hexdigest()}, end
                self.ended = True
            elif kind != KEEPALIVE:
                sha.update(struct.pack(">HI", kind, size) + body)
                count += 1
            self.frames.append((kind, json.loads(body) if body else None))

    def of(self, kind):
        return [body for k, body in self.frames if k == kind]

    @property
    def findings(self):
        """What was compared; the facts beside that are apart."""
        return [f for f in self.of(FINDING) if not is_fact(f)]

    @property
    def facts(self):
        return [f for f in self.of(FINDING) if is_fact(f)]

    def fact(self, setting, **where):
        """What was found, of the one fact about this; None: unknown."""
        found = [f for f in self.facts if f["setting"] == setting and all(f[k] == v for k, v in where.items())]
        assert len(found) == 1, (setting, where, found, self.facts)
        assert ("found" in found[0]) == (found[0]["state"] != "unknown"), found
        return found[0].get("found")

    @property
    def refused(self):
        found = self.of(REFUSED)
        return found[0]["reason"] if found else None

    def finding(self, setting, user=None, client=None, account=None):
        found = [f for f in self.findings if f.get("setting", "") == setting and
                 user in (None, f["user"]) and client in (None, f["client"]) and account in (None, f["account"])]
        assert len(found) == 1, (setting, client, found, self.findings)
        return found[0]

    def states(self):
        return sorted({(f["state"], f["action"]) for f in self.findings})


def account(address="alice@acme.example", name="work", **changes):
    """The settings of one account; changes as incoming__host="..."; None takes one away."""
    login = address.split("@")[0]
    s = {
        "account.address": address, "account.real_name": login.capitalize(),
        "incoming.protocol": "imap", "incoming.host": "imap.acme.example", "incoming.port": "993",
        "incoming.security": "tls", "incoming.auth": "password", "incoming.username": address,
        "outgoing.protocol": "smtp", "outgoing.host": "smtp.acme.example", "outgoing.port": "465",
        "outgoing.security": "tls", "outgoing.auth": "password", "outgoing.username": address,
    }
    extra = {k: changes.pop(k) for k in ("replaces", "renamed_from", "label") if k in changes}
    for key, value in changes.items():
        s[key.replace("__", ".")] = value
    out = {"name": name, "label": extra.get("label", "Acme mail"), "replaces": extra.get("replaces", []),
           "settings": [[k, v] for k, v in s.items() if v is not None]}
    if "renamed_from" in extra:
        out["renamed_from"] = extra["renamed_from"]
    return out


def sheet(user="alice", accounts=None, clients=None, revision=1, create="existing", check="reach", cleartext=False):
    clients = {"msmtp": "enforce"} if clients is None else clients
    rules = []
    for name, mode in clients.items():
        mode, settings = mode if isinstance(mode, tuple) else (mode, {})
        rules.append({"client": name, "mode": mode, "settings": [[k, v] for k, v in settings.items()]})
    doc = {"proto": [1, 0], "user": user, "revision": revision, "create": create, "allow_cleartext": cleartext,
           "tls_min": "1.2", "check": check,
           "accounts": [account(f"{user}@acme.example")] if accounts is None else accounts, "clients": rules}
    return json.dumps(doc, separators=(",", ":")).encode()


class Host:
    """One installation of the agent in a folder: agent.conf, state, a controller's key."""

    def __init__(self, folder, home=None, login=None, uid=None, state=None, **conf):
        self.dir = pathlib.Path(folder)
        self.uid, self.login = uid, login
        self.home = pathlib.Path(home) if home else None
        self.key, self.pub = self.dir / "controller.pem", self.dir / "controller.pub"
        self.conf = self.dir / "agent.conf"
        own = self.home / ".local/state/mailmuster-agent" if login else self.dir / "state"
        self.state = pathlib.Path(state) if state else own
        self.serial = int(time.time())
        self.settings = {"host": "ws1", "domains": ["acme.example"], "programs": [], "clients": None,
                         "probe": str(BIN / "mailmuster-probe")}
        self.settings.update(conf)
        mkrequest("keygen", self.key, self.pub)
        self.write_conf()

    def write_conf(self, **changes):
        s = self.settings = {**self.settings, **changes}

        def strings(values):
            return "[ " + ", ".join(json.dumps(v) for v in values) + " ]"
        text = [f'host = "{s["host"]}";', f"keys = {strings([str(self.pub)])};", "limits = {",
                f"  domains = {strings(s['domains'])};", f"  password_programs = {strings(s['programs'])};"]
        if s["clients"] is not None:
            text.append(f"  clients = {strings(s['clients'])};")
        text += ["};", f'state_dir = "{self.state}";', f'probe = "{s["probe"]}";']
        if "probe_again" in s:
            text[-1] = f'probe = {{ program = "{s["probe"]}"; again = {s["probe_again"]}; }};'
        if self.login:
            text.append(f'login = "{self.login}";')
        self.conf.write_text("\n".join(text) + "\n")
        self.conf.chmod(0o644)

    # -- running
    def _become(self):
        if self.uid is not None:
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)

    def env(self):
        # What a hostile peer would like to be heard.
        e = {"PATH": "/usr/bin:/bin:/evil", "LANG": "C.UTF-8", "SSH_ORIGINAL_COMMAND": "touch /evil",
             "LD_DEBUG_OUTPUT": "/evil"}
        if self.home:
            e["HOME"] = str(self.home)
        return e

    def popen(self, command, *args, **kw):
        argv = [str(AGENT), command, "--config", str(self.conf), *map(str, args)]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.env(), preexec_fn=self._become, **kw)

    def run(self, command, *args, data=b"", timeout=120, **kw):
        p = self.popen(command, *args, **kw)
        out, err = p.communicate(data, timeout)
        return subprocess.CompletedProcess(p.args, p.returncode, out, err)

    # -- requests
    def request(self, op="apply", sheets=(), **changes):
        """The signed payload, as a dict of its members; epoch and serial are the next ones."""
        self.serial = max(self.serial + 1, int(time.time()))
        now = int(time.time())
        r = {"proto": [1, 0], "op": op, "id": secrets.token_hex(16), "host": self.settings["host"], "epoch": 1,
             "serial": self.serial, "revision": 1, "issued": now, "expires": now + 3600,
             "manifest": {json.loads(s)["user"]: digest(s) for s in sheets}, "ack": []}
        r.update(changes)
        return r

    def stream(self, request, sheets=(), key=None, envelope=None, noise=b""):
        if envelope is None:
            envelope = mkrequest("sign", key or self.key, data=json.dumps(request).encode())
        return noise + MAGIC + frame(ENVELOPE, envelope) + b"".join(frame(SHEET, s) for s in sheets) + frame(REQUEST_END)

    def send(self, stream, **kw):
        return Answer(self.run("receive", data=stream, **kw))

    def ask(self, op="apply", sheets=(), **changes):
        return self.send(self.stream(self.request(op, sheets, **changes), sheets))

    def apply(self, *sheets, **changes):
        return self.ask("apply", sheets, **changes)

    def plan(self, *sheets, **changes):
        return self.ask("plan", sheets, **changes)


# ---- scratch users, in a mount namespace of our own

_CLONE_NEWNS, _MS_REC, _MS_PRIVATE, _MS_BIND = 0x20000, 0x4000, 1 << 18, 4096
_libc = ctypes.CDLL(None, use_errno=True)


def _check(rc):
    if rc != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind=None, flags=0, options=None):
    _check(_libc.mount(str(source).encode(), str(target).encode(), kind.encode() if kind else None, flags,
                       options.encode() if options else None))


def umount(target):
    _check(_libc.umount2(str(target).encode(), 2))


def private_users(folder, users):
    """Give this process its own /etc/passwd, group and shadow with these {login: (uid, home)}."""
    folder = pathlib.Path(folder)
    _check(_libc.unshare(_CLONE_NEWNS))
    mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    lines = {"passwd": [], "group": [], "shadow": []}
    for login, (uid, home) in users.items():
        lines["passwd"].append(f"{login}:x:{uid}:{uid}::{home}:/bin/sh")
        lines["group"].append(f"{login}:x:{uid}:")
        lines["shadow"].append(f"{login}:*:1::::::")
    for name, more in lines.items():
        copy = folder / name
        copy.write_text(pathlib.Path("/etc", name).read_text() + "\n".join(more) + "\n")
        copy.chmod(0o644)
        mount(copy, f"/etc/{name}", None, _MS_BIND)


def give(path, uid):
    for p in [path, *path.rglob("*")]:
        os.chown(p, uid, uid, follow_symlinks=False)


def is_root():
    return os.geteuid() == 0


def wait_until(what, timeout=10):
    end = time.time() + timeout
    while time.time() < end:
        if what():
            return True
        time.sleep(0.01)
    return False


def scratch():
    """A folder that every user can pass through."""
    d = pathlib.Path(tempfile.mkdtemp(prefix="mm-agent-"))
    d.chmod(0o755)
    return d


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def end_process(p):
    if p.poll() is None:
        p.send_signal(signal.SIGKILL)
    p.wait()


__all__ = [n for n in dir(sys.modules[__name__]) if not n.startswith("_")]
