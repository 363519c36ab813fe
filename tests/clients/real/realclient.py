"""Homes for real mail programs, and the adapters run over them through clients_driver.

The driver (folder in the environment variable MM_BIN) works on the real root folder with a home in a
scratch folder, so that the programs read what the adapters wrote.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
BIN = pathlib.Path(os.environ.get("MM_BIN", ROOT / "build/gcc/bin")).resolve()
DRIVER = BIN / "clients_driver"
GOLDEN = ROOT / "tests/clients"

sys.path.insert(0, str(ROOT / "tests/lib"))
from mailserver import MailServer, free_ports, wait_for  # noqa: E402,F401


# Names that look like commands. Whatever they would make is called "marker".
HOSTILE = ("`id`\"; $(x) | y", "`touch marker`", "$(touch marker)", "\"; touch marker; \"", "'; touch marker; '",
           "| touch marker |", "\\`touch marker\\`", "${HOME}", "$HOME", "back\\slash\\", "per%cent%20%60%s%n", "#no comment",
           "semi;colon # c", "ünïcödé \u202egnp.exe", "~/x", "=x", "+x", "!x", "'", "\"", "\\", "`", "{a}", "a, b", "[x]",
           "a:b=c", "<x>&amp;", "(x)")


def argv_text(argv):
    return json.dumps(list(argv), separators=(",", ":"), ensure_ascii=False)


def sheet(*accounts, create="always", allow_cleartext=False):
    rows = [{"name": a.pop("name", f"work{i}" if i else "work"), "label": "Work", "replaces": [],
             "settings": [[k.replace("__", "."), v] for k, v in a.items()]}
            for i, a in enumerate(map(dict, accounts))]
    return {"proto": [1, 0], "user": "alice", "revision": 1, "create": create,
            "allow_cleartext": allow_cleartext, "tls_min": "1.2", "check": "login",
            "accounts": rows, "clients": []}


class Home:
    """A scratch home directory."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmhome"))
        self.path = self.dir / "home"
        self.path.mkdir(mode=0o700)

    def env(self, **more):
        return {"HOME": str(self.path), "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "xterm",
                "USER": "alice", "LOGNAME": "alice", "LC_ALL": "C.UTF-8", **more}

    def run(self, *argv, stdin="", timeout=30, **more):
        return subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True,
                              errors="surrogateescape", timeout=timeout, env=self.env(**more),
                              cwd=self.path, start_new_session=True)

    def write(self, name, text, mode=0o600):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def driver(self, what, client, wanted=None):
        args = [DRIVER, what, "", "alice", self.path, client]
        if wanted is not None:
            args.append(self.write("../sheet.json", json.dumps(wanted)))
        p = self.run(*args)
        if p.returncode != 0:
            raise AssertionError(f"{client}: {p.stderr}")
        return p.stdout

    def apply(self, client, wanted):
        return self.driver("apply", client, wanted)

    def seen(self, client):
        """What the adapter reads: {account: {setting: value}} of the place in use."""
        out, place = {}, None
        for line in self.driver("show", client).splitlines():
            if line.startswith("place "):
                place = " in use" in line
            elif place and " = " in line and not line.startswith("trap "):
                name, value = line.split(" = ", 1)
                account, setting = name.rsplit(" ", 1)
                for end in (" unsure, ", " unsure until written, ", " overridden by ", " (/", " (default)"):
                    value = value.rsplit(end, 1)[0]
                out.setdefault(account, {})[setting] = value
        return out

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class RunningHost:
    """The agent in the home of a test, with a change for a program that runs."""

    def __init__(self, case, client, account):
        from agentlib import OK, Host, sheet as policy  # what it needs is not built everywhere
        self.case, self.client, self.policy, self.ok = case, client, policy, OK
        folder = case.home.dir / "agent"
        folder.mkdir()
        self.host = Host(folder, home=case.home.path, login="alice", domains=["localhost"], programs=["/bin/cat", "/bin/false"],
                         probe=str(ROOT / "tests/lib/fakeprobe.py"))
        self.account = account

    def apply(self):
        """With another name for the sender than it has now."""
        rows = {k: v for k, v in self.account.items() if k not in ("incoming.ca_file", "outgoing.ca_file")}
        rows.setdefault("incoming.password_command", '["/bin/false"]')
        settings = [[k, v] for k, v in {**rows, "account.real_name": "Somebody Else"}.items()]
        a = self.host.apply(self.policy(accounts=[{"name": "work", "label": "Work", "replaces": [], "settings": settings}],
                                        clients={self.client: "enforce"}))
        return {(f["state"], f["action"]) for f in a.findings
                if f["client"] == self.client and f["setting"] == "account.real_name"}, a

    def waits(self):
        states, a = self.apply()
        self.case.assertEqual(states, {("deferred", "none")}, a.stderr)
        self.case.assertFalse(self.written())

    def written(self):
        return [p for p in self.case.home.path.rglob("*") if p.is_file() and ".local/state" not in str(p) and
                b"Somebody Else" in p.read_bytes()]

    def is_done(self):
        states, a = self.apply()
        self.case.assertIn({action for _, action in states}, ({"adopted"}, {"corrected"}), f"{a.stderr} {states}")
        self.case.assertTrue(self.written())


class ClientCase(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.remove)


def golden(client):
    """The golden folders of a client that hold a home."""
    return sorted(p for p in (GOLDEN / client).iterdir() if (p / "before/home/alice").is_dir())


def proven(server):
    """What the server's log shows of logins over TLS: {"imap tls", "smtp starttls", ...}."""
    kind = {}
    for name, port in server.ports.items():
        service = name.removesuffix("s").replace("submission", "smtp")
        kind[port] = f"{service} {'tls' if name.endswith('s') else 'starttls'}"
    text = server.log.read_text(errors="replace")
    return {kind[int(port)] for port in re.findall(r"-login: (?:Info: )?Login: user=<[^>]+>.* lport=(\d+),.*\bTLSv1", text)}


def proves(client, *cells):
    """Says of a test which cells of the matrix (matrix.py) it fills. Those that are logins must stand in the
    server's log when the test is over: the port and TLS, whatever the test itself looked at."""
    def mark(test):
        @functools.wraps(test)
        def run(self):
            logins = {c for c in cells if c.split()[0] in ("imap", "pop3", "smtp")}
            if logins:
                self.server.log.write_text("")
            test(self)
            if logins:
                self.assertEqual(logins - proven(self.server), set(), f"{client}: not in the server's log")
        return run
    return mark


def have(*programs):
    missing = [p for p in programs if shutil.which(p) is None]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))
