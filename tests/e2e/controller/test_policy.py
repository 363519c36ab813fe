import os
import random
import signal
import subprocess
import time
import unittest

from common import BIN, Case

OTHER = 1000 if os.getuid() != 1000 else 1001


class Import(Case):
    def test_revisions(self):
        self.mm("init")
        first = self.mm_json("policy", "import", self.policy(), "-m", "the first")
        self.assertEqual((first["revision"], first["kept"], first["pushable"]), (1, False, True))
        again = self.mm_json("policy", "import", self.policy())
        self.assertEqual((again["revision"], again["kept"]), (1, True))
        self.mm("policy", "import", self.policy(change=[("993", "1993")]), "--author", "Carol")
        log = self.mm_json("policy", "log")
        self.assertEqual([r["revision"] for r in log], [2, 1])
        self.assertTrue(log[0]["current"])
        self.assertEqual(log[0]["author"], "Carol")
        self.assertEqual(log[0]["author_uid"], os.getuid())
        self.assertEqual(log[1]["message"], "the first")
        with open(self.policy(), encoding="utf-8") as f:
            self.assertEqual(self.mm("policy", "export", "1")[0], f.read())
        self.mm("policy", "export", "7", rc=1)

    def test_every_error_is_listed_and_nothing_stored(self):
        self.mm("init")
        bad = self.policy(change=[("port = 993", "port = 4294967297"), ('"smtp.acme.example"', '"smtp.acme.example:465"'),
                                  ("check = ", "chek = ")])
        _, err = self.mm("policy", "import", bad, rc=65)
        lines = [line for line in err.splitlines() if "p.conf:" in line]
        self.assertEqual([int(line.split("p.conf:")[1].split(":")[0]) for line in lines], [4, 6, 19])
        self.assertEqual(self.mm_json("policy", "log"), [])
        self.mm("policy", "check", bad, rc=65)
        report = self.mm_json("policy", "check", bad, rc=65)
        self.assertFalse(report["good"])
        self.assertEqual(len(report["diagnostics"]), 3)

    def test_contradiction_of_real_memberships(self):
        self.mm("init")
        self.mm("user", "add", "alice", "--name", "Alice", "--address", "alice@acme.example", "--group", "staff",
                "--group", "sales", "--group", "lab")
        _, err = self.mm("policy", "import", self.policy(), rc=65)
        self.assertIn("p.conf:15", err)
        self.assertIn("p.conf:17", err)
        self.assertIn("alice", err)
        self.assertEqual(self.mm_json("policy", "log"), [])
        # Nobody is in both: fine.
        self.mm("user", "add", "alice", "--group", "staff")
        self.mm("policy", "import", self.policy())

    def test_missing_attribute(self):
        self.mm("init")
        self.mm("user", "add", "alice", "--name", "Alice", "--address", "alice@acme.example",
                "--group", "staff")
        wants_room = self.policy(change=[('"%{name}"', '"%{name} in %{attr.room}"')])
        self.assertIn("room", self.mm("policy", "import", wants_room, rc=65)[1])
        self.mm("user", "add", "alice", "--attr", "room=12")
        self.mm("policy", "import", wants_room)
        _, err = self.mm("user", "add", "bob", "--name", "Bob", "--address", "bob@acme.example", "--group", "staff", rc=65)
        self.assertIn("room", err)
        self.mm("user", "show", "bob", rc=1)

    def test_diff_and_rollback(self):
        self.mm("init")
        self.mm("policy", "import", self.policy())
        new = self.policy("new.conf", change=[("imap.acme.example", "mail.acme.example")])
        change = self.mm_json("policy", "diff", new, rc=2)
        self.assertEqual([(c["key"], c["old"], c["new"]) for c in change],
                         [("endpoints.imap_main.host", "imap.acme.example", "mail.acme.example")])
        self.mm("policy", "import", new)
        self.mm("policy", "diff", new)
        self.mm("policy", "diff", rc=2)
        self.mm("policy", "diff", "1", rc=2)
        self.mm("policy", "diff", "2", "2")
        self.assertEqual(self.mm_json("policy", "rollback", "1")["revision"], 3)
        self.mm("policy", "diff", "1", "3")
        self.assertIn("rollback to revision 1", self.mm("policy", "log")[0])
        self.mm("policy", "rollback", "9", rc=1)
        self.mm("policy", "rollback", "x", rc=64)

    def test_approval_by_somebody_else(self):
        self.mm("init")
        self.assertFalse(self.mm_json("policy", "import", self.policy(approvals=1))["pushable"])
        self.assertIn("somebody else", self.mm("policy", "approve", "1", rc=77)[1])
        # A name on the command line makes nobody somebody else.
        self.mm("policy", "import", self.policy(approvals=1, change=[("993", "1993")]), "--author", "Carol")
        self.mm("policy", "approve", "2", rc=77)
        if os.geteuid() == 0:
            out = self.mm("policy", "approve", "2", env={"SUDO_UID": str(OTHER)})[0]
            self.assertIn("approved by", out)
            self.assertTrue(self.mm_json("policy", "log")[0]["pushable"])
            self.mm("policy", "approve", "2", env={"SUDO_UID": str(OTHER)}, rc=77)
            # The rule cannot be dropped without a second person either.
            self.assertFalse(self.mm_json("policy", "import", self.policy(approvals=0))["pushable"])

    def test_forged_messages(self):
        self.mm("init")
        self.mm("policy", "import", self.policy(), "-m", "a\nb", rc=64)

    def test_killed_at_any_moment(self):
        """kill -9 during import leaves the old revision or the new one, whole."""
        self.started()
        env = dict(os.environ, MAILMUSTER_STATE=self.state)
        known = 1
        for i in range(25):
            path = self.policy("k.conf", change=[("993", str(2000 + i))])
            p = subprocess.Popen([BIN, "policy", "import", path], env=env, stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.03))
            p.send_signal(signal.SIGKILL)
            p.wait()
            log = self.mm_json("policy", "log")
            self.assertIn(log[0]["revision"], (known, known + 1))
            self.assertTrue(log[0]["current"])
            known = log[0]["revision"]
            self.assertIn("rules", self.mm("policy", "export")[0])
        self.mm("audit", "verify")


class Explain(Case):
    def test_layers(self):
        self.started()
        out = self.mm_json("explain", "alice", "outgoing.host")
        trail = out["settings"][0]["trail"]
        won = [s for s in trail if s["verdict"] == "won"]
        self.assertEqual([(s["layer"], s["name"], s["value"], s["line"]) for s in won],
                         [("group", "sales", "smtp-sales.acme.example", 15)])
        self.assertEqual(out["revision"], 1)
        self.assertEqual(out["observed"], [])
        text = self.mm("explain", "alice", "outgoing.host")[0]
        self.assertIn("p.conf:15", text)
        self.assertIn("overridden by group sales", text)
        self.mm("explain", "bob")

    def test_not_found(self):
        self.started()
        self.mm("explain", "nobody", rc=1)
        self.assertIn("incoming.host", self.mm("explain", "alice", "incoming.hots", rc=1)[1])
        self.mm("explain", "alice", "--host", "nowhere", rc=1)


if __name__ == "__main__":
    unittest.main()
