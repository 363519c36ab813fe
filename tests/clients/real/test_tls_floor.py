"""The lowest TLS version that a program without a setting for it takes is the one that is told as a fact: tried with
servers of one version each."""

import subprocess
import unittest

import test_terminal_fdm
from oldtls import Machine, OldServer, issue_rsa
from realclient import DRIVER, have
from termcase import PLAIN_PASSWORD, PLAIN_USER, ServerCase, wait_for

PATCH = ("From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@acme.example>\n"
         "Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH] x\n\n---\n a | 0\n--\n2.39\n")
MESSAGE = "From: alice@acme.example\nTo: bob@acme.example\nSubject: t\n\nx\n"
MH = "/usr/bin/mh/"
EMACS = """(setq gnutls-trustfiles '("{ca}") message-kill-buffer-on-exit t mail-host-address "localhost")
(require 'message)
(message-mail "bob@acme.example" "t")
(message-send-and-exit)
"""


VERSIONS = ("1.0", "1.1", "1.2")


class Floor(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pair = issue_rsa(cls.server.ca, "old", ["localhost"])

    def run_it(self, *argv, **more):
        """Whatever comes of it: a server of these never lets anybody log in."""
        try:
            return self.home.run(*argv, timeout=20, **self.machine.env, SSL_CERT_FILE=str(self.server.ca.cert), **more)
        except subprocess.TimeoutExpired:
            return None

    def fact(self, client):
        out = self.home.run(DRIVER, "facts", self.home.dir, "alice", "/home", client).stdout
        rows = [line.split(" client.tls_min = ")[1] for line in out.splitlines() if " client.tls_min = " in line]
        self.assertEqual(len(rows), 1, out)
        return rows[0].split(" ")[0]

    def account_at(self, protocol, **more):
        return self.account("tls", "imap" if protocol == "smtp" else protocol,
                            **{"incoming__tls_min": None, "outgoing__tls_min": None, **more})

    def taken(self, client, version, protocol, act, **more):
        """Does the program complete a handshake of this version?"""
        server = OldServer(self.pair, version, protocol)
        self.addCleanup(server.stop)
        side = "outgoing" if protocol == "smtp" else "incoming"
        self.provision(client, self.account_at(protocol, **{f"{side}__port": str(server.port), **more}))
        p = act()
        said = f"{p.stdout} {p.stderr}" if p is not None else ""
        wait_for(f"{client} at a server of TLS {version}: {said}", lambda: server.seen, 10)
        return server.taken()

    def check(self, client, protocol, act, **more):
        """On a system as it is installed, and on one whose owner allows TLS 1.2 and newer only."""
        for raised in (False, True):
            with self.subTest(raised=raised):
                self.machine = Machine(self.home.dir, raised)
                self.provision(client, self.account_at(protocol, **more))
                lowest = VERSIONS.index(self.fact(client))
                self.assertTrue(self.taken(client, VERSIONS[lowest], protocol, act, **more), VERSIONS[lowest])
                if lowest > 0:
                    self.assertFalse(self.taken(client, VERSIONS[lowest - 1], protocol, act, **more), VERSIONS[lowest - 1])

    @have("msmtp")
    def test_msmtp(self):
        self.check("msmtp", "smtp", lambda: self.run_it("msmtp", "bob@acme.example", stdin=MESSAGE))

    @have("mpop")
    def test_mpop(self):
        self.check("mpop", "pop3", lambda: self.run_it("mpop", "--auth-only"))

    def mutt(self, program):
        self.check(program, "smtp", lambda: self.run_it(program, "-s", "t", "bob@acme.example", stdin="x\n"))

    @have("mutt")
    def test_mutt(self):
        self.mutt("mutt")

    @have("neomutt")
    def test_neomutt(self):
        self.mutt("neomutt")

    def list(self):
        (self.home.path / "Mail").mkdir(exist_ok=True)
        return self.run_it("mbsync", "-l", "-a")

    @have("mbsync")
    def test_mbsync(self):
        self.check("mbsync", "imap", self.list)

    def fetch(self):
        self.home.write(".netrc", f"machine localhost login {PLAIN_USER} password {PLAIN_PASSWORD}\n")
        return self.run_it("fetchmail", "-d0", "-c")

    @have("fetchmail")
    def test_fetchmail(self):
        self.check("fetchmail", "imap", self.fetch, incoming__username=PLAIN_USER)

    def getmail(self):
        (self.home.path / "mbox").touch()
        return self.run_it("getmail")

    @have("getmail")
    def test_getmail(self):
        self.check("getmail", "imap", self.getmail)

    @have("offlineimap")
    def test_offlineimap(self):
        self.check("offlineimap", "imap", lambda: self.run_it("offlineimap", "--info"))

    def send_patch(self):
        self.home.write("p.patch", PATCH)
        with open(self.home.path / ".gitconfig", "a", encoding="utf-8") as f:
            f.write("[user]\n\tname = A\n\temail = a@acme.example\n")
        return self.run_it("git", "send-email", "--confirm=never", "--suppress-cc=all", "--to=bob@acme.example", "p.patch",
                           GIT_TERMINAL_PROMPT="0")

    @have("git")
    def test_git(self):
        self.check("git", "smtp", self.send_patch)

    @have("fdm")
    def test_fdm(self):
        self.check("fdm", "imap", lambda: test_terminal_fdm.fdm(
            self.home, SSL_CERT_FILE=str(self.server.ca.cert), **self.machine.env),
                   incoming__ca_file=None)

    def inc(self):
        self.home.write(".netrc", f"machine localhost login {PLAIN_USER} password {PLAIN_PASSWORD}\n")
        (self.home.path / "Mail/inbox").mkdir(parents=True, exist_ok=True)
        with (self.home.path / ".mh_profile").open("a") as profile:
            profile.write("Welcome: disable\n")
        return self.run_it(MH + "inc")

    @have(MH + "inc")
    def test_nmh(self):
        self.check("nmh", "pop3", self.inc, incoming__ca_file=None, outgoing__ca_file=None)

    @have("s-nail")
    def test_s_nail(self):
        self.check("s_nail", "smtp", lambda: self.run_it(
            "s-nail", "-:u", "-Ssendwait", "-SDEAD=/dev/null", "-s", "t", "bob@acme.example", stdin="x\n",
            MAILRC=str(self.home.path / ".mailrc")))

    def send_emacs(self):
        self.home.write(".authinfo", f"machine localhost login {PLAIN_USER} password {PLAIN_PASSWORD}\n")
        self.home.write("send.el", EMACS.format(ca=self.server.ca.cert))
        return self.run_it("emacs", "-Q", "--batch", "-l", self.home.path / ".emacs.d/init.el", "-l", self.home.path / "send.el")

    @have("emacs")
    def test_emacs(self):
        self.check("emacs", "smtp", self.send_emacs, incoming__ca_file=None, outgoing__ca_file=None,
                   outgoing__username=PLAIN_USER)


if __name__ == "__main__":
    unittest.main()
