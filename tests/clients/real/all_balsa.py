"""Balsa itself, on a screen of the test's own: what it writes of the adapter's values when it is told to quit."""

import os
import subprocess
import unittest

from gnomelib import ServerCase, account, wait_for
from realclient import HOSTILE, RunningHost, have, proves, sheet

BOXES = "".join(f"[mailbox-{name}]\nType=LibBalsaMailboxMbox\nPath=@/mail/{name}\nName={name}\n\n"
                for name in ("Inbox", "Outbox", "Sentbox", "Draftbox", "Trash"))
CONFIG = "[Globals]\nMailDir=@/mail\n\n" + BOXES + """[folder-1]
Type=LibBalsaMailboxImap
Name=Work
Server=mail.old.example:993
Security=1

[smtp-server-Default]
Server=mail.old.example

[identity]
CurrentIdentity=x

[identity-x]
FullName=Alice
Address=alice@acme.example
SmtpServer=Default
"""
WINDOW = "/org/desktop/Balsa/window/1"


class Balsa(ServerCase):
    @have("balsa", "Xvfb")
    def setUp(self):
        super().setUp()
        r, w = os.pipe()
        screen = subprocess.Popen(["Xvfb", "-displayfd", str(w), "-nolisten", "tcp", "-screen", "0", "800x600x24"],
                                  pass_fds=(w,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(w)
        self.addCleanup(self.stop_process, screen)
        with os.fdopen(r) as f:
            self.display = ":" + f.readline().strip()
        (self.home.path / "mail").mkdir()
        for name in ("Inbox", "Outbox", "Sentbox", "Draftbox", "Trash"):
            self.home.write(f"mail/{name}", "")
        self.config()
        self.home.write(".balsa/config-private", "[folder-1]\nUsername=alice\n")

    def config(self, more=""):
        text = CONFIG.replace("=@/", f"={self.home.path}/").replace("Server=mail.old.example\n", "Server=mail.old.example\n" + more)
        return self.home.write(".balsa/config", text)

    def start(self):
        p = subprocess.Popen(self.trusting("balsa"), env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus, DISPLAY=self.display), cwd=self.home.path,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop_process, p)
        return p

    def action(self, method, *args):
        return self.on_bus("gdbus", "call", "--session", "--dest", "org.desktop.Balsa", "--object-path", WINDOW, "--method",
                           "org.gtk.Actions." + method, *args)

    def has_window(self):
        try:
            return "quit" in self.action("List")
        except AssertionError:
            return False

    def run_once(self):
        p = self.start()
        wait_for("Balsa's window", self.has_window, 30)
        self.assertEqual(self.comm(p.pid), "balsa")
        self.action("Activate", "quit", "[]", "{}")
        self.assertEqual(p.wait(20), 0)

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
        p = self.start()
        wait_for("Balsa's window", self.has_window, 30)
        host.waits()
        self.action("Activate", "quit", "[]", "{}")
        p.wait(20)
        host.is_done()

    def test_an_edit_under_it_would_be_lost(self):
        p = self.start()
        wait_for("Balsa's window", self.has_window, 30)
        path = self.home.path / ".balsa/config"
        path.write_text(path.read_text().replace("FullName=Alice\n", "FullName=Somebody\n"))
        self.action("Activate", "quit", "[]", "{}")
        p.wait(20)
        self.assertNotIn("Somebody", path.read_text())


if __name__ == "__main__":
    unittest.main()
