"""The agent and the services of GNOME take turns: what either writes the other leaves alone.

A user with private accounts; the agent adds the policy's while the services run, they notice and put
keys of their own into the files, the agent finds nothing to do, and takes its accounts out again.
"""

import pathlib
import shutil
import tempfile
import unittest

from gnomelib import SessionCase, wait_for
from realclient import ROOT
from agentlib import OK, Host, account, sheet

SOURCES = ".config/evolution/sources"
MINE = ("[Data Source]\nDisplayName=Mine\nEnabled=true\n\n[Mail Account]\nBackendName=imapx\n\n"
        "[Authentication]\nHost=imap.private.example\nPort=993\nUser=me\n\n[Security]\nMethod=ssl-on-alternate-port\n")
GOA = "# mine\n[Account account_1500000000_0]\nProvider=google\nIdentity=me\n"
GEARY = "[Metadata]\ngoa_id=account_1500000000_0\n"


class Turns(SessionCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="mmagent"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.host = Host(folder, home=self.home.path, login="alice", domains=["localhost"], programs=["/bin/false"],
                         probe=str(ROOT / "tests/lib/fakeprobe.py"))
        self.account = account(incoming__host="localhost", incoming__port="993", outgoing__host="localhost",
                               outgoing__port="465", incoming__password_command='["/bin/false"]')

    def policy(self, client, accounts=None):
        return sheet(accounts=[self.account] if accounts is None else accounts, clients={client: "enforce"})

    def states(self, answer, client):
        return {f["state"] for f in answer.findings if f["client"] == client and f["account"] == "work"}

    def kept(self, client):
        """Applied a second time: nothing changes."""
        a = self.host.apply(self.policy(client))
        self.assertNotIn("pending", self.states(a, client), a.stderr)
        self.assertIn("compliant", self.states(a, client))

    def removed(self, client):
        a = self.host.apply(self.policy(client, []))
        self.assertEqual(a.status, OK, a.stderr)

    def test_evolution(self):
        mine = self.home.write(f"{SOURCES}/mine.source", MINE)
        self.sources()  # the registry runs, and has written to the file what it adds
        before = mine.read_bytes()
        a = self.host.apply(self.policy("evolution"))
        self.assertIn("pending", self.states(a, "evolution"), a.stderr)
        wait_for("the registry to notice", lambda: "mailmuster-work-1" in self.sources(), 15)
        account = self.home.path / SOURCES / "mailmuster-work-1.source"
        wait_for("the registry to write", lambda: "RememberPassword" in account.read_text(), 15)
        self.kept("evolution")
        self.removed("evolution")
        self.assertFalse(list((self.home.path / SOURCES).glob("*mailmuster*")))
        wait_for("the registry to notice", lambda: not any("mailmuster" in uid for uid in self.sources()), 15)
        self.assertEqual(mine.read_bytes(), before)

    def test_goa(self):
        conf = self.home.write(".config/goa-1.0/accounts.conf", GOA)
        a = self.host.apply(self.policy("goa"))
        self.assertIn("pending", self.states(a, "goa"), a.stderr)
        host = self.property("org.gnome.OnlineAccounts", "/org/gnome/OnlineAccounts/Accounts/account_mailmuster_work",
                             "org.gnome.OnlineAccounts.Mail", "ImapHost")
        self.assertEqual(host, "(<'localhost:993'>,)")
        self.kept("goa")
        self.removed("goa")
        self.assertEqual(conf.read_text(), GOA)

    def test_geary(self):
        """The user's own account comes from online accounts; ours is a folder beside it."""
        self.home.write(".config/geary/goa_account_1500000000_0/geary.ini", GEARY)
        a = self.host.apply(self.policy("geary"))
        self.assertIn("pending", self.states(a, "geary"), a.stderr)
        self.assertTrue((self.home.path / ".config/geary/account_01/geary.ini").exists())
        self.kept("geary")
        self.removed("geary")
        self.assertFalse(list((self.home.path / ".config/geary").glob("account_*/geary.ini")))


if __name__ == "__main__":
    unittest.main()
