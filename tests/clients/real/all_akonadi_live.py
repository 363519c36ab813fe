"""Akonadi takes up what the agent wrote while it runs, with the agent and the session's bus where both really are.

A change of an account by the agent: the resource shows the new values, and so does the list of its instances after a
removal. Runs with tests/run --all only.
"""

import json
import subprocess
import unittest

from realclient import have, proves, wait_for  # first: it knows where the others are
from test_gnome_agent import BusCase
from test_kde import MINE
from agentlib import OK

AKONADI = "org.freedesktop.Akonadi"
MANAGER = (AKONADI + ".Control", "/AgentManager")
OURS = "akonadi_imap_resource_0"
SENDER = "akonadi_maildispatcher_agent"


class Live(BusCase):
    @classmethod
    @have("akonadi_control", "akonadi_imap_resource", "gdbus")
    def setUpClass(cls):
        super().setUpClass()

    def setUp(self):
        self.addCleanup(self.end_home)  # last of all: the bus starts programs as well
        super().setUp()
        self.home.write(".config/akonadi/akonadiserverrc", "[%General]\nDriver=QSQLITE3\n")
        for name, text in MINE.items():
            self.home.write(f".config/{name}", text)
        # Another name than localhost, which is tried at once, and would be asked a password for.
        self.account["settings"] = [[k, "imap.localhost" if k == "incoming.host" else v] for k, v in self.account["settings"]]
        self.host.apply(self.policy("kmail"))
        self.start()

    def env(self, **more):
        return super().env(QT_QPA_PLATFORM="offscreen", **more)

    def start(self):
        p = subprocess.Popen(["akonadi_control"], env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(self.end_group, p)
        wait_for("the resource", lambda: self.port(OURS) == "993", 60)
        wait_for("the agent that sends", lambda: self.pid(SENDER), 60)
        wait_for("Akonadi", self.has_control, 60)

    def ask(self, dest, path, method, *args):
        return self.on_bus("gdbus", "call", "--session", "--dest", dest, "--object-path", path, "--method", method, *args).strip()

    def port(self, instance):
        """What the resource says; it is away for a moment while it is started anew."""
        try:
            return self.ask(f"{AKONADI}.Resource.{instance}", "/Settings", "org.kde.Akonadi.Imap.Settings.imapPort").strip("(),")
        except AssertionError:
            return None

    def pid(self, instance):
        try:
            return self.pid_on_bus(f"{AKONADI}.Agent.{instance}")
        except AssertionError:
            return None

    def has_control(self):
        try:
            return self.pid_on_bus(AKONADI + ".Control")
        except AssertionError:
            return None

    def instances(self):
        return self.ask(*MANAGER, AKONADI + ".AgentManager.agentInstances")

    def put_right(self, setting):
        """What is said of a setting that the user has changed, and is put right."""
        p = self.host.run("apply", "--json")
        found, = [f for f in json.loads(p.stdout)["findings"] if f["client"] == "kmail" and f["setting"] == setting]
        self.assertEqual(found["action"], "corrected", p.stderr)
        self.assertNotIn("could not", found.get("reason", ""))

    def drift(self, name, was, now):
        path = self.home.path / ".config" / name
        text = path.read_text()
        self.assertIn(was, text)
        path.write_text(text.replace(was, now))
        return path

    @proves("kmail", "running")
    def test_changes_are_taken_up(self):
        control, sender = self.pid_on_bus(AKONADI + ".Control"), self.pid(SENDER)
        # The server: its resource is started anew, and nobody else.
        rc = self.drift(OURS + "rc", "ImapPort=993", "ImapPort=1993")
        self.ask(*MANAGER, AKONADI + ".AgentManager.restartAgentInstance", OURS)
        wait_for("the wrong port", lambda: self.port(OURS) == "1993", 60)
        self.put_right("incoming.port")
        wait_for("the right port", lambda: self.port(OURS) == "993", 60)
        self.assertIn("993", rc.read_text())
        self.assertEqual(self.pid(SENDER), sender)
        # The server to send through: the agent that sends is started anew.
        self.drift("mailtransports", "port=465", "port=1465")
        self.put_right("outgoing.port")
        wait_for("the agent that sends", lambda: self.pid(SENDER) not in (None, sender), 60)
        self.assertEqual(self.pid_on_bus(AKONADI + ".Control"), control)
        # Where nothing changes nobody is disturbed.
        before = (self.pid(SENDER), self.pid(OURS))
        self.assertEqual(self.host.apply(self.policy("kmail")).status, OK)
        self.assertEqual((self.pid(SENDER), self.pid(OURS)), before)
        self.assertIn(OURS, self.instances())

    def test_an_account_goes(self):
        """Akonadi would write it into its list again, were it not told."""
        self.removed("kmail")
        wait_for("the account to go", lambda: OURS not in self.instances(), 60)
        # It writes its list once more.
        self.ask(*MANAGER, AKONADI + ".AgentManager.setAgentInstanceOnline", "akonadi_pop3_resource_0", "false")
        config = self.home.path / ".config"
        wait_for("its files to go", lambda: not (config / f"{OURS}rc").exists(), 20)
        self.assertNotIn(OURS, (config / "akonadi/agentsrc").read_text())
        self.assertIn("akonadi_pop3_resource_0", (config / "akonadi/agentsrc").read_text())


if __name__ == "__main__":
    unittest.main()
