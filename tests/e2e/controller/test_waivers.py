"""mailmuster waiver: what it takes and refuses. What waived rows look like in
reports: tests/unit/test_store_reports.c and test_complaints_fleet.py."""
import time
import unittest

from common import Case


POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "imap.acme.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}"; };
  smtp = { protocol = "smtp"; host = "smtp.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { label = "Acme"; address = "%{address}"; real_name = "%{name}"; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { msmtp = "enforce"; }; create = "existing"; }; };
audit = { tailor = ( { check = "no-cleartext"; off = "a gateway on this host"; } ); };
"""


class Waivers(Case):
    def setUp(self):
        super().setUp()
        self.mm("init")
        self.mm("user", "add", "alice", "--name", "Alice", "--address", "alice@acme.example")
        self.until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))

    def add(self, *args, rc=0, **change):
        options = {"until": self.until, "owner": "Dana", "reason": "the scanner", **change}
        return self.mm("waiver", "add", *args, *[x for k, v in options.items() if v for x in (f"--{k}", v)], rc=rc)

    def test_the_way_of_one(self):
        self.assertEqual(self.add("--user", "alice", "--check", "incoming.port")[0], "waiver 1\n")
        self.add("--check", "login")
        rows = self.mm_json("waiver", "list")
        self.assertEqual([(r["id"], r["user"], r["check"], r["owner"]) for r in rows],
                         [(1, "alice", "incoming.port", "Dana"), (2, "", "login", "Dana")])
        self.assertRegex(self.mm("waiver", "list")[0], r"1 +in force +user alice, check incoming.port")
        self.mm("waiver", "remove", "1", "--reason", "scanner is gone")
        self.assertEqual([r["id"] for r in self.mm_json("waiver", "list")], [2])
        self.assertEqual([r["removed"] is None for r in self.mm_json("waiver", "list", "--all")], [False, True])
        log = [(e["action"], e["reason"]) for e in self.mm_json("audit", "log") if e["action"].startswith("waiver")]
        self.assertEqual(log, [("waiver.add", ""), ("waiver.add", ""), ("waiver.remove", "scanner is gone")])
        self.mm("audit", "verify")

    def test_a_check_of_the_baseline_in_force(self):
        self.assertEqual(self.add("--user", "alice", "--client", "msmtp", "--check", "password-in-clear")[0], "waiver 1\n")
        self.assertEqual(self.mm_json("waiver", "list")[0]["check"], "password-in-clear")
        for check, words in (("password-in-cleer", 'did you mean "password-in-clear"?'), ("Password", "no check"),
                             ("client.password", "name the check of baseline rfc8314"), ("x" * 500, "no check")):
            self.assertIn(words, self.add("--check", check, rc=1)[1])
        self.mm("policy", "import", self.file("p.conf", POLICY))
        self.assertIn("turned check no-cleartext off (a gateway on this host)", self.add("--check", "no-cleartext", rc=1)[1])
        self.add("--check", "starttls-required")
        self.assertEqual(len(self.mm_json("waiver", "list")), 2)

    def test_refused(self):
        far = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 400 * 86400))
        for args, change, rc, words in (
                ([], {}, 64, "name a --user"),
                (["--user", "alice"], {"until": "2020-01-01"}, 64, "is past"),
                (["--user", "alice"], {"until": far}, 64, "belongs into the policy"),
                (["--user", "alice"], {"until": "2027-02-31"}, 64, "neither"),
                (["--user", "alice"], {"until": "tomorrow"}, 64, "neither"),
                (["--user", "alice"], {"until": None}, 64, "--until is missing"),
                (["--user", "alice"], {"owner": None}, 64, "--owner is missing"),
                (["--user", "alice"], {"reason": None}, 64, "--reason is missing"),
                (["--user", "alicia"], {}, 1, 'no user "alicia"'),
                (["--group", "staff"], {}, 1, 'no group "staff"'),
                (["--host", "ws1"], {}, 1, 'no host "ws1"'),
                (["--client", "muttt"], {}, 1, 'did you mean "mutt"?'),
                (["--check", "incoming.prot"], {}, 1, 'did you mean "incoming.port"?'),
                (["--check", "login", "--client", "mutt"], {}, 64, "leave --client out")):
            with self.subTest(args=args, change=change):
                err = self.add(*args, rc=rc, **change)[1]
                self.assertIn(words, err)
                self.assertEqual(len(err.splitlines()), 1, err)
        self.assertEqual(self.mm_json("waiver", "list", "--all"), [])
        self.mm("waiver", "remove", "7", rc=1)
        self.mm("waiver", "remove", "x", rc=64)


if __name__ == "__main__":
    unittest.main()
