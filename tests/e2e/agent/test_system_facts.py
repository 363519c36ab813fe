"""What is known of accounts that come from the system's files, of a user who has no configuration of his own, and of one
who has."""

import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_system  # noqa: E402
from agentlib import Host, is_root, remove, scratch, umount  # noqa: E402
from etclib import private_etc, writable_copy  # noqa: E402

ALICE, BOB = "mm-alice", "mm-bob"
USERS = {ALICE: 23431, BOB: 23432}
MSMTP = pathlib.Path("/etc/msmtprc")
THUNDERBIRD = "/usr/lib/thunderbird"
WELL = {"client.password": "no", "client.certificate_check": "yes", "client.cleartext": "no",
        "client.certificate_exception": "none"}


@unittest.skipUnless(is_root(), "needs root")
class SystemFacts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = scratch()
        private_etc(cls.base, {u: (uid, cls.base / "home" / u) for u, uid in USERS.items()})
        cls.apart = os.path.isdir(THUNDERBIRD) and writable_copy(cls.base / "lib", THUNDERBIRD)
        homes = cls.base / "home"
        homes.mkdir(mode=0o755)
        for user, uid in USERS.items():
            (homes / user).mkdir(mode=0o700)
            os.chown(homes / user, uid, uid)

    @classmethod
    def tearDownClass(cls):
        if cls.apart:
            umount(THUNDERBIRD)
            umount(cls.base / "lib")
        umount("/etc")
        remove(cls.base)

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.host = Host(self.dir, programs=["/usr/bin/pass"], probe=str(test_system.ROOT / "tests/lib/fakeprobe.py"))

    def facts(self, client, user=ALICE, op="apply"):
        """What is told of this user's account of the policy in this program."""
        a = self.host.ask(op, [test_system.personal(user, (client,))], proto=[1, 1], system=test_system.shared((client,)))
        self.assertTrue(a.ended, a.stderr)
        return {f["setting"]: f for f in a.facts if (f["user"], f["client"], f["account"]) == (user, client, "work")}

    def well(self, client):
        if shutil.which(client) is None:
            self.skipTest(f"no {client} here")
        told = self.facts(client)
        self.assertEqual({k: f.get("found") for k, f in told.items() if k != "client.tls_min"}, WELL)
        self.assertIn("client.tls_min", told)

    def test_msmtp(self):
        self.well("msmtp")

    def test_mutt(self):
        self.well("mutt")

    def test_neomutt(self):
        self.well("neomutt")

    def test_evolution(self):
        self.well("evolution")

    def test_thunderbird(self):
        if not self.apart:
            self.skipTest("no Thunderbird that the system's files could be laid over")
        self.well("thunderbird")

    @unittest.skipIf(shutil.which("msmtp") is None, "no msmtp here")
    def test_weakness_of_the_systems_file(self):
        """Also of a user whose own file has another account."""
        self.facts("msmtp")
        weak = MSMTP.read_text().replace("tls on\n", "tls on\ntls_certcheck off\n").replace("auth on\n", "auth on\npassword hunter2\n")
        MSMTP.write_text(weak)
        path = self.base / "home" / BOB / ".msmtprc"
        path.write_text("account own\nhost smtp.home.example\ntls on\nfrom b@home.example\n")
        path.chmod(0o600)
        os.chown(path, USERS[BOB], USERS[BOB])
        lines = weak.splitlines()
        for user in USERS:
            told = self.facts("msmtp", user, "status")
            for fact, found, words in (("client.password", "in clear", "password hunter2"),
                                       ("client.certificate_check", "no", "tls_certcheck off")):
                f = told[fact]
                self.assertEqual((f["found"], f["path"], lines[f["line"] - 1]), (found, str(MSMTP), words), user)


if __name__ == "__main__":
    unittest.main()
