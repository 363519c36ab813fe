"""scope = "system": root's part of a request, in an /etc of the test's own."""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from etclib import private_etc  # noqa: E402

USERS = {"mm-alice": 23431, "mm-bob": 23432}
LOGIN = "mm--login--"
FILE = pathlib.Path("/etc/msmtprc")


def shared(clients=("msmtp",), mode="enforce", accounts=None, differs=(), revision=1, create="existing", **changes):
    """The system's sheet."""
    changes = {"account__real_name": None, "outgoing__username": LOGIN, **changes}
    acc = account(f"{LOGIN}@acme.example", **changes)
    if differs:
        acc["differs"] = list(differs)
    return {"proto": [1, 1], "user": "*", "revision": revision, "create": create, "allow_cleartext": False,
            "tls_min": "1.2", "check": "reach", "accounts": [acc] if accounts is None else accounts,
            "clients": [{"client": c, "mode": mode, "settings": [], "scope": "system"} for c in clients]}


def personal(user, clients=("msmtp",), revision=1, **changes):
    """The sheet of somebody who gets these clients from the system's files."""
    doc = json.loads(sheet(user, [account(f"{user}@acme.example", outgoing__username=user, **changes)], {}, revision))
    doc["proto"] = [1, 1]
    doc["clients"] = [{"client": c, "mode": "audit", "settings": [], "scope": "system"} for c in clients]
    doc["accounts"][0]["settings"].append(["system.clients", " ".join(clients)])
    return json.dumps(doc, separators=(",", ":")).encode()


@unittest.skipUnless(is_root(), "needs root")
class System(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = scratch()
        cls.etc = private_etc(cls.base, {u: (uid, cls.base / "home" / u) for u, uid in USERS.items()})

    @classmethod
    def tearDownClass(cls):
        umount("/etc")
        remove(cls.base)

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        homes = self.base / "home"
        remove(homes)
        homes.mkdir()
        homes.chmod(0o755)
        for user, uid in USERS.items():
            (homes / user).mkdir(mode=0o700)
            os.chown(homes / user, uid, uid)
        FILE.unlink(missing_ok=True)
        self.host = Host(self.dir, programs=["/usr/bin/pass"], probe=str(ROOT / "tests/lib/fakeprobe.py"))

    def put(self, user, name, text):
        path = self.base / "home" / user / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, USERS[user], USERS[user])
        return path

    def apply(self, system, *users, op="apply", revision=1):
        sheets = [personal(u, revision=revision) for u in users]
        more = {"proto": [1, 1], "system": system} if system is not None else {}
        return self.host.ask(op, sheets, revision=revision, **more)

    def of(self, answer, user):
        return [f for f in answer.findings if f["user"] == user]

    def test_written_for_everybody(self):
        a = self.apply(shared(), "mm-alice", "mm-bob")
        self.assertEqual(a.status, OK, a.findings)
        text = FILE.read_text()
        self.assertIn("from %U@acme.example", text)
        self.assertIn('eval echo user "$USER"', text)
        self.assertNotIn(LOGIN, text)
        self.assertEqual(FILE.stat().st_mode & 0o7777, 0o644)
        self.assertEqual(FILE.stat().st_uid, 0)
        self.assertEqual({f["action"] for f in self.of(a, "*") if f["setting"]}, {"created"})
        for user in USERS:
            found = a.finding("outgoing.username", user=user, client="msmtp")
            self.assertEqual((found["state"], found["found"], found["path"]), ("compliant", user, str(FILE)))
            self.assertEqual(list((self.base / "home" / user).glob(".m*")), [])
        again = self.apply(shared(), "mm-alice", "mm-bob")
        self.assertEqual(again.status, OK)
        self.assertEqual({f["action"] for f in self.of(again, "*")}, {"none"})
        self.assertEqual(FILE.read_text(), text)


if __name__ == "__main__":
    unittest.main()
