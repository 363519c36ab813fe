"""The first rollout of all is taken back: nobody had anything of ours before,
so everybody is to have what they made themselves. Real sshd, Dovecot and
agents on three workstations."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fleet as fleets  # noqa: E402
import story  # noqa: E402
import test_complaints_fleet as complaints  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import OK  # noqa: E402


class FirstRollout(unittest.TestCase):
    must = classmethod(test_fleet.FleetTest.must.__func__)
    fingerprint = staticmethod(test_fleet.FleetTest.fingerprint)
    homes_of = classmethod(test_fleet.FleetTest.homes.__func__)
    import_text = classmethod(complaints.Complaints.import_text.__func__)
    setUpClass = classmethod(complaints.Complaints.setUpClass.__func__)
    home, homes, configs, read = (getattr(complaints.Complaints, n) for n in ("home", "homes", "configs", "read"))

    def test_taken_back_to_nothing(self):
        self.home(1, {complaints.PREFS: story.ALICE_PREFS, ".thunderbird/profiles.ini": story.PROFILES_INI})
        self.home(2, {".muttrc": story.BOB_MUTTRC, ".mutt/colors": "color normal default default\n"})
        self.home(3, {".bashrc": "# carol has no mail program\n"})
        before = self.configs()
        # Two of the three get it; the third is not touched, now or later.
        self.must(OK, "push", "--host", "ws1", "--host", "ws2", "--waves", "100%", "--bake", "0")
        self.assertIn("imap.acme.example", self.read(1, complaints.PREFS))
        self.assertNotEqual(self.configs()["ws2"], before["ws2"])
        r = self.must(OK, "rollout", "rollback", "1", "--reason", "not yet")
        self.assertIn("asks for nothing, as its hosts had nothing of ours before", r.stderr)
        for ws, files in self.configs().items():
            # The lock that Thunderbird itself would have left there.
            files.pop("alice/.thunderbird/abcd1234.default-default/.parentlock", None)
            self.assertEqual(files, before[ws])
        rolled = json.loads(self.must(OK, "rollout", "show", "2", "--json").stdout)
        self.assertEqual((rolled["kind"], rolled["of"], sorted(h["host"] for h in rolled["host_rows"])), ("rollback", 1, ["ws1", "ws2"]))
        self.must(OK, "policy", "export", "2")
        # And the next try is a rollout like any other.
        self.import_text("policy", complaints.policy() + "// again\n")
        self.must(OK, "push", "--all")
        self.assertIn("imap.acme.example", self.read(1, complaints.PREFS))
        self.must(OK, "audit", "verify")


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
