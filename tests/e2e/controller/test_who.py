"""mailmuster who: the policy's side here, the workstations' side in e2e/push/test_push_store.py."""
import unittest

from common import Case

HOSTS = '''hosts = ( { host = "kiosk"; override = { work = { outgoing = { host = "smtp-kiosk.acme.example"; }; }; }; },
          { host = "absent"; override = { work = { outgoing = { host = "smtp-x.acme.example"; }; }; }; } );
'''


class Who(Case):
    def setUp(self):
        super().setUp()
        self.mm("init")
        self.mm("user", "import", self.file("u.csv", "login,name,address,groups\n"
                                            "alice,Alice,alice@acme.example,staff;sales\n"
                                            "bob,Bob,bob@acme.example,staff\ncarol,Carol,carol@acme.example,\n"))
        self.mm("host", "add", "kiosk", "--user", "alice")
        path = self.policy()
        with open(path, "a", encoding="utf-8") as f:
            f.write(HOSTS)
        self.mm("policy", "import", path, "-m", "first")

    def desired(self, what, rc=0):
        rows = self.mm_json("who", what, "--desired", rc=rc)["desired"]
        return [(r["user"], r.get("host"), r.get("except"), r["value"]) for r in rows]

    def test_everywhere_and_on_one_host(self):
        self.assertEqual(self.desired("outgoing.host=smtp.acme.example"), [("bob", None, None, "smtp.acme.example")])
        self.assertEqual(self.desired("outgoing.host=smtp-sales.acme.example"),
                         [("alice", None, ["kiosk"], "smtp-sales.acme.example")])
        self.assertEqual(self.desired("outgoing.host=smtp-kiosk.acme.example"),
                         [("alice", "kiosk", None, "smtp-kiosk.acme.example")])
        self.assertEqual(self.desired("outgoing.host=smtp-x.*", rc=1), [])

    def test_patterns_and_case(self):
        self.assertEqual(len(self.desired("incoming.host=IMAP.*")), 2)
        self.assertEqual([r[3] for r in self.desired("account.address=*@ACME.example")],
                         ["alice@acme.example", "bob@acme.example"])
        self.assertEqual(self.desired("incoming.username=ALICE@acme.example", rc=1), [])

    def test_the_place_in_the_policy(self):
        row = self.mm_json("who", "outgoing.host=smtp-sales*", "--desired")["desired"][0]
        self.assertEqual((row["layer"], row["line"]), ("group", 15))

    def test_for_people(self):
        out, _ = self.mm("who", "outgoing.host=smtp-sales*")
        self.assertRegex(out, r"Desired for 1 of 3 users:\n.*\n *alice +any but kiosk +work +smtp-sales.acme.example .*p.conf:15\n")
        self.assertIn("Observed with 0 users", out)
        out, _ = self.mm("who", "incoming.port=1", rc=8)
        self.assertIn("Desired for 0 of 3 users\n", out)
        self.assertIn("Of 1 of 1 hosts it is not known: 1 never reported", out)
        self.mm("who", "incoming.port=1", "--desired", rc=1)

    def test_bad_questions(self):
        self.assertIn("no setting \"incoming.hots\"", self.mm("who", "incoming.hots=x", rc=64)[1])
        self.assertIn("SETTING=VALUE", self.mm("who", "incoming.host", rc=64)[1])
        self.mm("who", "incoming.host=", rc=64)
        self.mm("who", rc=64)


if __name__ == "__main__":
    unittest.main()
