"""verify on real workstations: real sshd, the real probe, Dovecot. Nobody's files change, and the server sees
the logins."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "lib")]
import fleet as fleets  # noqa: E402
import story  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import BIN, DIFF, OK, UNREACHABLE  # noqa: E402


class VerifyFleet(test_fleet.FleetTest):
    """The fleet of the main story, after its first push; not its tests."""

    def verify(self, status, *args):
        return json.loads(self.must(status, "verify", *args, "--json").stdout)

    def files(self):
        return {name: {p: data for p, data in self.homes(name).items() if ".local/state" not in p}
                for name in self.fleet.workstations}

    def served(self):
        return {address: len(self.fleet.mail.logins(user=address)) for address in story.PASSWORDS}

    def refusals(self):
        return len(re.findall(r"auth failed.*user=<dave@acme.example>", self.fleet.mail.log.read_text(errors="replace")))

    def test_everybody_logs_in_and_nothing_changes(self):
        files, before = self.files(), self.served()
        r = self.verify(OK, "--all")
        self.assertEqual({c["result"] for c in r["causes"]}, {"passed"}, r["causes"])
        self.assertEqual(len({p["user"] for c in r["causes"] for p in c["places"]}), len(story.PASSWORDS))
        after = self.served()
        for address, count in before.items():
            self.assertGreater(after[address], count, address)
        self.assertEqual(self.files(), files)
        self.must(OK, "status")
        self.must(OK, "drift")

    def test_only_the_one_who_is_named(self):
        before = self.served()
        self.verify(OK, "--user", "carol")
        after = self.served()
        self.assertEqual({a for a in after if after[a] > before[a]}, {"carol@acme.example"})

    def test_refused(self):
        files = self.files()
        self.fleet.mail.passwd("dave@acme.example", "changed")
        try:
            r = self.verify(DIFF, "--all")
            bad = [c for c in r["causes"] if c["result"] != "passed"]
            self.assertEqual({(c["result"], c["class"], c["users"]) for c in bad}, {("failed", "AUTH_REJECTED", 1)})
            self.assertEqual({(p["host"], p["user"]) for c in bad for p in c["places"]}, {("ws4", "dave")})
            attempts = self.refusals()
            table = self.must(DIFF, "verify", "--user", "dave").stdout
            self.must(DIFF, "push", "--host", "ws4")
            self.assertEqual(self.refusals(), attempts, "what was refused is not presented again: nobody is locked out")
            self.assertIn("dave@ws4", table)
            self.assertRegex(table, r"\n  why  imap\.acme\.example refused the login")
            self.assertTrue(all(c["fix"] for c in bad), bad)
            self.must(DIFF, "status")
            for secret in story.PASSWORDS.values():
                self.assertNotIn(secret, json.dumps(r) + table)
        finally:
            self.fleet.mail.passwd("dave@acme.example", story.PASSWORDS["dave@acme.example"])
        self.verify(DIFF, "--user", "dave")
        self.verify(OK, "--user", "dave", "--again")
        self.verify(OK, "--all")
        self.assertEqual(self.files(), files)
        self.must(OK, "status")

    def test_unreachable(self):
        ws = self.fleet["ws5"]
        ws.stop()
        try:
            r = self.verify(UNREACHABLE, "--host", "ws5", "--host", "ws1")
        finally:
            ws.start()
        self.assertEqual({h["host"]: h["outcome"] for h in r["hosts"]}, {"ws1": "ok", "ws5": "connect-refused"})

    def test_by_hand(self):
        ws, files = self.fleet["ws1"], self.files()
        r = ws.run("mailmuster-agent", "verify", "--json", user="alice")
        self.assertEqual(r.returncode, OK, r.stdout + r.stderr)
        self.assertEqual({x["result"] for x in json.loads(r.stdout)["logins"]}, {"passed"})
        r = ws.run("mailmuster-agent", "verify")  # root: everybody of this host
        self.assertEqual(r.returncode, OK, r.stdout + r.stderr)
        self.assertIn("passed", r.stdout)
        self.assertEqual(self.files(), files)

    def test_progress_is_for_a_terminal_only(self):
        ours, theirs = os.openpty()
        env = {**self.admin.env, "TERM": "xterm"}
        p = subprocess.Popen([BIN / "mailmuster", "verify", "--all"], env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=theirs, text=True)
        os.close(theirs)
        out, _ = p.communicate(timeout=120)
        said = os.read(ours, 65536).decode(errors="replace")
        os.close(ours)
        self.assertEqual(p.returncode, OK, said)
        self.assertRegex(said, r"of 5 hosts: .* logins; talking with")
        self.assertNotIn("talking with", out)
        self.assertEqual(self.admin.run("verify", "--host", "ws1").stderr, "")


def load_tests(loader, _tests, _pattern):
    """Only the tests that stand here: those of the story run by themselves."""
    own = sorted(name for name in vars(VerifyFleet) if name.startswith("test_"))
    return loader.suiteClass(VerifyFleet(name) for name in own)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2)
