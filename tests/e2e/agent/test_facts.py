"""Facts: what the agent looks at beside the settings, told whether it is well or not, in the answer to a signed
request. A password never leaves the host."""

import json
import os
import sys
import unittest

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent))
from test_receive import Case  # noqa: E402
from agentlib import *  # noqa: E402,F403
import story  # noqa: E402

PASSWORD = "hunter2-Gr8"
PROFILE = ".thunderbird/abcd1234.default-default/"
WEAK = f"""account work
host smtp.acme.example
port 465
tls on
tls_starttls off
tls_certcheck off
auth on
user alice@acme.example
from alice@acme.example
password {PASSWORD}

account private
host smtp.home.example
from sweetheart@home.example
password {PASSWORD}
"""
MUTT = """set from="alice@acme.example" realname="Alice"
set folder="imaps://alice%40acme.example@imap.acme.example:993/"
set imap_pass="`/bin/cat /home/alice/secret`"
"""


class Facts(Case):
    def look(self, clients, op="status", **kw):
        a = self.host.ask(op, [sheet(clients=clients, **kw)])
        self.assertTrue(a.ended, a.stderr)
        for f in a.facts:
            well = f["state"] == "compliant"
            self.assertEqual((f["state"], f["action"]) in (("compliant", "none"), ("unmanaged", "reported"), ("unknown", "none")),
                             True, f)
            self.assertTrue(well or f["setting"] in ("file.mode", "file.owner", "client.unmanaged_account") or
                            f.get("reason") or f["setting"] == "client.cleartext" or f["account"] != "work", f)
        return a

    def of(self, a, account, client="msmtp"):
        return {f["setting"]: f.get("found") for f in a.facts if (f["client"], f["account"]) == (client, account)}

    def test_weak_everywhere(self):
        path = self.put(".msmtprc", WEAK, 0o644)
        a = self.look({"msmtp": "audit"})
        self.assertEqual(self.of(a, "work"), {
            "client.password": "in clear", "client.certificate_check": "no", "client.cleartext": "no", "client.tls_min": "1.0",
            "client.certificate_exception": "none"})
        # nobody's business: the domain, and that it is weak; no server, no sentence
        self.assertEqual(self.of(a, "private"), {
            "client.unmanaged_account": "home.example", "client.password": "in clear", "client.certificate_check": "no tls",
            "client.cleartext": "yes", "client.tls_min": "no tls", "client.certificate_exception": "none"})
        self.assertEqual({f["reason"] for f in a.facts if f["account"] == "private"}, {""})
        mode = next(f for f in a.facts if f["setting"] == "file.mode")
        self.assertEqual((mode["path"], mode["found"], mode["desired"], mode["state"]),
                         (str(path), "0644", "0600", "unmanaged"))
        self.assertEqual(a.fact("file.owner", client="msmtp"), "alice")
        line = {f["setting"]: f.get("line") for f in a.facts if f["account"] == "work" and f["state"] == "unmanaged"}
        self.assertEqual(line, {"client.password": 10, "client.certificate_check": 6, "client.tls_min": None})
        self.assertNotIn(PASSWORD, json.dumps(a.frames) + a.stderr)

    def test_well_is_told_too_and_changes_nothing(self):
        self.put(".msmtprc", "# mine\n")
        accounts = [account(outgoing__tls_min="1.2")]
        first = self.host.apply(sheet(accounts=accounts))
        self.assertEqual(self.of(first, "work"), {
            "client.password": "no", "client.certificate_check": "yes", "client.cleartext": "no", "client.tls_min": "1.2",
            "client.certificate_exception": "none"}, "as it is after writing")
        a = self.look({"msmtp": "enforce"}, "apply", accounts=accounts)
        floor = next(f for f in a.facts if f["setting"] == "client.tls_min")
        self.assertEqual((floor["state"], (self.home / ".msmtprc").read_text().splitlines()[floor["line"] - 1].split()[0]),
                         ("compliant", "tls_priorities"))
        self.assertEqual({f["state"] for f in a.facts if f["client"] == "msmtp"}, {"compliant"})
        self.assertEqual({f["state"] for f in a.findings}, {"compliant"})
        self.put(".netrc", f"machine x login y password {PASSWORD}\n", 0o644)
        again = self.look({"msmtp": "enforce"}, "apply", accounts=accounts)
        self.assertEqual(again.fact("client.password", client="netrc", account=""), "in clear")
        self.assertEqual((a.status, again.status), (first.status, first.status), "facts are no difference")
        self.assertNotIn(PASSWORD, json.dumps(again.frames))

    def test_exceptions_of_thunderbird(self):
        prefs = story.ALICE_PREFS.replace("home.example", "acme.example")
        self.put(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.put(PROFILE + "prefs.js", prefs)
        a = self.look({"thunderbird": "audit"})
        kept = self.of(a, "account2", "thunderbird") or self.of(a, "work", "thunderbird")
        self.assertEqual((kept["client.certificate_check"], kept["client.certificate_exception"]), ("yes", "none"))
        host = "imap.acme.example:993"
        self.assertIn('"imap.acme.example"', prefs)
        override = self.put(PROFILE + "cert_override.txt", f"# PSM\n{host}:\tOID.2.16.840.1.101.3.4.2.1\t5A:11\tU\tAA==\n"
                                                           "elsewhere.example:993:\tOID.2.16.840.1.101.3.4.2.1\t5A:11\tU\tAA==\n")
        a = self.look({"thunderbird": "audit"})
        f = next(f for f in a.facts if f["setting"] == "client.certificate_exception" and f["state"] != "compliant")
        self.assertEqual((f["state"], f["override_path"], f["line"]), ("unmanaged", str(override), 2))
        self.assertIn(f["found"], (host, "*"))

    def test_verification_as_mutt_does_it(self):
        for more, found in (("", "yes"), ("set ssl_verify_host=no\n", "chain only"), ("set ssl_verify_dates=no\n", "no dates"),
                            ("set ssl_verify_host=no\nset ssl_verify_host=yes\n", "yes"),
                            ("source \"/bin/true|\"\n", None),
                            ("account-hook . 'set ssl_verify_host=no'\n", None)):
            with self.subTest(more):
                self.put(".muttrc", MUTT + more)
                a = self.look({"mutt": "audit"})
                self.assertEqual(a.fact("client.certificate_check", client="mutt", account="work"), found)
                self.assertEqual(a.fact("client.password", client="mutt", account="work"), None if "source" in more else "no")

    def test_a_name_of_the_policys_is_never_anothers(self):
        self.put(".msmtprc", WEAK.replace("smtp.acme.example", "smtp.home.example").replace("alice@acme.example", "x@home.example"))
        a = self.look({"msmtp": "audit"})
        self.assertEqual(self.of(a, "work"), {})
        self.assertEqual(self.of(a, "work (not the policy's)")["client.unmanaged_account"], "home.example")

    @unittest.skipUnless(is_root(), "needs root to give a file away")
    def test_a_file_of_somebody_else(self):
        path = self.put(".msmtprc", WEAK, 0o644)
        os.chown(path, 23456, 23456)
        a = self.look({"msmtp": "audit"})
        self.assertEqual([(f["setting"], f["state"]) for f in a.findings if f["client"] == "msmtp"], [("", "deferred")])
        owner = next(f for f in a.facts if f["setting"] == "file.owner")
        self.assertEqual((owner["found"], owner["desired"], owner["state"]), ("23456", "alice", "unmanaged"))
        self.assertEqual(self.of(a, "work"), {}, "nothing is known of what was not read")
        self.assertNotIn(PASSWORD, json.dumps(a.frames))

    def test_what_is_left_alone_is_not_looked_at(self):
        self.put(".msmtprc", WEAK)
        self.assertEqual([f for f in self.look({"msmtp": "ignore"}).facts if f["client"] == "msmtp"], [])


if __name__ == "__main__":
    unittest.main()
