"""Fetching and sending programs log in to a real Dovecot with what the adapters wrote."""

import unittest

from realclient import have, proves
from termcase import PLAIN_PASSWORD, PLAIN_USER, ServerCase, Terminal, wait_for


class Mpop(ServerCase):
    def auth(self):
        return self.home.run("mpop", "--auth-only")

    @have("mpop")
    @proves("mpop", "pop3 tls", "pop3 starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, "pop3")
                self.provision("mpop", a)
                self.expect_incoming(a, self.auth)
                self.assertEqual(self.auth().returncode, 0)

    @have("mpop")
    def test_refused(self):
        """An unknown CA, and a server that offers no TLS where STARTTLS is wanted."""
        self.provision("mpop", self.account("tls", "pop3", incoming__ca_file=None))
        self.expect_refusal(self.auth)

    @have("mpop")
    def test_adopted(self):
        a = self.account("starttls", "pop3")
        self.home.write(".mpoprc", "defaults\ndelivery maildir ~/M\naccount mine\nhost localhost\n"
                        "user alice@acme.example\ntls off\n")
        self.home.driver("apply", "mpop", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, lambda: self.home.run("mpop", "--auth-only", "mine"))


class Mbsync(ServerCase):
    def list(self):
        return self.home.run("mbsync", "-l", "-a")

    def provisioned(self, account):
        self.provision("mbsync", account)
        (self.home.path / "Mail").mkdir()

    @have("mbsync")
    @proves("mbsync", "imap tls", "imap starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security)
                self.provisioned(a)
                self.expect_incoming(a, self.list)
                p = self.home.run("mbsync", "-a")
                self.assertEqual(p.returncode, 0, p.stderr)
                self.assertTrue((self.home.path / "Mail/work/INBOX/cur").is_dir())

    @have("mbsync")
    def test_refused(self):
        self.provisioned(self.account(incoming__ca_file=None))
        self.expect_refusal(self.list)

    @have("mbsync")
    def test_adopted(self):
        """Deprecated words that do not go together with what is written are gone."""
        a = self.account("starttls")
        (self.home.path / "M").mkdir()
        self.home.write(".mbsyncrc", "IMAPStore far\nHost imaps:localhost\nUser \"alice@acme.example\"\n"
                        "RequireSSL no\nUseIMAPS no\n\nMaildirStore near\nPath ~/M/\nInbox ~/M/in\n\n"
                        "Channel c\nFar :far:\nNear :near:\n")
        self.home.driver("apply", "mbsync", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, self.list)


class Aerc(ServerCase):
    def start(self, account):
        self.provision("aerc", account)
        return Terminal(self.home, "aerc", EDITOR="true", SSL_CERT_FILE=self.certificate)

    def fetch_and_send(self, account):
        service, user, port = (account[f"incoming.{k}"] for k in ("protocol", "username", "port"))
        before = self.logins(service, user, port)
        with self.start(account) as term:
            wait_for("aerc's login", lambda: self.logins(service, user, port) > before, 10)
            def send():
                wait_for("aerc's folders", lambda: "Connected" in term.screen(), 10)
                term.keys(":compose -H 'To: bob@acme.example'", "Enter")
                wait_for("aerc's review", lambda: "Send this email?" in term.screen(), 10)
                term.keys(":send", "Enter")
            self.expect_outgoing(account, send)

    @have("aerc", "tmux")
    @proves("aerc", "imap tls", "imap starttls", "smtp tls", "smtp starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, incoming__ca_file=None, outgoing__ca_file=None)
                self.certificate = str(self.server.ca.cert)
                self.fetch_and_send(a)

    @have("aerc", "tmux")
    def test_refused(self):
        self.certificate = "/nonexistent"
        before = len(self.server.logins())
        with self.start(self.account(incoming__ca_file=None, outgoing__ca_file=None)) as term:
            wait_for("aerc's complaint", lambda: "x509" in term.screen() or "unknown authority" in term.screen(), 10)
        self.assertEqual(len(self.server.logins()), before)


class Fetchmail(ServerCase):
    def check(self):
        return self.home.run("fetchmail", "-d0", "-c")

    def provisioned(self, account):
        """There is no password command: the password stands in ~/.netrc."""
        self.provision("fetchmail", account)
        self.home.write(".netrc", f"machine localhost login {PLAIN_USER} password {PLAIN_PASSWORD}\n")

    @have("fetchmail")
    @proves("fetchmail", "imap tls", "imap starttls", "pop3 tls", "pop3 starttls")
    def test_login(self):
        for protocol in ("imap", "pop3"):
            for security in ("tls", "starttls"):
                with self.subTest(protocol=protocol, security=security):
                    a = self.account(security, protocol, incoming__username=PLAIN_USER)
                    self.provisioned(a)
                    self.expect_incoming(a, self.check)

    @have("fetchmail")
    def test_refused(self):
        self.provisioned(self.account(incoming__username=PLAIN_USER, incoming__ca_file=None))
        self.expect_refusal(self.check)

    @have("fetchmail")
    def test_adopted(self):
        a = self.account("starttls", "pop3", incoming__username=PLAIN_USER)
        self.home.write(".fetchmailrc", "defaults proto imap ssl\npoll mine via localhost port 993\n  user "
                        f"{PLAIN_USER} there with password '{PLAIN_PASSWORD}' is root here options sslproto ''\n")
        self.home.driver("apply", "fetchmail", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, self.check)


class Getmail(ServerCase):
    @have("getmail")
    @proves("getmail", "imap tls", "pop3 tls")
    def test_login(self):
        for protocol in ("imap", "pop3"):
            with self.subTest(protocol=protocol):
                a = self.account("tls", protocol)
                self.provision("getmail", a)
                (self.home.path / "mbox").touch()
                self.expect_incoming(a, lambda: self.home.run("getmail"))

    @have("getmail")
    def test_refused(self):
        """Without ca_certs getmail would verify nothing: the system's are written."""
        self.provision("getmail", self.account(incoming__ca_file=None))
        (self.home.path / "mbox").touch()
        self.expect_refusal(lambda: self.home.run("getmail"))


class Offlineimap(ServerCase):
    def info(self):
        return self.home.run("offlineimap", "--info", timeout=30)

    @have("offlineimap")
    @proves("offlineimap", "imap tls")
    def test_login(self):
        a = self.account("tls")
        self.provision("offlineimap", a)
        self.expect_incoming(a, self.info)

    @have("offlineimap")
    def test_refused(self):
        self.provision("offlineimap", self.account(incoming__ca_file=None))
        self.expect_refusal(self.info)


class Git(ServerCase):
    PATCH = ("From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@acme.example>\n"
             "Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH] x\n\n---\n a | 0\n--\n2.39\n")

    def send(self):
        self.home.write("p.patch", self.PATCH)
        return self.home.run("git", "send-email", "--confirm=never", "--suppress-cc=all",
                             "--to=bob@acme.example", "p.patch", GIT_TERMINAL_PROMPT="0")

    def provisioned(self, account):
        """git asks its own helpers for the password."""
        self.provision("git", account)
        helper = self.home.write("helper", f"#!/bin/sh\necho username={PLAIN_USER}\n"
                                 f"echo password={PLAIN_PASSWORD}\n", 0o700)
        with open(self.home.path / ".gitconfig", "a", encoding="utf-8") as f:
            f.write(f"[credential]\n\thelper = {helper}\n[user]\n\tname = A\n\temail = a@acme.example\n")

    @have("git")
    @proves("git", "smtp tls", "smtp starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, outgoing__username=PLAIN_USER)
                self.provisioned(a)
                self.expect_outgoing(a, self.send)

    @have("git")
    def test_refused(self):
        self.provisioned(self.account(outgoing__username=PLAIN_USER, outgoing__ca_file=None))
        self.expect_refusal(self.send)


if __name__ == "__main__":
    unittest.main()
