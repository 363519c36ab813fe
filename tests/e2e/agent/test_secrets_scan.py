"""Where a password may lie, and where not: command lines, environments, memory, files, reports, outputs.

While a login is under way the password is in the probe's and in the agent's memory; nowhere else, and in
the agent only in memory that is kept out of core dumps. When the login is over it is gone from the probe.
"""

import base64
import json
import os
import pathlib
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
from agentlib import *  # noqa: E402,F403
import scripted  # noqa: E402
import test_credentials  # noqa: E402
from dovecot import Pki  # noqa: E402

FIRST, SECOND, THIRD = "horse-Battery-77-staple", "zebra-Voltage-88-clamps", "otter-Ampere-99-hinges"


def setUpModule():
    test_credentials.setUpModule()


def tearDownModule():
    test_credentials.tearDownModule()


def forms(password):
    """The password, and the parts of base64 that hold it whatever stands before."""
    out = [password.encode()]
    for user in ("alice", "alice@acme.example", "\0alice", "\0alice@acme.example"):
        text = base64.b64encode(f"{user}\0{password}".encode())
        out.append(text[len(base64.b64encode(user.encode())) + 4:-4])
    out.append(base64.b64encode(password.encode())[:-4])
    return out


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

    def serve(self, script):
        s = scripted.Server(script, scripted.context(self.pki.path("good.crt"), self.pki.path("good.key")))
        self.addCleanup(s.close)
        return s

    def account(self, name, server, password):
        secret = self.put("secret-" + name, password + "\n")
        command = json.dumps(["/bin/cat", str(secret)], separators=(",", ":"))
        return account("alice@acme.example" if name == "one" else f"{name}@acme.example", name=name,
                       outgoing__host="localhost", outgoing__port=str(server.port), outgoing__ca_file=self.pki.ca,
                       outgoing__password_command=command)

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

    def test_gone_when_the_login_is_over(self):
        quick = self.serve(scripted.smtp(("localhost", "AUTH PLAIN LOGIN"), auth="235 in"))
        slow = self.serve(scripted.smtp(("localhost", "AUTH PLAIN LOGIN"), auth="535 no", delay=6))
        p = self.begin(self.account("one", quick, FIRST), self.account("two", slow, SECOND))
        self.assertTrue(wait_until(lambda: any(x.upper().startswith("AUTH") for x in slow.lines), 30))
        self.assertTrue(wait_until(lambda: any(x.upper().startswith("QUIT") for x in quick.lines), 30), quick.lines)
        time.sleep(1)
        (probe,) = self.members(p, "mailmuster-probe")
        self.assertTrue(where(probe, SECOND))
        self.assertEqual(where(probe, FIRST), [], "the password of a login that is over")
        self.clean_outside(p, FIRST, SECOND)
        self.clean_behind(p, FIRST, SECOND)


if __name__ == "__main__":
    unittest.main()
