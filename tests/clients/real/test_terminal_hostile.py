"""Values that look like commands stay values in every terminal program: nothing runs, and the server
sees the name byte for byte."""

import unittest

from realclient import have, proves
from termcase import HostileCase, Terminal, wait_for


class Hostile(HostileCase):
    @have("mpop")
    @proves("mpop", "hostile")
    def test_mpop(self):
        self.check("mpop", self.values, lambda a: self.home.run("mpop", "--auth-only"), "pop3")
        p = self.home.run("mpop", "-P")
        self.assertIn(f"user = {self.values[-1]}\n", p.stdout)

    @have("mbsync")
    @proves("mbsync", "hostile")
    def test_mbsync(self):
        def list_boxes(_):
            (self.home.path / "Mail").mkdir(exist_ok=True)
            return self.home.run("mbsync", "-l", "-a")
        self.check("mbsync", self.values, list_boxes)

    @have("aerc", "tmux")
    @proves("aerc", "hostile")
    def test_aerc(self):
        def open_once(_):
            with Terminal(self.home, "aerc", SSL_CERT_FILE=str(self.server.ca.cert)) as term:
                wait_for("aerc's command", lambda: (self.home.path / "args").exists() or
                         "rror" in term.screen(), 10)
        self.check("aerc", self.values, open_once)

    @have("fetchmail")
    @proves("fetchmail", "hostile")
    def test_fetchmail(self):
        """It has no password command; its own dump shows what it understood."""
        def dump(a):
            p = self.home.run("fetchmail", "--configdump")
            self.assertEqual(p.returncode, 0, p.stderr)
            name = a["incoming.username"]
            if name.isascii() and '"' not in name and "\\" not in name:  # those it escapes in its dump
                self.assertIn(f'"remote":"{name}"', p.stdout)
            return p
        self.check("fetchmail", self.values, dump, command=False)

    @have("getmail")
    @proves("getmail", "hostile")
    def test_getmail(self):
        def fetch(_):
            (self.home.path / "mbox").touch()
            return self.home.run("getmail")
        self.check("getmail", self.values, fetch)

    @have("offlineimap")
    @proves("offlineimap", "hostile")
    def test_offlineimap(self):
        # A refused password makes it ask again: each value costs a second.
        self.check("offlineimap", self.values[:4] + self.values[9:13], lambda a: self.home.run(
            "timeout", "5", "offlineimap", "--info"))

    @have("git")
    @proves("git", "hostile")
    def test_git(self):
        def read(a):
            p = self.home.run("git", "config", "sendemail.smtpuser")
            self.assertEqual(p.stdout, a["outgoing.username"] + "\n")
            return p
        self.check("git", self.values, read, side="outgoing", command=False)


if __name__ == "__main__":
    unittest.main()
