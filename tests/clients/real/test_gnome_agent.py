"""The agent and the services of GNOME take turns: what either writes the other leaves alone.

A user with private accounts; the agent adds the policy's while the services run, they notice and put
keys of their own into the files, the agent finds nothing to do, and takes its accounts out again.
"""

import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from gnomelib import SessionCase, wait_for
from realclient import ROOT, proves
import agentlib
from agentlib import OK, Host, account, sheet

SOURCES = ".config/evolution/sources"
MINE = ("[Data Source]\nDisplayName=Mine\nEnabled=true\n\n[Mail Account]\nBackendName=imapx\n\n"
        "[Authentication]\nHost=imap.private.example\nPort=993\nUser=me\n\n[Security]\nMethod=ssl-on-alternate-port\n")
GOA = "# mine\n[Account account_1500000000_0]\nProvider=google\nIdentity=me\n"
GEARY = "[Metadata]\ngoa_id=account_1500000000_0\n"


# Somebody who has the name of another service, and says nothing.
SQUATTER = """
import gi
from gi.repository import Gio, GLib
Gio.bus_own_name(Gio.BusType.SESSION, "org.gnome.OnlineAccounts", 0, None, lambda *a: print("here", flush=True), None)
GLib.MainLoop().run()
"""


class AgentCase(SessionCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="mmagent"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.host = Host(folder, home=self.home.path, login="alice", domains=["localhost"], programs=["/bin/false"],
                         probe=str(ROOT / "tests/lib/fakeprobe.py"))
        self.account = account(incoming__host="localhost", incoming__port="993", outgoing__host="localhost",
                               outgoing__port="465", incoming__password_command='["/bin/false"]')

    def policy(self, client, accounts=None):
        return sheet(accounts=[self.account] if accounts is None else accounts, clients={client: "enforce"})

    def removed(self, client):
        a = self.host.apply(self.policy(client, []))
        self.assertEqual(a.status, OK, a.stderr)


class Turns(AgentCase):
    def states(self, answer, client):
        return {f["state"] for f in answer.findings if f["client"] == client and f["account"] == "work"}

    def kept(self, client):
        """Applied a second time: nothing changes."""
        a = self.host.apply(self.policy(client))
        self.assertNotIn("pending", self.states(a, client), a.stderr)
        self.assertIn("compliant", self.states(a, client))

    def test_evolution(self):
        mine = self.home.write(f"{SOURCES}/mine.source", MINE)
        self.sources()  # the registry runs, and has written to the file what it adds
        before = mine.read_bytes()
        a = self.host.apply(self.policy("evolution"))
        self.assertIn("pending", self.states(a, "evolution"), a.stderr)
        wait_for("the registry to notice", lambda: "mailmuster-work-1" in self.sources(), 15)
        account = self.home.path / SOURCES / "mailmuster-work-1.source"
        wait_for("the registry to write", lambda: "RememberPassword" in account.read_text(), 15)
        self.kept("evolution")
        self.removed("evolution")
        self.assertFalse(list((self.home.path / SOURCES).glob("*mailmuster*")))
        wait_for("the registry to notice", lambda: not any("mailmuster" in uid for uid in self.sources()), 15)
        self.assertEqual(mine.read_bytes(), before)

    def test_goa(self):
        conf = self.home.write(".config/goa-1.0/accounts.conf", GOA)
        a = self.host.apply(self.policy("goa"))
        self.assertIn("pending", self.states(a, "goa"), a.stderr)
        host = self.property("org.gnome.OnlineAccounts", "/org/gnome/OnlineAccounts/Accounts/account_mailmuster_work",
                             "org.gnome.OnlineAccounts.Mail", "ImapHost")
        self.assertEqual(host, "(<'localhost:993'>,)")
        self.kept("goa")
        self.removed("goa")
        self.assertEqual(conf.read_text(), GOA)

    def test_geary(self):
        """The user's own account comes from online accounts; ours is a folder beside it."""
        self.home.write(".config/geary/goa_account_1500000000_0/geary.ini", GEARY)
        a = self.host.apply(self.policy("geary"))
        self.assertIn("pending", self.states(a, "geary"), a.stderr)
        self.assertTrue((self.home.path / ".config/geary/account_01/geary.ini").exists())
        self.kept("geary")
        self.removed("geary")
        self.assertFalse(list((self.home.path / ".config/geary").glob("account_*/geary.ini")))


class BusCase(AgentCase):
    """The agent meets the services on the bus of a session."""

    SOCKET = pathlib.Path("/run/user/0/bus")
    bus_options = [f"--address=unix:path={SOCKET}"]

    @classmethod
    def setUpClass(cls):
        """The bus is where that of a session is, in a /run of this process's own."""
        if not agentlib.is_root():
            raise unittest.SkipTest("needs root for a /run of its own")
        agentlib._check(agentlib._libc.unshare(agentlib._CLONE_NEWNS))
        agentlib.mount("none", "/", None, agentlib._MS_REC | agentlib._MS_PRIVATE)
        agentlib.mount("none", "/run", "tmpfs")
        cls.SOCKET.parent.mkdir(parents=True)

    @classmethod
    def tearDownClass(cls):
        agentlib.umount("/run")

    def setUp(self):
        self.SOCKET.unlink(missing_ok=True)
        super().setUp()


class OnlineAccounts(BusCase):
    """An account that the user has changed is put right while goa-daemon, and what uses its accounts, runs."""

    NAME, OBJECT = "org.gnome.OnlineAccounts", "/org/gnome/OnlineAccounts/Accounts/account_mailmuster_work"
    def setUp(self):
        super().setUp()
        self.conf = self.home.write(".config/goa-1.0/accounts.conf", GOA)
        self.host.apply(self.policy("goa"))

    def shown(self):
        return self.property(self.NAME, self.OBJECT, self.NAME + ".Mail", "ImapHost")

    def runs(self):
        return "true" in self.on_bus("gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
                                     "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.NameHasOwner", self.NAME)

    def stop(self):
        pid = self.pid_on_bus(self.NAME)
        self.end(pid)
        wait_for("goa-daemon to end", lambda: not pathlib.Path(f"/proc/{pid}").exists())

    def drift(self):
        self.conf.write_text(self.conf.read_text().replace("ImapHost=localhost:993", "ImapHost=localhost:1993"))

    def put_right(self):
        """What is said of the setting that the user has changed."""
        p = self.host.run("apply", "--json")
        self.assertIn("ImapHost=localhost:993\n", self.conf.read_text(), p.stderr)
        found, = [f for f in json.loads(p.stdout)["findings"] if f["client"] == "goa" and f["setting"] == "incoming.port"]
        return found

    def derived(self):
        """What evolution-data-server makes of it: {uid: port}"""
        return {uid: s["Authentication"]["port"] for uid, s in self.sources().items()
                if s.get("Mail Account", {}).get("backend_name") == "imapx"}

    @proves("goa", "running")
    def test_a_change_shows_at_once(self):
        self.drift()
        self.assertEqual(self.shown(), "(<'localhost:1993'>,)")
        before = self.derived()
        self.assertEqual(list(before.values()), [1993])
        pid = self.pid_on_bus(self.NAME)
        found = self.put_right()
        self.assertEqual([found["action"], found.get("reason", "")], ["corrected", ""])
        self.assertEqual(self.shown(), "(<'localhost:993'>,)")
        wait_for("evolution-data-server", lambda: self.derived() == dict.fromkeys(before, 993))
        # Where nothing changes nobody is disturbed.
        now = self.pid_on_bus(self.NAME)
        self.assertNotEqual(now, pid)
        self.assertEqual(self.put_right()["action"], "none")
        self.assertEqual(self.pid_on_bus(self.NAME), now)
        # What comes and goes it sees by itself.
        self.host.apply(self.policy("goa", []))
        wait_for("the account to go", lambda: self.OBJECT not in self.on_bus(
            "gdbus", "introspect", "--session", "--dest", self.NAME, "--object-path", "/org/gnome/OnlineAccounts", "--recurse"))
        self.host.apply(self.policy("goa"))
        self.assertEqual(wait_for("the account to come", self.shown_if_there), "(<'localhost:993'>,)")
        self.assertEqual(self.pid_on_bus(self.NAME), now)

    def shown_if_there(self):
        try:
            return self.shown()
        except AssertionError:
            return None

    def test_where_it_does_not_run_nothing_is_started(self):
        self.drift()
        found = self.put_right()
        self.assertEqual([found["action"], found.get("reason", "")], ["corrected", ""])
        self.assertFalse(self.runs())
        # Nor is it missed where there is no session, or only what is left of one.
        self.SOCKET.unlink()
        for left in (False, True):
            if left:
                with socket.socket(socket.AF_UNIX) as s:
                    s.bind(str(self.SOCKET))
            self.drift()
            found = self.put_right()
            self.assertEqual([found["action"], found.get("reason", "")], ["corrected", ""])

    def test_another_program_of_that_name_is_left_alone(self):
        p = subprocess.Popen(["/usr/bin/python3", "-c", SQUATTER], env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus),
                             stdout=subprocess.PIPE, text=True)
        self.addCleanup(p.stdout.close)
        self.addCleanup(self.stop_process, p)
        self.assertEqual(p.stdout.readline(), "here\n")
        self.drift()
        found = self.put_right()
        self.assertEqual([found["action"], found["reason"]], ["corrected", "goa-daemon could not be started anew: the desktop "
                                                              "shows the change at the next login"])
        self.assertIsNone(p.poll())


if __name__ == "__main__":
    unittest.main()
