"""Thunderbird logs in with an account that only the system's files know, beside one of the user's own."""

import json
import unittest

from realclient import wait_for  # first: it knows where the others are
from thunderbirdlib import TEST_PREFS, ThunderbirdCase
from agentlib import OK, Host, account, is_root, remove, scratch, sheet, umount
from etclib import private_etc, writable_copy
import story

LOGIN = "mm--login--"
PREFS = ".thunderbird/abcd1234.default-default/prefs.js"
FOLDER = "/usr/lib/thunderbird"


@unittest.skipUnless(is_root(), "needs root")
class ThunderbirdForEverybody(ThunderbirdCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = scratch()
        private_etc(cls.base)
        cls.apart = writable_copy(cls.base / "lib", FOLDER)

    @classmethod
    def tearDownClass(cls):
        if cls.apart:
            umount(FOLDER)
            umount(cls.base / "lib")
        umount("/etc")
        remove(cls.base)
        super().tearDownClass()

    def setUp(self):
        if not self.apart:
            self.skipTest("no overlay file system here")
        super().setUp()
        self.home.write(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.home.write(PREFS, story.ALICE_PREFS + TEST_PREFS)
        folder = scratch()
        self.addCleanup(remove, folder)
        self.host = Host(folder, domains=["localhost"])

    def shared(self, security):
        port = self.server.ports["imaps" if security == "tls" else "imap"]
        acc = account(f"{LOGIN}@acme.example", account__real_name=None, incoming__host="localhost",
                      incoming__port=str(port), incoming__security=security, outgoing__host="localhost",
                      outgoing__port=str(self.server.ports["submissions"]), outgoing__username=LOGIN)
        doc = json.loads(sheet(LOGIN, [acc], {}))
        return port, doc | {"proto": [1, 1], "user": "*", "clients": [
            {"client": "thunderbird", "mode": "enforce", "settings": [], "scope": "system"}]}

    def test_login(self):
        self.provide("imap://localhost")
        own = [l for l in (self.home.path / PREFS).read_text().splitlines() if "mail.server." in l]
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                port, shared = self.shared(security)
                a = self.host.ask("apply", [], proto=[1, 1], system=shared)
                self.assertEqual(a.status, OK, a.findings)
                p = self.logs_in("imap", port)
                wait_for("Thunderbird to save", lambda: '"account_mm_work,' in (self.home.path / PREFS).read_text(), 30)
                self.stop(p)
        # his own account is there, untouched, and ours stands nowhere in his file but in the lists
        text = (self.home.path / PREFS).read_text()
        for line in own:
            self.assertIn(line, text)
        self.assertNotIn('server_mm_work.hostname"', text)
        self.host.ask("apply", [], proto=[1, 1])
        self.assertEqual([p for p in ("/etc/thunderbird/pref/mailmuster.js", FOLDER + "/mailmuster.cfg") if exists(p)], [])


    def test_the_name_of_the_script(self):
        """It belongs to all accounts: it stays until the last one goes, and is written again when it is lost."""
        pointer, script = "/etc/thunderbird/pref/mailmuster.js", FOLDER + "/mailmuster.cfg"
        _, two = self.shared("tls")
        other = account(f"{LOGIN}@lab.localhost", "lab", account__real_name=None, incoming__host="lab.localhost",
                        outgoing__host="lab.localhost")
        one = json.loads(json.dumps(two))
        two["accounts"].append(other)
        self.assertEqual(self.host.ask("apply", [], proto=[1, 1], system=two).status, OK)
        one["accounts"] = [other]  # the one that brought the name goes
        self.assertEqual(self.host.ask("apply", [], proto=[1, 1], system=one).status, OK)
        with open(pointer, encoding="utf-8") as f:
            right = f.read()
        self.assertIn('"mailmuster.cfg"', right)
        with open(pointer, "w", encoding="utf-8") as f:
            f.write("// gone\n")
        a = self.host.ask("apply", [], proto=[1, 1], system=one)
        self.assertEqual((a.status, a.finding("incoming.host")["state"], a.finding("incoming.host")["action"]),
                         (OK, "removed", "corrected"), a.findings)
        with open(pointer, encoding="utf-8") as f:
            self.assertEqual(f.read(), "// gone\n" + right)
        self.host.ask("apply", [], proto=[1, 1])
        self.assertFalse(exists(script))
        with open(pointer, encoding="utf-8") as f:
            self.assertNotIn("mailmuster.cfg", f.read())


def exists(path):
    try:
        with open(path, "rb"):
            return True
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    unittest.main()
