"""Fetching and sending programs log in to a real Dovecot with what the adapters wrote."""

import unittest

from realclient import have
from termcase import ServerCase


class Mpop(ServerCase):
    def auth(self):
        return self.home.run("mpop", "--auth-only")

    @have("mpop")
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


if __name__ == "__main__":
    unittest.main()
