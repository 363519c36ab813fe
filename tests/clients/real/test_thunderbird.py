"""Thunderbird itself, headless, starts on the profile that the adapter wrote and logs in.

The witness is the server's log: the login on the right port over TLS, and, for IMAP, the name that the
program gives of itself.
"""

import fcntl
import unittest

from realclient import proves, sheet, wait_for
from thunderbirdlib import ThunderbirdCase


class Thunderbird(ThunderbirdCase):
    @proves("thunderbird", "imap tls", "imap starttls")
    def test_imap(self):
        """A profile of ours is taken by a plain start; what the program adds to it is no drift."""
        a = self.account("tls", "tls")
        self.provision(a, "imap://localhost")
        p = self.logs_in("imap", int(a["incoming.port"]))
        wait_for("the program's name", lambda: "name=Thunderbird" in self.server.log.read_text(errors="replace"))
        # The lock by which the adapter tells that it runs.
        with open(self.profile() / ".parentlock", "r+b") as lock, self.assertRaises(BlockingIOError):
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        prefs = self.profile() / "prefs.js"
        wait_for("the program to save", lambda: "mail.accountmanager.localfoldersserver" in prefs.read_text(), 30)
        self.stop(p)
        text = prefs.read_text()
        self.assertIn("storeContractID", text)
        self.assertFalse((self.profile() / "Invalidprefs.js").exists())
        self.assert_as_wanted(a)
        # Nothing to do now; and a change of the server is taken up by the next start.
        before = prefs.read_bytes()
        self.home.apply("thunderbird", sheet(dict(a), create="existing"))
        self.assertEqual(prefs.read_bytes(), before)
        b = self.account("starttls", "starttls")
        self.home.apply("thunderbird", sheet(dict(b), create="existing"))
        self.stop(self.logs_in("imap", int(b["incoming.port"])))
        self.assert_as_wanted(b)

    @proves("thunderbird", "pop3 tls", "pop3 starttls")
    def test_pop3(self):
        a = self.account("tls", "starttls", "pop3")
        self.provision(a, "mailbox://localhost")
        self.stop(self.logs_in("pop3", int(a["incoming.port"])))
        self.assert_as_wanted(a)
        b = self.account("starttls", "tls", "pop3")
        self.home.apply("thunderbird", sheet(dict(b), create="existing"))
        self.stop(self.logs_in("pop3", int(b["incoming.port"])))
        self.assert_as_wanted(b)


if __name__ == "__main__":
    unittest.main()
