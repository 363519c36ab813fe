"""Balsa itself, on a screen of the test's own: it logs in with what the adapter wrote, and what it writes of it when it
is told to quit."""

import unittest

from gnomelib import WindowCase, account, wait_for
from realclient import HOSTILE, RunningHost, have, proves, sheet

BOXES = "".join(f"[mailbox-{name}]\nType=LibBalsaMailboxMbox\nPath=@/mail/{name}\nName={name}\n\n"
                for name in ("Inbox", "Outbox", "Sentbox", "Draftbox", "Trash"))
IMAP = "[folder-1]\nType=LibBalsaMailboxImap\nName=Work\nServer=mail.old.example:993\nSecurity=1\n"
POP3 = "[mailbox-1]\nType=LibBalsaMailboxPOP3\nName=Work\nServer=mail.old.example:995\nSecurity=1\nCheck=true\n"
HEAD, TAIL = "[Globals]\nMailDir=@/mail\n\n" + BOXES, """
[smtp-server-Default]
Server=mail.old.example

[identity]
CurrentIdentity=x

[identity-x]
FullName=Alice
Address=alice@acme.example
SmtpServer=Default
"""
CONFIG = HEAD + IMAP + TAIL
WINDOW = "/org/desktop/Balsa/window/1"


class BalsaCase(WindowCase):
    @have("balsa")
    def setUp(self):
        super().setUp()
        (self.home.path / "mail").mkdir()
        for name in ("Inbox", "Outbox", "Sentbox", "Draftbox", "Trash"):
            self.home.write(f"mail/{name}", "")

    def action(self, method, *args):
        return self.on_bus("gdbus", "call", "--session", "--dest", "org.desktop.Balsa", "--object-path", WINDOW, "--method",
                           "org.gtk.Actions." + method, *args)

    def has_window(self):
        try:
            return "quit" in self.action("List")
        except AssertionError:
            return False

    def start_balsa(self, *args):
        p = self.start("balsa", *args)
        wait_for("Balsa's window", self.has_window, 60)
        return p

    def quit(self, p):
        self.action("Activate", "quit", "[]", "{}")
        self.assertEqual(p.wait(20), 0)


class Balsa(BalsaCase):
    def setUp(self):
        super().setUp()
        self.config()
        self.home.write(".balsa/config-private", "[folder-1]\nUsername=alice\n")

    def config(self, more=""):
        text = CONFIG.replace("=@/", f"={self.home.path}/").replace("Server=mail.old.example\n", "Server=mail.old.example\n" + more)
        return self.home.write(".balsa/config", text)

    def run_once(self):
        p = self.start_balsa()
        self.assertEqual(self.comm(p.pid), "balsa")
        self.quit(p)

    def test_it_writes_back_what_was_written(self):
        """The server to send through and the identity are written whole, by the code that reads every server."""
        for security, number in (("tls", "1"), ("starttls", "2")):
            a = account(incoming__host="imap.acme.invalid", outgoing__host="smtp.acme.invalid", outgoing__username="a \"b`$(id)|\\q",
                        incoming__security=security, outgoing__security=security)
            wanted = sheet(a)
            wanted["accounts"][0]["replaces"] = ["mail.old.example"]
            self.home.apply("balsa", wanted)
            self.run_once()
            text = (self.home.path / ".balsa/config").read_text()
            self.assertIn("BigMessage=", text)  # it did write
            self.assertIn("Server=smtp.acme.invalid:465\n", text)
            smtp = text.split("[smtp-server-Default]\n")[1].split("\n\n")[0].splitlines()
            self.assertIn(f"Security={number}", smtp)
            self.assertEqual(self.home.driver("apply", "balsa", wanted), "")
            seen = self.home.seen("balsa")["folder-1"]
            self.assertEqual([seen[k] for k in ("account.real_name", "outgoing.username", "incoming.username")],
                             [a[k] for k in ("account.real_name", "outgoing.username", "incoming.username")])

    def test_what_is_missing_is_what_the_adapter_says(self):
        """Without Security it is STARTTLS; SSL and TLSMode are understood as it understands them."""
        for lines, number in (("", "2"), ("SSL=true\n", "1"), ("TLSMode=0\n", "4"), ("TLSMode=1\n", "3"), ("Security=abc\n", "2")):
            with self.subTest(lines=lines):
                path = self.config("Port=587\n" + lines)
                before = self.home.seen("balsa")["folder-1"]
                self.run_once()
                text = path.read_text()
                self.assertIn("Server=mail.old.example:587\n", text)
                self.assertIn(f"Security={number}\n", text.split("[smtp-server-Default]")[1])
                after = self.home.seen("balsa")["folder-1"]
                self.assertEqual([before["outgoing.port"], before["outgoing.security"]],
                                 [after["outgoing.port"], after["outgoing.security"]])

    @proves("balsa", "hostile")
    def test_hostile_names(self):
        """Names that look like commands: each is written back as it was."""
        for value in HOSTILE:
            with self.subTest(value=value):
                self.config()
                self.home.write(".balsa/config-private", "[folder-1]\nUsername=alice\n")
                a = account(incoming__host="imap.acme.invalid", outgoing__host="smtp.acme.invalid", outgoing__username=value,
                            incoming__username=value, account__real_name=value)
                wanted = sheet(a)
                wanted["accounts"][0]["replaces"] = ["mail.old.example"]
                self.home.apply("balsa", wanted)
                self.run_once()
                seen = self.home.seen("balsa")["folder-1"]
                self.assertEqual([seen[k] for k in ("account.real_name", "outgoing.username", "incoming.username")], [value] * 3)
                self.assertFalse(list(self.home.path.rglob("marker")))

    @proves("balsa", "running")
    def test_running(self):
        a = {k: v for k, v in account(outgoing__host="localhost", incoming__host="localhost").items() if k != "account.organisation"}
        host = RunningHost(self, "balsa", a)
        wanted = sheet(a)
        wanted["accounts"][0]["replaces"] = ["mail.old.example"]
        self.home.apply("balsa", wanted)
        p = self.start_balsa()
        host.waits()
        self.quit(p)
        host.is_done()

    def test_an_edit_under_it_would_be_lost(self):
        p = self.start_balsa()
        path = self.home.path / ".balsa/config"
        path.write_text(path.read_text().replace("FullName=Alice\n", "FullName=Somebody\n"))
        self.quit(p)
        self.assertNotIn("Somebody", path.read_text())

class Login(BalsaCase):
    """An account that somebody has, taken over: Balsa looks for mail as it starts, and sends what is written."""

    def log_in(self, protocol, security):
        a, remember = self.account(security), "RememberPasswd=true\n"
        if protocol == "pop3":
            a.update({"incoming.protocol": "pop3", "incoming.leave_on_server": "yes",
                      "incoming.port": str(self.server.ports["pop3s" if security == "tls" else "pop3"])})
        there = (IMAP + "ListInbox=true\n" if protocol == "imap" else POP3) + remember
        text = (HEAD + there + TAIL).replace("=@/", f"={self.home.path}/").replace("Server=mail.old.example\n", "Server=mail.old.example\n" + remember)
        self.home.write(".balsa/config", text)
        self.home.write(".balsa/config-private", f"{there.splitlines()[0]}\nUsername=old\n\n[smtp-server-Default]\nUsername=old\n")
        wanted = sheet(a)
        wanted["accounts"][0]["replaces"] = ["mail.old.example"]
        self.home.apply("balsa", wanted)
        self.start_keyring()
        for name, side in ((protocol, "incoming"), ("smtp", "outgoing")):
            self.keep("org.gnome.Balsa.NetworkPassword", "protocol", name, "server", f"localhost:{a[side + '.port']}",
                      "user", a[side + ".username"])
        self.window_manager()
        p = self.start_balsa("--check-mail")
        wait_for("Balsa to log in", lambda: self.logged_in(protocol, a["incoming.username"], a["incoming.port"]), 60)
        self.start("balsa", "-m", "mailto:bob@acme.example?subject=written&body=b")  # it tells the one that runs
        self.send("written", a)
        self.assertEqual(self.comm(p.pid), "balsa")

    @proves("balsa", "imap tls", "smtp tls")
    def test_imap_tls(self):
        self.log_in("imap", "tls")

    @proves("balsa", "imap starttls", "smtp starttls")
    def test_imap_starttls(self):
        self.log_in("imap", "starttls")

    @proves("balsa", "pop3 tls")
    def test_pop3_tls(self):
        self.log_in("pop3", "tls")

    @proves("balsa", "pop3 starttls")
    def test_pop3_starttls(self):
        self.log_in("pop3", "starttls")


if __name__ == "__main__":
    unittest.main()
