"""Copies of sent mail go into the folder that the policy names, as the programs themselves put them there."""

import imaplib
import re
import ssl
import subprocess
import unittest

from realclient import have, wait_for
from termcase import PASSWORD, ServerCase, Terminal

# As the policy has it, and as the server does: Dovecot's Maildir parts levels by dots.
SENT = "INBOX/Gesendet & Söhne/`id` 'x' \"y\"", r'''INBOX.Gesendet &- S&APY-hne.`id` 'x' \"y\"'''
PLAINER = "INBOX/Gesendet & Söhne/(x) 'y'; z", "INBOX.Gesendet &- S&APY-hne.(x) 'y'; z"


class Folders(ServerCase):
    def box(self, name, *, create=False):
        """How many messages the mailbox has."""
        context = ssl.create_default_context(cafile=self.server.ca.cert)
        with imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=context) as c:
            c.login("alice@acme.example", PASSWORD)
            if create:
                c.create('"%s"' % name)
                c.subscribe('"%s"' % name)
            done, data = c.select('"%s"' % name, readonly=True)
            self.assertEqual(done, "OK", data)
            return int(data[0])

    def expect_copy(self, client, names, act):
        self.home.apply(client, self.sheet({**self.account("tls"), "account.folder_sent": names[0]}))
        before = self.box(names[1], create=True)
        p = act()
        wait_for(f"a copy: {p.stdout} {p.stderr}", lambda: self.box(names[1]) > before, 15)

    @have("mutt")
    def test_mutt(self):
        self.expect_copy("mutt", SENT, lambda: self.home.run(
            "mutt", "-s", "test", "bob@acme.example", stdin="hello\n", LC_ALL="C.UTF-8"))

    @have("aerc", "tmux")
    def test_aerc(self):
        names = "Gesendet & Söhne `id` #x", "Gesendet &- S&APY-hne `id` #x"

        def send():
            before = self.box(names[1])
            with Terminal(self.home, "aerc", EDITOR="true", SSL_CERT_FILE=str(self.server.ca.cert)) as term:
                wait_for("aerc's folders", lambda: "Connected" in term.screen(), 15)
                term.keys(":compose -H 'To: bob@acme.example'", "Enter")
                wait_for("aerc's review", lambda: "Send this email?" in term.screen(), 15)
                term.keys(":send", "Enter")
                wait_for("aerc's copy", lambda: self.box(names[1]) > before, 15)
                return subprocess.CompletedProcess([], 0, term.screen(), "")
        self.expect_copy("aerc", names, send)

    @have("neomutt")
    def test_neomutt(self):
        """It keeps no copies in batch mode, and says where it would."""
        self.home.apply("neomutt", self.sheet({**self.account("tls"), "account.folder_sent": PLAINER[0]}))
        p = self.home.run("neomutt", "-s", "test", "bob@acme.example", stdin="hello\n", LC_ALL="C.UTF-8")
        self.assertRegex(p.stdout + p.stderr, "Skipping Fcc to imaps:.*/%s\n" % re.escape(PLAINER[0]))


if __name__ == "__main__":
    unittest.main()
