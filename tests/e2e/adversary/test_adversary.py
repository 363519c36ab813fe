"""What must never be said, and never be done by asking: on real workstations."""

import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "lib")]
import fleet as fleets  # noqa: E402
import story  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import DIFF, OK, UNREACHABLE  # noqa: E402


class Adversary(test_fleet.FleetTest):
    """The fleet of the main story, after its first push; not its tests."""

    def hosts(self, status):
        out = json.loads(self.must(status, "status", "--json").stdout)
        return out, {row["host"]: row for row in out["host_rows"]}

    def test_failed_plan_orders_no_push(self):
        ws = self.fleet["ws5"]
        ws.stop()
        try:
            self.must(UNREACHABLE, "plan", "--host", "ws5")
        finally:
            ws.start()
        fleet, rows = self.hosts(OK)
        self.assertEqual((fleet["hosts"]["pending"], rows["ws5"]["push"]["pending"]), (0, False))

    def test_a_look_does_not_settle_what_is_owed(self):
        ws = self.fleet["ws5"]
        ws.stop()
        try:
            self.must(UNREACHABLE, "push", "--host", "ws5")
        finally:
            ws.start()
        self.must(OK, "plan", "--host", "ws5")
        try:
            _, rows = self.hosts(DIFF | UNREACHABLE)
            self.assertEqual((rows["ws5"]["push"]["pending"], rows["ws5"]["push"]["outcome"]), (True, "connect-refused"))
        finally:
            self.must(OK, "push", "--pending")

    def test_older_revision_is_not_ok(self):
        policy = pathlib.Path(self.tmp) / "next.conf"
        policy.write_text(story.POLICY.replace('label = "Acme mail"', 'label = "Acme"'))
        self.must(OK, "policy", "import", policy)
        try:
            self.assertIn("older revision", self.must(DIFF, "status").stdout)
        finally:
            self.must(OK, "policy", "rollback", "1")
            self.must(OK, "push", "--all")
        self.assertNotIn("older revision", self.must(OK, "status").stdout)

    def test_somebody_unheard_of_is_unknown(self):
        hosts = pathlib.Path(self.tmp) / "more.csv"
        hosts.write_text("host,users\nws3,carol;bob\n")
        self.must(OK, "host", "import", hosts)
        try:
            fleet, _ = self.hosts(DIFF)
            self.assertEqual((fleet["places"]["unheard"], fleet["places"]["by_result"]["unknown"]), (1, 1))
        finally:
            hosts.write_text("host,users\nws3,carol\n")
            self.must(OK, "host", "import", hosts)
        self.hosts(OK)


def load_tests(loader, _tests, _pattern):
    """Only the tests that stand here: those of the story run by themselves."""
    own = sorted(name for name in vars(Adversary) if name.startswith("test_"))
    return loader.suiteClass(Adversary(name) for name in own)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2)
