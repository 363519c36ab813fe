"""Rollouts are taken back, and everybody has what they had: something of their
own making, or what an earlier revision had made of it. Real sshd, Dovecot and
agents on three workstations."""

import json
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fleet as fleets  # noqa: E402
import mailserver  # noqa: E402
import story  # noqa: E402
import test_complaints_fleet as complaints  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import BIN, DIFF, OK  # noqa: E402

NOPERM = 77


def text(name, approvals=0):
    """A policy that can be told from others by everybody's real name."""
    out = complaints.policy().replace('real_name = "%{name}"', f'real_name = "%{{name}} {name}"')
    return out.replace('check = "login";', f'check = "login"; approvals = {approvals};')


class Rollback(unittest.TestCase):
    must = classmethod(test_fleet.FleetTest.must.__func__)
    fingerprint = staticmethod(test_fleet.FleetTest.fingerprint)
    homes_of = classmethod(test_fleet.FleetTest.homes.__func__)
    import_text = classmethod(complaints.Complaints.import_text.__func__)
    setUpClass = classmethod(complaints.Complaints.setUpClass.__func__)
    home, homes, read = (getattr(complaints.Complaints, n) for n in ("home", "homes", "read"))

    def configs(self):
        """What people see of it: without the agents' state, and the lock that Thunderbird itself would leave."""
        out = complaints.Complaints.configs(self)
        out["ws1"].pop("alice/.thunderbird/abcd1234.default-default/.parentlock", None)
        return out

    def show(self, number):
        return json.loads(self.must(OK, "rollout", "show", number, "--json").stdout)

    def rollouts(self):
        return json.loads(self.must(OK, "rollout", "list", "--json").stdout)

    def current(self):
        return json.loads(self.must(OK, "policy", "log", "--json").stdout)[0]["revision"]

    def export(self, revision):
        return self.must(OK, "policy", "export", revision).stdout

    def on(self):
        """The revision that each host is on, as the reports say."""
        hosts = json.loads(self.must(OK, "report", "--format", "json", "--all").stdout)["hosts"]
        return {h["host"]: h["revision"] for h in hosts}

    def roll(self, name, **kw):
        """Everybody gets it; the number of that rollout."""
        self.import_text("policy", text(name, **kw))
        if kw:
            self.approve(self.current())
        self.must(OK, "push", "--all", "--waves", "100%", "--bake", "0", "--min-tested", "0")
        for ws, files in self.configs().items():
            self.assertTrue(any(name.encode() in data for data in files.values()), ws)
        return self.rollouts()[0]["rollout"]

    def approve(self, revision):
        r = subprocess.run([BIN / "mailmuster", "policy", "approve", str(revision)], env={**self.admin.env, "SUDO_UID": "4711"},
                           capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(r.returncode, OK, r.stderr)

    def test_1_to_nothing(self):
        self.home(1, {complaints.PREFS: story.ALICE_PREFS, ".thunderbird/profiles.ini": story.PROFILES_INI})
        self.home(2, {".muttrc": story.BOB_MUTTRC, ".mutt/colors": "color normal default default\n"})
        self.home(3, {".bashrc": "# carol has no mail program yet\n"})
        before = self.configs()
        # Two of the three get it; the third is not touched, now or later.
        self.must(OK, "push", "--host", "ws1", "--host", "ws2", "--waves", "100%", "--bake", "0")
        self.assertIn("imap.acme.example", self.read(1, complaints.PREFS))
        self.assertNotEqual(self.configs()["ws2"], before["ws2"])
        r = self.must(OK, "rollout", "rollback", "1", "--reason", "not yet")
        self.assertIn("revision 2 asks for nothing, as 2 hosts had nothing of ours before", r.stderr)
        self.assertEqual(self.configs(), before)
        rolled = self.show(2)
        self.assertEqual((rolled["kind"], rolled["of"], sorted(h["host"] for h in rolled["host_rows"])), ("rollback", 1, ["ws1", "ws2"]))
        self.assertNotIn("first_revision", rolled)
        self.must(OK, "audit", "verify")

    def test_2_each_to_its_own(self):
        """One had revision 3, one revision 4, and one nothing at all."""
        # With TLS: what a policy forbids would not come back.
        msmtprc = story.CAROL_MSMTPRC.replace("tls off", "tls on")
        self.home(3, {".msmtprc": msmtprc, ".muttrc": "set sort=threads # mine\n"})
        for ws, name in (("ws1", "of A"), ("ws2", "of B")):
            self.import_text("policy", text(name))
            self.must(OK, "push", "--host", ws)
        had = self.configs()
        self.assertIn("of A", self.read(1, complaints.PREFS))
        self.assertEqual((had["ws3"]["carol/.msmtprc"].decode(), had["ws3"]["carol/.muttrc"]),
                         (msmtprc, b"set sort=threads # mine\n"))
        bad = self.roll("WRONG")
        self.assertEqual(self.on(), {"ws1": 5, "ws2": 5, "ws3": 5})

        r = self.must(OK, "rollout", "rollback", bad)
        for want in ("revision 6 asks for nothing, as 1 host had nothing of ours before",
                     "revision 7 has the text of revision 3, which 1 host had",
                     "revision 8 has the text of revision 4, which 1 host had", "revisions 6 to 8 to 3 hosts"):
            self.assertIn(want, r.stderr)
        self.assertEqual(self.configs(), had)
        back = self.show(bad + 1)
        self.assertEqual((back["state"], back["of"], back["first_revision"], back["revision"]), ("done", bad, 6, 8))
        self.assertEqual({h["host"]: h["revision"] for h in back["host_rows"]}, {"ws1": 7, "ws2": 8, "ws3": 6})
        self.assertEqual(self.on(), {"ws1": 7, "ws2": 8, "ws3": 6})
        self.assertEqual((self.export(7), self.export(8)), (self.export(3), self.export(4)))
        # Nothing of it is owed, and nobody brings the wrong one again.
        self.assertEqual(json.loads(self.must(OK, "push", "--pending", "--json").stdout)["hosts"], [])
        self.must(OK, "serve", "--once")
        self.assertEqual(self.configs(), had)
        self.assertIn("6-8", self.must(OK, "rollout", "list").stdout)

    def test_3_approved_and_killed(self):
        had = self.configs()
        bad = self.roll("TOO EARLY", approvals=1)
        was = (self.rollouts(), self.current())
        # What comes back was written by one person alone, before that was forbidden.
        r = self.must(NOPERM, "rollout", "rollback", bad)
        self.assertIn("mailmuster policy approve 7", r.stderr)
        self.approve(7)
        self.assertIn("mailmuster policy approve 8", self.must(NOPERM, "rollout", "rollback", bad).stderr)
        self.assertEqual((self.rollouts(), self.current()), was, "all of it, or nothing")
        self.approve(8)

        # One host hangs when the process is killed; the others have it by then, or not.
        hung = self.fleet["ws2"]
        hung.sshd.send_signal(signal.SIGSTOP)
        self.addCleanup(hung.sshd.send_signal, signal.SIGCONT)
        p = subprocess.Popen([BIN / "mailmuster", "rollout", "rollback", str(bad)], env=self.admin.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        mailserver.wait_for("one of the hosts to have it", lambda: self.rollouts()[0]["of"] == bad and
                            self.states(bad + 1).get("ok", 0) > 0 if len(self.rollouts()) > len(was[0]) else False, 60)
        p.kill()
        p.wait(60)
        self.assertNotEqual(self.states(bad + 1).get("ok", 0), 3)
        hung.sshd.send_signal(signal.SIGCONT)
        r = self.must(OK, "rollout", "rollback", bad)
        self.assertIn(f"by rollout {bad + 1}", r.stderr)
        self.assertEqual(len(self.rollouts()), len(was[0]) + 1)
        self.assertEqual(self.configs(), had)
        self.assertEqual(self.on(), {"ws1": 11, "ws2": 12, "ws3": 10})
        self.assertEqual((self.export(11), self.export(12)), (self.export(3), self.export(4)))
        # The rule holds for what comes next.
        self.import_text("policy", text("alone"))
        self.must(NOPERM, "push", "--all")
        self.approve(self.current())

    def states(self, number):
        r = self.admin.run("rollout", "show", number, "--json")
        return {k: v for k, v in json.loads(r.stdout)["all"]["states"].items() if v}

    def test_4_the_next_one_comes_to_all(self):
        self.must(OK, "push", "--all", "--min-tested", "0")
        self.assertEqual(set(self.on().values()), {self.current()})
        self.assertIn("alone", self.read(1, complaints.PREFS))
        self.must(OK, "audit", "verify")

    def test_5_one_host_by_itself(self):
        """restore: what a rollout brought to one host is taken back there, and only there."""
        had = self.configs()
        self.roll("of C", approvals=1)
        everywhere, now = self.configs(), self.current()
        for args, word in ((["--all"], "rollout rollback"), (["--host", "ws1", "--generation", "3"], "--user"), ([], "")):
            self.assertIn(word, self.must(64, "restore", *args).stderr)
        self.must(1, "restore", "--host", "ws1", "--user", "nobody")
        self.assertEqual(self.configs(), everywhere)
        r = self.must(DIFF, "restore", "--host", "ws1", "--user", "alice", "--reason", "her calls")
        self.assertRegex(r.stdout, r"Settings: .*[1-9][0-9]* reverted")
        self.assertEqual(self.configs(), {**everywhere, "ws1": had["ws1"]})
        log = self.must(OK, "audit", "log").stdout
        self.assertRegex(log, r"restore +ws1 .*her calls")
        rows = json.loads(self.must(OK, "report", "--format", "json", "--all").stdout)["findings"]
        taken = [f for f in rows if f["action"] == "reverted"]
        self.assertEqual({(f["host"], f["user"], f["result"]) for f in taken}, {("ws1", "alice", "fail")})
        # The same revision does not come back by itself, whoever brings it; the next one does.
        r = self.must(DIFF, "push", "--host", "ws1")
        self.assertIn(f"revision {now} was taken back here", r.stdout)
        self.must(OK, "serve", "--once")
        self.assertEqual(self.configs()["ws1"], had["ws1"])
        self.roll("of D", approvals=1)
        self.assertIn("of D", self.read(1, complaints.PREFS))
        self.must(OK, "audit", "verify")


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
