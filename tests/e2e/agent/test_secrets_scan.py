"""Where a password may lie, and where not: command lines, environments, memory, files, reports, outputs.

While a login is under way the password is in the probe's and in the agent's memory; nowhere else, and in
the agent only in memory that is kept out of core dumps. When the login is over it is gone from the probe.
"""

import base64
import json
import os
import pathlib
import pty
import re
import sys
import threading
import time
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
from agentlib import *  # noqa: E402,F403
import authservers  # noqa: E402
import scripted  # noqa: E402
import test_credentials  # noqa: E402
from dovecot import Pki  # noqa: E402

FIRST, SECOND, THIRD = "horse-Battery-77-staple", "zebra-Voltage-88-clamps", "otter-Ampere-99-hinges"


def setUpModule():
    test_credentials.setUpModule()


def tearDownModule():
    test_credentials.tearDownModule()


def forms(secret):
    """The secret, and the parts of base64 that hold it whatever stands before; a key's are given (key_forms)."""
    if isinstance(secret, tuple):
        return secret
    out = [secret.encode()]
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret.encode())
        out.append(text[4 if before else 0:-4])
    return out


def key_forms(pki, name):
    """A private key: the lines of its file, and its number as it is written and as it is calculated with."""
    text = pathlib.Path(pki.path(name + ".key")).read_bytes()
    der = base64.b64decode(b"".join(text.split(b"\n")[1:-2]))
    at = der.index(b"\x02\x01\x01\x04\x20") + 5  # RFC 5915: version 1, then 32 bytes
    number = der[at:at + 32]
    return (*text.split(b"\n")[1:3], number, number[::-1])


def family(pid):
    """The process and its descendants."""
    parents = {}
    for p in pathlib.Path("/proc").iterdir():
        try:
            if p.name.isdigit():
                parents[int(p.name)] = int((p / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    found, grown = {pid}, True
    while grown:
        more = {p for p, parent in parents.items() if parent in found} - found
        grown, found = bool(more), found | more
    return sorted(found)


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def areas(pid):
    """(first, last, flags, name) of each readable area."""
    out = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r\S*) \S+ \S+ \S+\s*(.*)", line)
        if m:
            out.append([int(m[1], 16), int(m[2], 16), [], m[4]])
        elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            out.append([0, 0, [], ""])
        elif line.startswith("VmFlags:") and out:
            out[-1][2] = line.split()[1:]
    return [a for a in out if a[1]]


def where(pid, password):
    """Areas of memory in which the password lies, in any form: (name, flags)."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for first, last, flags, name in areas(pid):
            # huge is only the shadow of a sanitizer
            if name in ("[vvar]", "[vsyscall]") or last - first > 1 << 27:
                continue
            try:
                mem.seek(first)
                data = mem.read(last - first) or b""
            except (OSError, OverflowError, ValueError):
                continue
            if any(f in data for f in forms(password)):
                found.append((name, flags))
    return found


@unittest.skipUnless(is_root(), "needs root, to read the memory of processes that forbid it to all others")
class Scan(unittest.TestCase):
    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.home = self.dir / "home"
        self.home.mkdir()
        os.chown(self.home, 12345, 12345)
        (self.dir / "pki").mkdir()
        self.pki = Pki(str(self.dir / "pki"))
        for name in (".msmtprc", ".netrc"):
            self.put(name, "")
        self.host = Host(self.dir, home=self.home, login="alice", uid=12345, domains=["localhost", "acme.example"], programs=["/bin/cat"])

    def put(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, 12345, 12345)
        return path

    def serve(self, script, client_ca=None):
        context = scripted.context(self.pki.path("good.crt"), self.pki.path("good.key"), client_ca=client_ca)
        s = scripted.Server(script, context)
        self.addCleanup(s.close)
        return s

    def plain_account(self, name, server, **more):
        settings = {"outgoing__" + k: v for k, v in more.items()}
        return account("alice@acme.example" if name == "one" else f"{name}@acme.example", name=name,
                       outgoing__host="localhost", outgoing__port=str(server.port), outgoing__ca_file=self.pki.ca,
                       **settings)

    def account(self, name, server, password, **more):
        secret = self.put("secret-" + name, password + "\n")
        command = json.dumps(["/bin/cat", str(secret)], separators=(",", ":"))
        return self.plain_account(name, server, password_command=command, **more)

    def only_in_locked_memory(self, p, password):
        found = [area for a in self.members(p, "mailmuster-agent") for area in where(a, password)]
        self.assertTrue(found, "the scan does not see where it must be")
        for name, flags in found:
            self.assertIn("dd", flags, ("in the agent's ordinary memory", name, password))

    def begin(self, *accounts):
        s = sheet(accounts=list(accounts), check="login")
        p = self.host.popen("receive")
        data = self.host.stream(self.host.request("apply", [s]), [s])
        self.answer = []

        def talk():
            self.answer.extend(p.communicate(data, timeout=120))
        self.thread = threading.Thread(target=talk)
        self.thread.start()
        self.addCleanup(self.thread.join)
        return p

    def begin_asked(self, *answers):
        """`verify` by hand, on a terminal at which these are typed."""
        argv = [str(AGENT), "verify", "--config", str(self.host.conf), "--prompt"]
        environment = self.host.env()
        pid, fd = pty.fork()
        if pid == 0:
            try:
                self.host._become()
                os.execve(argv[0], argv, environment)
            finally:
                os._exit(127)
        self.answer = [b"", b""]

        def talk():
            left = list(answers)
            while True:
                try:
                    more = os.read(fd, 4096)
                except OSError:
                    more = b""
                if not more:
                    break
                self.answer[0] += more
                if left and re.search(rb"Password of [^\n]*: $", self.answer[0]):
                    os.write(fd, left.pop(0).encode() + b"\n")
            os.waitpid(pid, 0)
            os.close(fd)
        self.thread = threading.Thread(target=talk)
        self.thread.start()
        self.addCleanup(self.thread.join)
        return types.SimpleNamespace(pid=pid)

    def members(self, p, name):
        return [x for x in family(p.pid) if program(x) == name]

    def clean_outside(self, p, *passwords):
        for pid in family(p.pid):
            for part in ("cmdline", "environ", "comm"):
                try:
                    text = pathlib.Path(f"/proc/{pid}/{part}").read_bytes()
                except OSError:
                    continue
                for password in passwords:
                    self.assertFalse(any(f in text for f in forms(password)), (pid, part))

    def clean_behind(self, p, *passwords):
        self.thread.join()
        places = {"answer": self.answer[0], "errors": self.answer[1]}
        for root in (self.home, self.host.state):
            for path in root.rglob("*"):
                if path.is_file() and not path.name.startswith("secret-"):
                    places[str(path)] = path.read_bytes()
        self.assertIn(str(self.host.state / "logins.json"), places)
        for name, text in places.items():
            for password in passwords:
                self.assertFalse(any(f in text for f in forms(password)), name)

    def test_during_and_after(self):
        slow = self.serve(scripted.smtp(("localhost", "AUTH PLAIN LOGIN"), auth="535 5.7.8 no {echo}", delay=4))
        p = self.begin(self.account("one", slow, FIRST))
        self.assertTrue(wait_until(lambda: any(x.upper().startswith("AUTH") for x in slow.lines), 30), slow.lines)
        self.clean_outside(p, FIRST)
        agents, probes = self.members(p, "mailmuster-agent"), self.members(p, "mailmuster-probe")
        self.assertTrue(agents and len(probes) == 1, (agents, probes))
        # the scan can see it: there it must be now
        self.only_in_locked_memory(p, FIRST)
        self.assertTrue(where(probes[0], FIRST))
        self.clean_behind(p, FIRST)
        self.assertIn(b"AUTH_REJECTED", self.answer[0])

    def test_other_sources(self):
        """What came over the session bus or out of a file leaves nothing behind on its way."""
        desk = test_credentials.Keyring("test_no_bus")
        desk.setUp()
        self.addCleanup(desk.doCleanups)
        desk.keyring()
        slow = self.serve(scripted.smtp(("localhost", "AUTH PLAIN LOGIN"), auth="535 no", delay=4))
        desk.store(FIRST, "server", "localhost", "user", "alice@acme.example", "protocol", "smtp")
        desk.put(".netrc", f"machine localhost login alice@acme.example password {SECOND}\n")
        self.home, self.host = desk.home, desk.host
        # ~/.netrc as the source of a password; what reads it as a configuration of curl's is left out
        self.host.write_conf(probe=str(BIN / "mailmuster-probe"), domains=["localhost", "acme.example"], clients=["msmtp"])
        creds = self.home / "secret-credentials"
        creds.mkdir(mode=0o700)
        os.chown(creds, 12345, 12345)
        self.put("secret-credentials/mail.one.outgoing", THIRD + "\n")
        self.host.session = {**(getattr(self.host, "session", None) or {}), "CREDENTIALS_DIRECTORY": str(creds)}
        for source, password in (("secret-service", FIRST), ("netrc", SECOND), ("systemd", THIRD)):
            slow.lines.clear()
            p = self.begin(account("alice@acme.example", name="one", outgoing__host="localhost",
                                   outgoing__port=str(slow.port), outgoing__ca_file=self.pki.ca,
                                   outgoing__credential=source))
            self.assertTrue(wait_until(lambda: any(x.upper().startswith("AUTH") for x in slow.lines), 30), self.answer)
            self.only_in_locked_memory(p, password)
            self.clean_outside(p, password)
            self.thread.join()
            for text in self.answer:
                self.assertFalse(any(f in text for f in forms(password)), source)

    def one_is_over(self, p, quick, slow, first, second):
        """`second` is presented to the slow server now; `first` was, to the other."""
        self.assertTrue(wait_until(lambda: any(x.upper().startswith("AUTH") for x in slow.lines), 30), self.answer)
        self.assertTrue(wait_until(lambda: any(x.upper().startswith("QUIT") for x in quick.lines), 30), quick.lines)
        (probe,) = self.members(p, "mailmuster-probe")
        wait_until(lambda: not where(probe, first), 2)
        self.assertEqual(where(probe, first), [], "what was presented in a login that is over")
        self.assertTrue(where(probe, second), "the scan does not see where it must be")
        self.only_in_locked_memory(p, second)
        self.clean_outside(p, first, second)
        self.clean_behind(p, first, second)
        self.assertIn(b"AUTH_", self.answer[0])

    def pair(self, mechanism, client_ca=None):
        return [self.serve(scripted.smtp(("localhost", "AUTH " + mechanism), auth=auth, delay=delay), client_ca)
                for auth, delay in (("235 in", 0), ("535 5.7.8 no {echo}", 4))]

    def test_gone_when_the_login_is_over(self):
        quick, slow = self.pair("PLAIN LOGIN")
        p = self.begin(self.account("one", quick, FIRST), self.account("two", slow, SECOND))
        self.one_is_over(p, quick, slow, FIRST, SECOND)

    def test_token(self):
        quick, slow = self.pair("XOAUTH2")
        p = self.begin(self.account("one", quick, FIRST, auth="xoauth2"), self.account("two", slow, SECOND, auth="xoauth2"))
        self.one_is_over(p, quick, slow, FIRST, SECOND)

    def test_key_of_a_client_certificate(self):
        quick, slow = self.pair("EXTERNAL", self.pki.ca)
        accounts, keys = [], []
        for name, server in (("one", quick), ("two", slow)):
            pem = self.put("secret-" + name, authservers.client_certificate(self.pki, "c-" + name, name).decode())
            accounts.append(self.plain_account(name, server, auth="external", client_cert=str(pem)))
            keys.append(key_forms(self.pki, "c-" + name))
        self.one_is_over(self.begin(*accounts), quick, slow, *keys)

    def test_typed(self):
        quick, slow = self.pair("PLAIN LOGIN")
        self.begin(self.plain_account("one", quick), self.plain_account("two", slow))
        self.thread.join()
        self.assertIn(b"CREDENTIAL_MISSING", self.answer[0])
        quick.lines.clear()
        p = self.begin_asked(FIRST, SECOND)
        self.one_is_over(p, quick, slow, FIRST, SECOND)
        self.assertEqual(self.answer[0].count(b"Password of "), 2)


if __name__ == "__main__":
    unittest.main()
