"""Akonadi itself, without a screen, starts the resource that we made and says what it read."""

import os
import signal
import subprocess
import unittest

from gnomelib import SessionCase, account, wait_for
from realclient import have, proves, sheet
from test_kde import MINE

AKONADI = "org.freedesktop.Akonadi"


class Akonadi(SessionCase):
    dirs = "/etc/xdg"

    @have("akonadi_control", "akonadi_imap_resource", "gdbus")
    def setUp(self):
        super().setUp()
        self.home.write(".config/akonadi/akonadiserverrc", "[%General]\nDriver=QSQLITE3\n")
        for name, text in MINE.items():
            self.home.write(f".config/{name}", text)

    def env(self, **more):
        return super().env(QT_QPA_PLATFORM="offscreen", XDG_CONFIG_DIRS=self.dirs, **more)

    def start(self):
        p = subprocess.Popen(["akonadi_control"], env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(self.stop, p)
        return p

    def stop(self, p):
        """Asked to, it ends its server and its agents; whoever is left over is of its group."""
        try:
            self.ask(AKONADI + ".Control", "/ControlManager", AKONADI + ".ControlManager.shutdown")
            p.wait(20)
        except (AssertionError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        p.wait(10)

    def ask(self, dest, path, method, *args):
        return self.on_bus("gdbus", "call", "--session", "--dest", dest, "--object-path", path, "--method", method, *args).strip()

    def setting(self, name):
        """A resource that is started anew is away for a moment."""
        got = []

        def once():
            try:
                got.append(self.ask(AKONADI + ".Resource.akonadi_imap_resource_0", "/Settings",
                                    f"org.kde.Akonadi.Imap.Settings.{name}"))
            except AssertionError:
                return False
            return True
        wait_for("the resource", once, 60)
        return got[-1].strip("(),").strip("'\"")

    def check(self, a):
        got = [self.setting(n) for n in ("imapServer", "imapPort", "userName", "safety", "authentication", "useDefaultIdentity")]
        self.assertEqual(got, [a["incoming.host"], a["incoming.port"], a["incoming.username"],
                               {"tls": "SSL", "starttls": "STARTTLS"}[a["incoming.security"]], "1", "false"])

    @proves("kmail", "read back", "running")
    def test_a_new_account_and_a_change_while_it_runs(self):
        a = account(incoming__host="localhost.example")
        self.home.apply("kmail", sheet(a))
        self.start()
        self.check(a)
        moved = account(incoming__host="localhost.example", incoming__port="143", incoming__security="starttls")
        self.home.apply("kmail", sheet(moved))
        self.ask(AKONADI + ".Control", "/AgentManager", AKONADI + ".AgentManager.restartAgentInstance", "akonadi_imap_resource_0")
        wait_for("the new port", lambda: self.setting("imapPort") == "143", 30)
        self.check(moved)
        # What Akonadi wrote meanwhile made nothing of ours into something else.
        self.assertEqual(self.home.driver("apply", "kmail", sheet(moved)), "")
        self.assertIn("akonadi_imap_resource_0", self.home.seen("kmail"))

    def test_the_systems_list_is_for_new_homes(self):
        """Why there is no scope = "system": a list of the user's own hides the system's, and every home soon has one."""
        for name, text in {"akonadi/agentsrc": "[Instances]\nakonadi_imap_resource_mm\\AgentType=akonadi_imap_resource\n",
                           "akonadi_imap_resource_mmrc": "[network][$i]\nImapServer=system.example\n"}.items():
            self.home.write(f"../xdg/{name}", text)
        self.dirs = str(self.home.dir / "xdg")
        own = self.home.path / ".config/akonadi/agentsrc"
        p = self.start()
        self.until_listed("akonadi_pop3_resource_0")
        self.assertNotIn("akonadi_imap_resource_mm", self.listed())
        self.stop(p)
        own.unlink()
        self.start()
        self.until_listed("akonadi_imap_resource_mm")
        wait_for("a list of its own", own.exists, 60)

    def listed(self):
        return self.ask(AKONADI + ".Control", "/AgentManager", AKONADI + ".AgentManager.agentInstances")

    def until_listed(self, instance):
        def there():
            try:
                return instance in self.listed()
            except AssertionError:
                return False
        wait_for(instance, there, 60)


if __name__ == "__main__":
    unittest.main()
