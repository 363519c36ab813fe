"""Commit-confirm with real servers: the new one has the certificate of another name, or does not answer,
or refuses the password; what the mail programs had before comes back byte for byte, or does not."""

import json
import os
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import story  # noqa: E402
from agentlib import *  # noqa: E402,F403
from dovecot import PASSWORDS, Dovecot  # noqa: E402
from test_receive import Case  # noqa: E402

PREFS = ".thunderbird/abcd1234.default-default/prefs.js"
MUTT = ".config/mailmuster/mutt.rc"
CLIENTS = ("msmtp", "mutt", "thunderbird")


class Servers(Case):
    @classmethod
    def setUpClass(cls):
        cls.old = Dovecot(relay=True)
        cls.new = Dovecot(cls.old.pki, cert="wrongname", relay=True)
        os.chmod(cls.old.pki.folder, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.new.stop()
        cls.old.stop()

    def setUp(self):
        super().setUp()
        self.put(".muttrc", "# mine\nset sort=threads\n")
        self.put(".msmtprc", "# mine\n")
        self.put(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.put(PREFS, story.ALICE_PREFS)
        self.put("secret", PASSWORDS["alice"] + "\n")
        self.host.write_conf(probe=str(BIN / "mailmuster-probe"), programs=["/bin/cat"], domains=["localhost"])
        self.works(self.apply(7, self.old))
        self.before = self.files()

    def apply(self, revision, server=None, **ports):
        command = json.dumps(["/bin/cat", str(self.home / "secret")], separators=(",", ":"))
        ports = ports or {"incoming": server.ports["imaps"], "outgoing": server.ports["submissions"]}
        settings = {}
        for side, port in ports.items():
            settings.update({f"{side}__host": "localhost", f"{side}__port": str(port), f"{side}__username": "alice",
                             f"{side}__ca_file": self.old.pki.ca, f"{side}__password_command": command})
        self.sheet = sheet(accounts=[account(**settings)], clients={c: "enforce" for c in CLIENTS}, check="login",
                           revision=revision, create="always")
        return self.host.apply(self.sheet, revision=revision)

    def works(self, a):
        self.assertEqual({x["result"] for x in a.of(LOGIN)}, {"passed"}, a.of(LOGIN))

    def files(self):
        return {n: self.read(n) for n in (".muttrc", MUTT, ".msmtprc", PREFS)}

    def actions(self, a, setting):
        return {f["client"]: (f["state"], f["action"]) for f in a.findings if f["setting"] == setting and
                f["client"] in CLIENTS}

    def test_certificate(self):
        a = self.apply(8, self.new)
        self.assertEqual((a.status, self.files()), (DIFF, self.before), a.findings)
        taken_back = ("pending", "reverted")
        self.assertEqual(self.actions(a, "outgoing.port"), {c: taken_back for c in CLIENTS})
        self.assertEqual(self.actions(a, "incoming.port"), {c: taken_back for c in CLIENTS if c != "msmtp"})
        self.assertEqual({(x["result"], x["class"]) for x in a.of(LOGIN)}, {("failed", "CERT_NAME_MISMATCH")})
        # the mail programs work as before
        self.works(self.apply(9, self.old))

    def test_one_side(self):
        a = self.apply(8, incoming=self.old.ports["imaps"], outgoing=self.new.ports["submissions"])
        self.assertEqual((a.status, self.files()), (DIFF, self.before))
        self.assertEqual(self.actions(a, "incoming.port"), {c: ("compliant", "none") for c in CLIENTS if c != "msmtp"})

    def test_nobody_listens(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            a = self.apply(8, incoming=s.getsockname()[1], outgoing=self.old.ports["submissions"])
        self.assertEqual(self.actions(a, "incoming.port"),
                         {c: ("unconfirmed", "corrected") for c in ("mutt", "thunderbird")})
        self.assertEqual({x["class"] for x in a.of(LOGIN)}, {"CONN_REFUSED", ""})
        self.assertNotEqual(self.files(), self.before)

    def test_untested_and_then_a_session(self):
        """Nobody is there at first; then the new server refuses the password that the old one took."""
        other = Dovecot(self.old.pki, relay=True)
        self.addCleanup(other.stop)
        other.set_users({"alice": "something else"})
        (self.home / "secret").rename(self.home / "away")
        a = self.apply(8, other)
        self.assertEqual({state for state, _ in self.actions(a, "outgoing.port").values()}, {"unconfirmed"})
        self.assertNotEqual(self.files(), self.before)
        (self.home / "away").rename(self.home / "secret")
        self.assertEqual(self.host.run("login", "--wait").stderr, b"")
        a = self.host.ask("status", revision=8)
        self.assertIn("AUTH_REJECTED", {x["class"] for x in a.of(LOGIN)})
        # the password is heard once: what one port refused is not said to the other, which is taken back, too
        self.assertEqual(self.files(), self.before, a.of(LOGIN))


del Case
if __name__ == "__main__":
    unittest.main()
