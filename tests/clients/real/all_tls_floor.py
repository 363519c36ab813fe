"""The lowest TLS version of GNOME's and KDE's programs and of Balsa, which have no setting for it: what they take of a
server that speaks nothing newer is what is told as a fact. Runs with tests/run --all only: the programs are large."""

import unittest

import all_balsa
import all_kmail_login
from gnomelib import WindowCase, account, have, sheet, wait_for
from oldtls import Machine, OldServer, issue_rsa
from realclient import DRIVER

ADDRESS = "alice@acme.example"
GOA = "org.gnome.OnlineAccounts"
AKONADI = "org.freedesktop.Akonadi"


class FloorCase:
    """Before a case of programs with windows. On a system as it is installed."""

    raised = False

    def env(self, **more):
        return super().env(**Machine(self.home.dir, self.raised).env, **more)

    def begin(self, version, protocol="imap", **more):
        """A server of this version, and an account there."""
        self.old = OldServer(issue_rsa(self.server.ca, "old", ["localhost"]), version, protocol)
        self.addCleanup(self.old.stop)
        return account(incoming__protocol=protocol, incoming__port=str(self.old.port), **more)

    def fact(self, client):
        out = self.home.run(DRIVER, "facts", self.home.dir, "alice", "/home", client).stdout
        return [line.split(" client.tls_min = ")[1].split(" ")[0] for line in out.splitlines() if " client.tls_min = " in line]

    def ends(self, client, lowest):
        """The server has seen what it was offered; below the lowest it was refused."""
        wait_for(f"{client} at the server", lambda: self.old.seen, 90)
        self.assertEqual((self.old.lowest(), self.old.taken()), (lowest, lowest == "1.0"))
        self.assertEqual(self.fact(client), [lowest])


class Gnome(FloorCase, WindowCase):
    version = lowest = "1.0"

    @have("evolution")
    def test_evolution(self):
        a = self.begin(self.version)
        self.home.write(".config/glib-2.0/settings/keyfile", "[org/gnome/evolution/mail]\nsend-recv-on-start=true\n")
        self.window_manager()
        self.home.apply("evolution", sheet(a))
        self.start_keyring()
        self.keep("org.gnome.Evolution.Data.Source", "e-source-uid", "mailmuster-work-1", "eds-origin", "evolution-data-server")
        self.start("evolution")
        self.ends("evolution", self.lowest)

    @have("geary")
    def test_geary(self):
        a = self.begin(self.version)
        self.home.apply("geary", sheet(a))
        self.start_keyring()
        self.keep("org.gnome.Geary", "proto", "IMAP", "host", "localhost", "login", ADDRESS)
        self.keep("org.gnome.Geary", "proto", "SMTP", "host", "localhost", "login", "alice")
        self.window_manager()
        self.start("geary")
        self.ends("geary", self.lowest)

    @have("gdbus", "secret-tool")
    def test_online_accounts(self):
        a = self.begin(self.version)
        self.home.apply("goa", sheet(a))
        self.start_keyring()
        self.on_bus("secret-tool", "store", "--label=x", "xdg:schema", GOA, "goa-identity",
                    "imap_smtp:gen0:account_mailmuster_work", stdin="{'imap-password': <'pw 1'>, 'smtp-password': <'pw 1'>}")
        with self.assertRaises(AssertionError):  # nobody logs in at this server
            self.on_bus("gdbus", "call", "--session", "--dest", GOA, "--object-path",
                        "/org/gnome/OnlineAccounts/Accounts/account_mailmuster_work", "--method", GOA + ".Account.EnsureCredentials")
        self.ends("goa", self.lowest)

    @have("balsa")
    def test_balsa(self):
        (self.home.path / "mail").mkdir()
        for name in ("Inbox", "Outbox", "Sentbox", "Draftbox", "Trash"):
            self.home.write(f"mail/{name}", "")
        a = self.begin(self.version)
        there = all_balsa.IMAP + "ListInbox=true\nRememberPasswd=true\n"
        self.home.write(".balsa/config", (all_balsa.HEAD + there + all_balsa.TAIL).replace("=@/", f"={self.home.path}/"))
        self.home.write(".balsa/config-private", "[folder-1]\nUsername=old\n\n[smtp-server-Default]\nUsername=old\n")
        wanted = sheet(a)
        wanted["accounts"][0]["replaces"] = ["mail.old.example"]
        self.home.apply("balsa", wanted)
        self.start_keyring()
        self.keep("org.gnome.Balsa.NetworkPassword", "protocol", "imap", "server", f"localhost:{self.old.port}", "user", ADDRESS)
        self.window_manager()
        self.start("balsa", "--check-mail")
        self.ends("balsa", self.lowest)


class GnomeRaised(Gnome):
    """/etc/gnutls/config allows TLS 1.2 and newer only."""

    raised, version, lowest = True, "1.1", "1.2"


class KdeCase(FloorCase, all_kmail_login.Login):
    """Qt sets the lowest version itself: what OpenSSL's file says does not count."""

    def fetch_once(self, protocol, **more):
        a = self.begin("1.0", protocol, **more)
        self.home.apply("kmail", sheet(a))
        self.keep(protocol, "akonadi_imap_resource_0rc" if protocol == "imap" else "akonadi_pop3_resource_0")
        self.start("akonadi_control")

        def came():
            self.answers(AKONADI + ".Control", "/AgentManager", AKONADI + ".AgentManager.agentInstanceSynchronize",
                         f"akonadi_{protocol}_resource_0")
            try:
                return wait_for("", lambda: self.old.seen, 3)
            except TimeoutError:
                return False
        wait_for("the resource to connect", came, 90)
        self.ends("kmail", "1.0")


class Kde(KdeCase):
    def test_imap_tls(self):
        self.fetch_once("imap")

    def test_pop3_tls(self):
        self.fetch_once("pop3", incoming__leave_on_server="yes")


class KdeRaised(Kde):
    raised = True


def load_tests(loader, _tests, _pattern):
    """Not what the classes that these stand on test."""
    suite = unittest.TestSuite()
    for case in (Gnome, GnomeRaised):
        suite.addTests(loader.loadTestsFromTestCase(case))
    for case in (Kde, KdeRaised):
        suite.addTests(case(name) for name in ("test_imap_tls", "test_pop3_tls"))
    return suite


if __name__ == "__main__":
    unittest.main()
