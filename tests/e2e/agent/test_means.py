"""Logins without a password, the whole way: agent, probe, Dovecot, and a KDC."""

import json
import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
from agentlib import *  # noqa: E402,F403
import authservers  # noqa: E402
import test_credentials  # noqa: E402


def setUpModule():
    test_credentials.setUpModule()


def tearDownModule():
    test_credentials.tearDownModule()


@unittest.skipUnless(is_root() and shutil.which("krb5kdc") and os.path.exists("/etc/krb5.conf"), "needs root, and krb5-kdc")
class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kdc = authservers.Kdc()
        cls.dovecot = authservers.AuthDovecot(cls.kdc)
        os.chmod(cls.dovecot.pki.folder, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.dovecot.stop()
        cls.kdc.stop()

    def setUp(self):
        self.desk = test_credentials.Case("__init__")
        self.desk.probe = str(BIN / "mailmuster-probe")
        self.desk.setUp()
        self.addCleanup(self.desk.doCleanups)
        self.host = self.desk.host
        self.host.write_conf(domains=["localhost"], programs=["/bin/cat"])
        self.desk.put(".muttrc", "")

    def apply(self, auth, client, **more):
        settings = {}
        for side, port in (("incoming", "imaps"), ("outgoing", "submissions")):
            settings.update({f"{side}__host": "localhost", f"{side}__port": str(self.dovecot.ports[port]),
                             f"{side}__auth": auth, f"{side}__username": "alice",
                             f"{side}__ca_file": self.dovecot.pki.ca})
            settings.update({f"{side}__{k}": v for k, v in more.items()})
        a = self.host.apply(sheet(accounts=[account(**settings)], check="login", clients={client: "enforce"}))
        return {x["side"]: x for x in a.of(LOGIN)}

    def verdicts(self, logins):
        return {side: (x["result"], x["class"]) for side, x in logins.items()}

    def ticket(self, user):
        path = self.desk.put("krb5cc-" + user, pathlib.Path(self.kdc.ticket(user)).read_bytes())
        self.host.session = {"KRB5CCNAME": f"FILE:{path}"}

    def test_tickets(self):
        self.ticket("alice")
        good = {"incoming": ("passed", ""), "outgoing": ("passed", "")}
        self.assertEqual(self.verdicts(self.apply("gssapi", "mutt")), good)
        # somebody else's ticket in this user's hand proves nothing about this user
        self.ticket("bob")
        bad = {"incoming": ("failed", "KRB_FAILED"), "outgoing": ("failed", "KRB_FAILED")}
        self.assertEqual(self.verdicts(self.apply("gssapi", "mutt")), bad)
        # a ticket is not remembered as refused: the next may be another
        self.ticket("alice")
        self.assertEqual(self.verdicts(self.apply("gssapi", "mutt")), good)
        self.host.session = {"KRB5CCNAME": "FILE:/nonexistent/cc"}
        none = {"incoming": ("untested", "NO_TICKET"), "outgoing": ("untested", "NO_TICKET")}
        found = self.apply("gssapi", "mutt")
        self.assertEqual(self.verdicts(found), none)
        self.assertEqual({x["reached"] for x in found.values()}, {"tls"})

    def test_certificates(self):
        pki = self.dovecot.pki
        pem = self.desk.put("alice.pem", authservers.client_certificate(pki, "c-alice", "alice"))
        self.assertEqual(self.verdicts(self.apply("external", "msmtp", client_cert=str(pem))), {"outgoing": ("passed", "")})
        self.desk.put("alice.pem", authservers.client_certificate(pki, "c-bob", "bob"))
        refused = {"outgoing": ("failed", "AUTH_CERT_REFUSED")}
        mark = len(self.dovecot.log())
        for _ in range(2):
            self.assertEqual(self.verdicts(self.apply("external", "msmtp", client_cert=str(pem))), refused)
        self.assertLessEqual(self.dovecot.log()[mark:].count("auth failed"), 1)

    def test_tokens(self):
        token = self.desk.put("token", authservers.token() + b"\n")
        command = json.dumps(["/bin/cat", str(token)], separators=(",", ":"))
        self.assertEqual(self.verdicts(self.apply("xoauth2", "msmtp", password_command=command)), {"outgoing": ("passed", "")})
        self.desk.put("token", authservers.token(lifetime=-60))
        for _ in range(2):
            found = self.apply("xoauth2", "msmtp", password_command=command)
            self.assertEqual(self.verdicts(found), {"outgoing": ("failed", "AUTH_TOKEN_REFUSED")})
            self.assertIn("status 401", found["outgoing"]["admin"])
        # a fresh one is another credential
        self.desk.put("token", authservers.token(lifetime=900))
        self.assertEqual(self.verdicts(self.apply("xoauth2", "msmtp", password_command=command)), {"outgoing": ("passed", "")})


if __name__ == "__main__":
    unittest.main()
