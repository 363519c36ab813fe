"""Late machines, and one home on two of them: the newest revision wins, nobody fights, and who was away for
months catches up in one step. Needs root: two installations, with users of this test's own."""

import json
import os
import pathlib
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403

FAKE_PROBE = ROOT / "tests/lib/fakeprobe.py"
USER, UID = "mm-alice", 23401


@unittest.skipUnless(is_root(), "needs root")
class Roaming(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = scratch()
        cls.home = cls.base / "home"
        private_users(cls.base, {USER: (UID, cls.home)})

    @classmethod
    def tearDownClass(cls):
        remove(cls.base)

    def setUp(self):
        remove(self.home)
        self.home.mkdir(mode=0o700)
        self.put(".msmtprc", "# mine\n")
        os.chown(self.home, UID, UID)
        self.hosts = []
        for name in ("ws1", "ws2"):
            folder = scratch()
            self.addCleanup(remove, folder)
            self.hosts.append(Host(folder, probe=str(FAKE_PROBE), host=name))

    def put(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, UID, UID)

    def text(self):
        return (self.home / ".msmtprc").read_text()

    def apply(self, host, revision, check="reach", **changes):
        acc = account(f"{USER}@acme.example", **changes)
        s = sheet(user=USER, accounts=[acc], revision=revision, check=check)
        return self.hosts[host].apply(s, revision=revision)

    def state_dir(self):
        return self.home / ".local/state/mailmuster-agent"

    def test_one_home_on_two_hosts(self):
        """One of them is behind: whoever comes when, there is one text, and it is that of the newest."""
        self.assertEqual(self.apply(0, 5, outgoing__port="587", outgoing__security="starttls").status, OK)
        newest = self.text()
        seen = self.home.joinpath(".msmtprc").stat().st_ino
        for _ in range(3):
            a = self.apply(1, 4)
            self.assertEqual((a.status, a.states()), (DIFF, [("deferred", "none")]))
            self.assertIn("revision 5 was applied in this home already", a.findings[0]["reason"])
            self.assertEqual(self.hosts[1].run("apply").returncode, DIFF)
            self.assertEqual(self.apply(0, 5, outgoing__port="587", outgoing__security="starttls").status, OK)
            self.assertEqual(self.text(), newest)
        # it catches up, and there is nothing to do any more
        self.assertEqual(self.apply(1, 5, outgoing__port="587", outgoing__security="starttls").status, OK)
        self.assertEqual((self.text(), self.home.joinpath(".msmtprc").stat().st_ino), (newest, seen))

    def test_the_same_revision_differs_between_the_hosts(self):
        """An override of a host, in a home that two hosts share: the first one's stays."""
        self.assertEqual(self.apply(0, 5).status, OK)
        first = self.text()
        for _ in range(3):
            a = self.apply(1, 5, outgoing__port="587", outgoing__security="starttls")
            f = a.finding("outgoing.port")
            self.assertEqual((f["state"], f["desired"], f["found"], a.status), ("overridden", "587", "465", DIFF))
            self.assertIn("host ws1 has the same home", f["reason"])
            self.assertEqual(self.apply(0, 5).status, OK)
            self.assertEqual(self.text(), first)
        # what somebody breaks is mended by whoever comes first, to what the first one brought
        self.put(".msmtprc", first.replace("port 465", "port 466"))
        a = self.apply(1, 5, outgoing__port="587", outgoing__security="starttls")
        self.assertEqual(a.finding("outgoing.port")["state"], "overridden")
        self.assertEqual(self.apply(0, 5).finding("outgoing.port")["action"], "corrected")
        self.assertEqual(self.text(), first)
        # a host that has not been here for long has no say any more
        path = self.state_dir() / "journal.json"
        journal = json.loads(path.read_text())
        journal["rows"][0]["brought"] -= 15 * 86400
        self.rewrite(path, journal)
        self.assertEqual(self.apply(1, 5, outgoing__port="587", outgoing__security="starttls").status, OK)
        self.assertIn("port 587", self.text())
        self.assertEqual(self.apply(0, 5).finding("outgoing.port")["state"], "overridden")
        # a newer revision is for both again
        self.assertEqual(self.apply(1, 6, outgoing__port="587", outgoing__security="starttls").status, OK)
        self.assertIn("port 587", self.text())

    def test_taken_back_on_one_host_is_taken_back_on_both(self):
        secret = self.home / "secret"
        self.put("secret", "right\n")
        command = json.dumps(["/bin/cat", str(secret)], separators=(",", ":"))
        for h in self.hosts:
            h.write_conf(programs=["/bin/cat"])
        self.assertEqual(self.apply(0, 5, "login", outgoing__password_command=command).status, OK)
        before = self.text()
        self.put(".probe-script", json.dumps({"smtp2.acme.example": "CERT_EXPIRED"}))
        new = {"outgoing__password_command": command, "outgoing__host": "smtp2.acme.example"}
        for host in (1, 0, 1):
            a = self.apply(host, 6, "login", **new)
            self.assertEqual((a.finding("outgoing.host")["action"], self.text()), ("reverted", before))
        asked = [json.loads(x)["host"] for x in (self.home / ".probe.jsonl").read_text().splitlines()]
        self.assertEqual(asked.count("smtp2.acme.example"), 1)

    def test_away_for_months(self):
        """The state is that of an older agent, and many revisions have passed: one step."""
        self.put("secret", "right\n")
        command = json.dumps(["/bin/cat", str(self.home / "secret")], separators=(",", ":"))
        self.hosts[0].write_conf(programs=["/bin/cat"])
        self.assertEqual(self.apply(0, 3, "login", outgoing__password_command=command).status, OK)
        self.older()
        self.put(".probe-script", json.dumps({"smtp2.acme.example": "AUTH_REJECTED"}))
        a = self.apply(0, 50, "login", outgoing__password_command=command, outgoing__host="smtp2.acme.example",
                       outgoing__port="587", outgoing__security="starttls", account__real_name="Alice S.")
        # it is not known that it was this very password that worked
        self.assertEqual({f["state"] for f in a.findings if f["setting"] in ("outgoing.host", "outgoing.port")},
                         {"unconfirmed"})
        self.assertIn("host smtp2.acme.example\nport 587\n", self.text())
        journal = json.loads((self.state_dir() / "journal.json").read_text())
        self.assertEqual((journal["revision"], journal["rows"][0]["host"]), (50, "ws1"))
        # and what the old agent held as the user's request goes on at a login, without the controller
        self.put(".probe-script", "{}")
        a = self.apply(0, 51, "login", outgoing__password_command=command)
        self.assertEqual((a.status, a.states()), (OK, [("compliant", "none"), ("pending", "corrected")]), a.findings)

    def test_a_controller_that_is_away_is_asked_again(self):
        host = self.hosts[0]
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        for name in ("ssh_key", "known_hosts"):
            (host.dir / name).write_text("")
            (host.dir / name).chmod(0o600)
        with host.conf.open("a", encoding="utf-8") as f:
            f.write(f'checkin = {{ destination = "mailmuster@localhost"; port = {port}; '
                    f'identity = "{host.dir}/ssh_key"; known_hosts = "{host.dir}/known_hosts"; }};\n')
        p = host.run("checkin", "--timeout", "5")
        self.assertEqual((p.returncode, p.stderr.count(b"tried again")), (8, 0), p.stderr)
        begin = time.monotonic()
        p = host.run("checkin", "--timeout", "5", "--keep-trying", "9")
        self.assertEqual((p.returncode, p.stderr.count(b"tried again within 5 s")), (8, 1), p.stderr)
        self.assertGreaterEqual(time.monotonic() - begin, 2)

    def older(self):
        """As an agent of the first minor version would have written it."""
        path = self.state_dir() / "journal.json"
        journal = json.loads(path.read_text())
        for row in journal["rows"]:
            del row["host"], row["revision"], row["brought"]
        self.rewrite(path, journal)
        path = self.state_dir() / "logins.json"
        memory = json.loads(path.read_text())
        for row in memory["worked"]:
            del row["credential"]
        self.rewrite(path, memory)

    def rewrite(self, path, doc):
        path.write_text(json.dumps(doc))
        os.chown(path, UID, UID)


class Timers(unittest.TestCase):
    def test_units(self):
        """By the clock and made up for after sleep, not all at once, and given up before the next one."""
        def unit(name):
            text = (ROOT / "packaging/systemd" / name).read_text()
            return dict(x.split("=", 1) for x in text.splitlines() if "=" in x and not x.startswith("#"))
        timer, service = unit("mailmuster-checkin.timer"), unit("mailmuster-checkin.service")
        self.assertEqual(timer["Persistent"], "yes")
        self.assertIn("OnCalendar", timer, "systemd.timer(5): Persistent= counts only with it")
        self.assertIn("RandomizedDelaySec", timer)
        tries = int(service["ExecStart"].split("--keep-trying ")[1])
        self.assertLess(tries + 1500, int(service["TimeoutStartSec"]))


if __name__ == "__main__":
    unittest.main()
