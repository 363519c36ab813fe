"""An apply that carries out a plan: what was planned is done, and nothing else."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from plandigest import plan_digest  # noqa: E402
from test_receive import Case  # noqa: E402

BEFORE = "account work\nhost smtp.acme.example\nport 465\nfrom alice@acme.example\nuser alice\ntls on\ntls_starttls off\nauth on\n"
OLD = BEFORE.replace("port 465", "port 2525")


class Planned(Case):
    def planned(self):
        self.put(".msmtprc", OLD)
        a = self.host.plan(sheet())
        self.assertEqual(a.finding("outgoing.port")["action"], "would-change")
        return plan_digest(a.findings)

    def held(self):
        return [f["reason"] for f in self.host.ask("status").findings if f["client"] == "agent"]

    def test_what_was_planned_is_done(self):
        number = self.planned()
        a = self.host.apply(sheet(), expect=number)
        self.assertIsNone(a.refused, a.stderr)
        self.assertEqual(a.finding("outgoing.port")["action"], "adopted")
        self.assertIn(b"port 465", self.read(".msmtprc"))

    def test_a_host_that_has_moved_on(self):
        number = self.planned()
        moved = OLD.replace("port 2525", "port 26")
        self.put(".msmtprc", moved)
        a = self.host.apply(sheet(), expect=number)
        self.assertEqual((a.refused, a.status), ("moved", NOPERM), a.stderr)
        self.assertEqual(a.findings, [])
        self.assertEqual(self.read(".msmtprc").decode(), moved)
        self.assertEqual(self.host.ask("status").findings, [], "nothing of the request is held")

    def test_it_is_not_kept_for_the_next_login(self):
        number = self.planned()
        self.host.apply(sheet())
        self.put(".msmtprc", OLD.replace("port 2525", "port 26"))
        a = self.host.apply(sheet(accounts=[account("alice@acme.example", real_name="Another")], revision=2), expect=number)
        self.assertEqual(a.refused, "moved")
        kept = self.host.ask("status")
        self.assertEqual({f["desired"] for f in kept.findings if f["setting"] == "outgoing.port"}, {"465"})
        self.assertNotIn("Another", str(kept.findings))

    def test_the_same_request_does_not_come_in_later(self):
        number = self.planned()
        self.put(".msmtprc", OLD.replace("port 2525", "port 26"))
        sheets = [sheet()]
        caught = self.host.stream(self.host.request("apply", sheets, expect=number), sheets)
        self.assertEqual(self.host.send(caught).refused, "moved")
        self.host.ask("status")
        self.put(".msmtprc", OLD)
        self.assertEqual(self.host.send(caught).refused, "replay")

    def test_more_accounts_than_planned(self):
        """Of another group by now: more would change than somebody agreed to."""
        number = self.planned()
        two = sheet(accounts=[account(), account("team@acme.example", name="team")], create="always")
        a = self.host.apply(two, expect=number)
        self.assertEqual(a.refused, "moved")
        self.assertEqual(self.read(".msmtprc").decode(), OLD)

    def test_nothing_left_to_do(self):
        number = self.planned()
        self.host.apply(sheet())
        a = self.host.apply(sheet(), expect=number)
        self.assertIsNone(a.refused)
        self.assertEqual(a.finding("outgoing.port")["state"], "compliant")

    def test_what_is_not_its_business_may_change(self):
        number = self.planned()
        self.put(".msmtprc", "# mine\n" + OLD + "\naccount private\nhost smtp.home.example\n")
        a = self.host.apply(sheet(), expect=number)
        self.assertIsNone(a.refused, a.stderr)
        self.assertIn(b"# mine", self.read(".msmtprc"))

    def test_a_number_that_is_none(self):
        self.put(".msmtprc", OLD)
        for bad in ("", "0" * 63, "G" * 64, 7):
            self.assertEqual(self.host.apply(sheet(), expect=bad).refused, "malformed", bad)


if __name__ == "__main__":
    unittest.main()
