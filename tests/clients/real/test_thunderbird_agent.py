"""The agent and Thunderbird take turns in one profile: what either writes the other leaves alone.

A user with a private account of their own; the agent adds the policy's account, Thunderbird starts with
both and rewrites its file, the agent finds nothing to do, and takes its account out again.
"""

import pathlib
import tempfile
import shutil
import unittest

from realclient import ROOT, proves, wait_for  # first: it knows where the others are
from thunderbirdlib import TEST_PREFS, ThunderbirdCase
from agentlib import DIFF, OK, Host, account, sheet
import story

PREFS = ".thunderbird/abcd1234.default-default/prefs.js"
PROBE = ROOT / "tests/lib/fakeprobe.py"
SAVED = "mail.server.server_mm_work.directory-rel"  # Thunderbird's own addition to our account


class Turns(ThunderbirdCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="mmagent"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.host = Host(folder, home=self.home.path, login="alice", domains=["localhost"], programs=["/bin/false"], probe=str(PROBE))
        self.home.write(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.home.write(PREFS, story.ALICE_PREFS + TEST_PREFS)
        self.prefs = self.home.path / PREFS
        self.policy = sheet(accounts=[account(
            incoming__host="localhost", incoming__port=str(self.server.ports["imaps"]),
            incoming__tls_min="1.2", outgoing__host="localhost",
            incoming__password_command='["/bin/false"]', outgoing__ca_file="/etc/ssl/acme.crt",
            outgoing__port=str(self.server.ports["submissions"]))], clients={"thunderbird": "enforce"})

    def findings(self, answer):
        return {f["setting"]: (f["state"], f["action"]) for f in answer.findings
                if f["client"] == "thunderbird" and f["account"] == "work"}

    @proves("thunderbird", "running")
    def test_turns(self):
        a = self.host.apply(self.policy)
        self.assertEqual(set(self.findings(a).values()), {("pending", "created")}, a.stderr)
        # What is none of Thunderbird's settings stands in the way of nothing.
        self.assertNotIn("incoming.password_command", self.findings(a))
        self.assertNotIn("outgoing.ca_file", self.findings(a))
        self.assertEqual(a.status, OK)

        self.provide("imap://localhost")
        p = self.logs_in("imap", self.server.ports["imaps"])
        wait_for("Thunderbird to save", lambda: SAVED in self.prefs.read_text(), 30)
        a = self.host.apply(self.policy)
        self.assertEqual((set(self.findings(a).values()), a.status), ({("compliant", "none")}, OK))
        # A change while it runs waits.
        later = self.policy.replace(b'"account.real_name","Alice"', b'"account.real_name","Alice A."')
        a = self.host.apply(later)
        self.assertEqual((self.findings(a)["account.real_name"], a.status), (("deferred", "none"), DIFF))
        self.assertNotIn(b"Alice A.", self.prefs.read_bytes())
        self.stop(p)
        before = self.prefs.read_bytes()

        a = self.host.apply(later)
        self.assertEqual((self.findings(a)["account.real_name"], a.status), (("pending", "corrected"), OK))
        self.assertEqual(self.prefs.read_bytes(), before.replace(b'"Alice");', b'"Alice A.");'))
        a = self.host.apply(sheet(accounts=[], clients={"thunderbird": "enforce"}))
        text = self.prefs.read_text()
        self.assertNotIn("_mm_", text)
        self.assertIn('user_pref("mail.accountmanager.accounts", "account2,account1");', text)
        for line in story.ALICE_PREFS.splitlines():
            if "mail.identity.id1." in line or "mail.smtpserver" in line or ".server2." in line:
                self.assertIn(line, text)
        self.stop(self.start())
        self.assertFalse((self.prefs.parent / "Invalidprefs.js").exists())


if __name__ == "__main__":
    unittest.main()
