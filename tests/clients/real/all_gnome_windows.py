"""Evolution and Geary, with their windows, log in with what the adapters wrote.

Runs with tests/run --all only: the programs are large, and take their time.
"""

import imaplib
import ssl
import unittest

from gnomelib import WindowCase, have, sheet, wait_for
from realclient import RunningHost, proves

ADDRESS = "alice@acme.example"


class Windows(WindowCase):
    def evolution(self, security, protocol="imap"):
        a = self.account(security)
        if protocol == "pop3":
            a.update({"incoming.protocol": "pop3", "incoming.leave_on_server": "yes",
                      "incoming.port": str(self.server.ports["pop3s" if security == "tls" else "pop3"])})
        self.home.write(".config/glib-2.0/settings/keyfile", "[org/gnome/evolution/mail]\nprompt-on-accel-send=false\n"
                        "send-recv-on-start=true\n")
        self.window_manager()
        self.home.apply("evolution", sheet(a))
        self.start_keyring()
        for uid in ("mailmuster-work-1", "mailmuster-work-1-transport"):
            self.keep("org.gnome.Evolution.Data.Source", "e-source-uid", uid, "eds-origin", "evolution-data-server")
        p = self.start("evolution", "mailto:bob@acme.example?subject=written&body=b")
        wait_for("Evolution to log in", lambda: self.logged_in(protocol, ADDRESS, a["incoming.port"]), 90)
        self.assertEqual(self.comm(p.pid), "evolution")
        self.send("written", a)
        # What the program added is no difference.
        self.assertEqual(self.home.driver("apply", "evolution", sheet(a)), "")

    @have("evolution")
    @proves("evolution", "imap tls", "smtp tls")
    def test_evolution_imap_tls(self):
        self.evolution("tls", "imap")

    @have("evolution")
    @proves("evolution", "imap starttls", "smtp starttls")
    def test_evolution_imap_starttls(self):
        self.evolution("starttls", "imap")

    @have("evolution")
    @proves("evolution", "pop3 tls", "smtp tls")
    def test_evolution_pop3_tls(self):
        self.evolution("tls", "pop3")

    @have("evolution")
    @proves("evolution", "pop3 starttls", "smtp starttls")
    def test_evolution_pop3_starttls(self):
        self.evolution("starttls", "pop3")

    def geary(self, security):
        a = self.account(security, account__real_name="Łukasz (Al) `id`; $(x)")
        # What the removal of an account leaves behind is nothing to it.
        (self.home.path / ".config/geary/account_07").mkdir(parents=True)
        self.home.apply("geary", sheet(a))
        self.start_keyring()
        self.keep("org.gnome.Geary", "proto", "IMAP", "host", "localhost", "login", ADDRESS)
        self.keep("org.gnome.Geary", "proto", "SMTP", "host", "localhost", "login", "alice")
        before = self.home.seen("geary")
        self.window_manager()
        p = self.start("geary")
        wait_for("Geary to log in", lambda: self.logged_in("imap", ADDRESS, a["incoming.port"]), 90)
        # The name by which the adapter knows that it runs; then nothing is edited.
        self.assertEqual(self.comm(p.pid), "geary")
        # It writes the file anew, the sender's name in its own words: nothing became something else.
        ini = self.home.path / ".config/geary/account_01/geary.ini"
        wait_for("Geary to write the file anew", lambda: "use_signature" in ini.read_text(), 40)
        teller = self.start("geary", "mailto:bob@acme.example?subject=written&body=b")  # it tells the one that runs
        self.send("written", a)
        host = RunningHost(self, "geary", {k: v for k, v in a.items() if k != "account.organisation"})
        host.waits()
        self.end_group(teller)
        self.end_group(p)
        after = self.home.seen("geary")["account_01"]  # with folders that it found by itself
        self.assertEqual({k: after.get(k) for k in before["account_01"]}, before["account_01"])
        self.assertEqual(self.home.driver("apply", "geary", sheet(a)), "")
        host.is_done()

    def box(self, name, create=False):
        """How many messages the mailbox has."""
        context = ssl.create_default_context(cafile=self.server.ca.cert)
        with imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=context) as c:
            c.login(ADDRESS, "pw 1")
            if create:
                c.create(f'"{name}"')
                c.subscribe(f'"{name}"')
            done, data = c.select(f'"{name}"', readonly=True)
            self.assertEqual(done, "OK", data)
            return int(data[0])

    @have("geary")
    def test_geary_folders(self):
        """What it sends is kept, and what is begun is saved, where the policy has it."""
        a = self.account("tls", account__folder_sent="INBOX/Gesendet & Söhne/`id` (x)", account__folder_drafts="Entwürfe; z")
        sent, drafts = "INBOX.Gesendet &- S&APY-hne.`id` (x)", "Entw&APw-rfe; z"
        for name in (sent, drafts):
            self.assertEqual(self.box(name, create=True), 0)
        self.home.apply("geary", sheet(a))
        self.start_keyring()
        self.keep("org.gnome.Geary", "proto", "IMAP", "host", "localhost", "login", ADDRESS)
        self.keep("org.gnome.Geary", "proto", "SMTP", "host", "localhost", "login", "alice")
        self.window_manager()
        self.start("geary")
        wait_for("Geary to log in", lambda: self.logged_in("imap", ADDRESS, a["incoming.port"]), 90)
        ini = self.home.path / ".config/geary/account_01/geary.ini"
        wait_for("Geary to write the file anew", lambda: "use_signature" in ini.read_text(), 40)
        self.start("geary", "mailto:bob@acme.example?subject=written&body=b")
        wait_for("the window", lambda: self.type("written", "x"), 60)
        wait_for("a draft", lambda: self.box(drafts) == 1, 60)
        self.send("written", a)
        wait_for("a copy", lambda: self.box(sent) == 1, 120)
        wait_for("the draft to go", lambda: self.box(drafts) == 0, 60)

    def type(self, title, keys):
        """Into the window with this title; is there one?"""
        found = self.home.run("xdotool", "search", "--name", title, DISPLAY=self.display).stdout.split()
        for window in found:
            self.home.run("xdotool", "windowactivate", "--sync", window, "type", keys, DISPLAY=self.display, timeout=10)
        return found

    @have("geary")
    @proves("geary", "imap tls", "smtp tls", "running")
    def test_geary_tls(self):
        self.geary("tls")

    @have("geary")
    @proves("geary", "imap starttls", "smtp starttls")
    def test_geary_starttls(self):
        self.geary("starttls")


if __name__ == "__main__":
    unittest.main()
