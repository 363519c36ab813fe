"""Values that look like commands stay values in every terminal program: nothing runs, and the server
sees the name byte for byte."""

import unittest

from realclient import argv_text, have
from termcase import ServerCase, Terminal, wait_for


class Hostile(ServerCase):
    @property
    def values(self):
        m = self.home.path / "marker"
        return ["`id`\"; $(x) | y", f"`touch {m}`", f"$(touch {m})", f"\"; touch {m}; \"", f"'; touch {m}; '",
                f"| touch {m} |", f"\\`touch {m}\\`", "${HOME}", "back\\slash\\", "per%cent%20%60%(x)s",
                "#no comment", "semi;colon # c", "ünïcödé \u202egnp.exe", "~/x", "=x", "+x", "!x", "'", "\"",
                "\\", "`", "{a}", "a, b", "[x]", "a:b=c"]

    def password_command(self, value):
        """A program that notes its arguments and prints the password."""
        p = self.home.write("bin/show", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/args\"\n"
                            "cat \"$HOME/password\"\n", 0o700)
        return argv_text([str(p), "show", value])

    def check(self, client, values, act, protocol="imap", side="incoming", command=True, setup=None):
        """As each of the values a user logs in whose name it is."""
        for value in values:
            with self.subTest(client=client, value=value):
                self.fresh()
                show = self.password_command(value)
                a = self.account("tls", protocol, **{"incoming__username": value, "outgoing__username": value,
                                                     "account__real_name": value,
                                                     "incoming__password_command": show,
                                                     "outgoing__password_command": show})
                if setup:
                    setup(a)
                self.home.apply(client, self.sheet(a))
                p = act(a)
                self.assertFalse((self.home.path / "marker").exists(), value)
                if command:
                    self.assertTrue((self.home.path / "args").exists(), p and f"{p.stdout} {p.stderr}")
                    self.assertEqual((self.home.path / "args").read_text(), f"show\n{value}\n")
                self.assertEqual(self.home.seen(client)[self.only(client)][f"{side}.username"], value)

    def only(self, client):
        return next(iter(self.home.seen(client)))

    @have("mpop")
    def test_mpop(self):
        self.check("mpop", self.values, lambda a: self.home.run("mpop", "--auth-only"), "pop3")
        p = self.home.run("mpop", "-P")
        self.assertIn(f"user = {self.values[-1]}\n", p.stdout)

    @have("mbsync")
    def test_mbsync(self):
        def list_boxes(_):
            (self.home.path / "Mail").mkdir(exist_ok=True)
            return self.home.run("mbsync", "-l", "-a")
        self.check("mbsync", self.values, list_boxes)

    @have("aerc", "tmux")
    def test_aerc(self):
        def open_once(_):
            with Terminal(self.home, "aerc", SSL_CERT_FILE=str(self.server.ca.cert)) as term:
                wait_for("aerc's command", lambda: (self.home.path / "args").exists() or
                         "rror" in term.screen(), 10)
        self.check("aerc", self.values, open_once)

    @have("fetchmail")
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
    def test_getmail(self):
        def fetch(_):
            (self.home.path / "mbox").touch()
            return self.home.run("getmail")
        self.check("getmail", self.values, fetch)

    @have("offlineimap")
    def test_offlineimap(self):
        # A refused password makes it ask again: each value costs a second.
        self.check("offlineimap", self.values[:4] + self.values[9:13], lambda a: self.home.run(
            "timeout", "5", "offlineimap", "--info"))

    @have("git")
    def test_git(self):
        def read(a):
            p = self.home.run("git", "config", "sendemail.smtpuser")
            self.assertEqual(p.stdout, a["outgoing.username"] + "\n")
            return p
        self.check("git", self.values, read, side="outgoing", command=False)


if __name__ == "__main__":
    unittest.main()
