"""evolution-data-server makes the user's accounts from the templates of the system; read back over D-Bus.

What the user changes in the copy is found; a corrected template comes over it at the next start of the
registry; and with the templates the copies go.
"""

import json
import os
import pathlib
import pwd
import unittest

from realclient import wait_for  # first: it knows where the others are
from gnomelib import SessionCase
from agentlib import OK, Host, account, is_root, remove, scratch, sheet, umount
from etclib import private_etc

LOGIN = "mm--login--"
REGISTRY = "org.gnome.evolution.dataserver.Sources5"
FOLDER = pathlib.Path("/etc/xdg/evolution-data-server/autoconfig")


def shared(**changes):
    acc = account(f"{LOGIN}@acme.example", account__real_name=None, outgoing__username=LOGIN, **changes)
    return json.loads(sheet(LOGIN, [acc], {})) | {"proto": [1, 1], "user": "*", "clients": [
        {"client": "evolution", "mode": "enforce", "settings": [], "scope": "system"}]}


@unittest.skipUnless(is_root(), "needs root")
class Templates(SessionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = scratch()
        private_etc(cls.base)
        # The registry is here, and perhaps no Evolution: by its folder the route knows that templates are used.
        FOLDER.mkdir(parents=True, exist_ok=True)

    @classmethod
    def tearDownClass(cls):
        umount("/etc")
        remove(cls.base)
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        folder = scratch()
        self.addCleanup(remove, folder)
        self.host = Host(folder)

    def ask(self, system, **more):
        return self.host.ask("apply", [], **({"proto": [1, 1], "system": system} if system else {"proto": [1, 1]}), **more)

    def data(self, uid):
        """A source as the registry has it, which is started for that."""
        found = self.sources().get(uid)
        pid = self.pid_on_bus(REGISTRY)
        self.end(pid)
        wait_for("the registry to end", lambda: not pathlib.Path(f"/proc/{pid}").exists() or self.comm(pid) == "")
        return found

    def test_templates(self):
        uid = "mailmuster-work-1"
        a = self.ask(shared())
        self.assertEqual(a.status, OK, a.findings)
        user = pwd.getpwuid(os.geteuid()).pw_name  # the registry asks the user database
        self.assertEqual(self.data(uid)["Authentication"], {
            "host": "imap.acme.example", "port": 993, "user": f"{user}@acme.example", "method": "PLAIN"})
        self.assertEqual(self.data(uid)["Security"]["method"], "ssl-on-alternate-port")
        self.assertEqual(self.data(uid + "-identity")["Mail Identity"]["address"], f"{user}@acme.example")
        copy = self.home.path / ".config/evolution/sources" / f"{uid}.source"
        copy.write_text(copy.read_text().replace("Port=993", "Port=143"))

        a = self.ask(shared(incoming__host="imap2.acme.example"))
        self.assertEqual((a.status, a.finding("incoming.host")["action"]), (OK, "corrected"), a.findings)
        now = self.data(uid)["Authentication"]
        # the new revision comes over what the user changed
        self.assertEqual((now["host"], now["port"]), ("imap2.acme.example", 993))

        self.ask(None, revision=2)
        self.assertEqual(list(FOLDER.glob("mailmuster*")), [])
        self.assertIsNone(self.data(uid))
        self.assertFalse(copy.exists())


if __name__ == "__main__":
    unittest.main()
