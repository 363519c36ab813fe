"""The chain: who hands sending to msmtp and reads what mbsync fetches has its servers in their files.

mutt and aerc send through msmtp, and mbsync fills the folder that is read; what was written for msmtp and
mbsync is what logs in, and is where the settings are seen.
"""

import unittest

from realclient import have
from termcase import ServerCase, Terminal, wait_for


class Chain(ServerCase):
    def both_ends(self, account):
        """The two that speak with servers."""
        self.provision("msmtp", account)
        self.home.apply("mbsync", self.sheet(account))
        (self.home.path / "Mail").mkdir()
        for client, side in (("msmtp", "outgoing"), ("mbsync", "incoming")):
            seen = next(iter(self.home.seen(client).values()))
            self.assertEqual([seen[f"{side}.{k}"] for k in ("host", "port", "security", "username")],
                             [account[f"{side}.{k}"] for k in ("host", "port", "security", "username")])

    def fetch(self):
        p = self.home.run("mbsync", "-a")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertTrue((self.home.path / "Mail/work/INBOX/cur").is_dir())
        return p

    @have("mutt", "msmtp", "mbsync")
    def test_mutt(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security)
                self.both_ends(a)
                self.home.write(".muttrc", "set sendmail=\"/usr/bin/msmtp -a work\"\nset folder=~/Mail/work spoolfile=+INBOX\n"
                                "set from=alice@acme.example\nset record=\n")
                self.expect_incoming(a, self.fetch)
                self.expect_outgoing(a, lambda: self.home.run("mutt", "-s", "test", "bob@acme.example", stdin="hello\n"))
                # mutt itself has no server: none is seen there, and none is put in.
                before = (self.home.path / ".muttrc").read_bytes()
                seen = self.home.seen("mutt").get("main", {})
                self.assertNotIn(seen.get("outgoing.host", "-"), ("localhost", ))
                self.assertEqual((self.home.path / ".muttrc").read_bytes(), before)

    @have("aerc", "msmtp", "mbsync", "tmux")
    def test_aerc(self):
        a = self.account("starttls")
        self.both_ends(a)
        self.expect_incoming(a, self.fetch)
        self.home.write(".config/aerc/accounts.conf", f"[work]\nsource = maildir://{self.home.path}/Mail/work\n"
                        "outgoing = /usr/bin/msmtp -a work\nfrom = Alice <alice@acme.example>\ndefault = INBOX\n")
        self.assertNotEqual(self.home.seen("aerc")["work"].get("outgoing.host"), "localhost")
        with Terminal(self.home, "aerc", EDITOR="true") as term:
            wait_for("aerc's folder", lambda: "INBOX" in term.screen(), 10)

            def send():
                term.keys(":compose -H 'To: bob@acme.example'", "Enter")
                wait_for("aerc's review", lambda: "Send this email?" in term.screen(), 10)
                term.keys(":send", "Enter")
            self.expect_outgoing(a, send)


if __name__ == "__main__":
    unittest.main()
