"""A change that breaks a login that worked is taken back by the agent itself; one that was not tested is
confirmed, or taken back, by the user's next session. The controller is not needed for either."""

import json
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from agentlib import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402

OLD, NEW = "smtp.acme.example", "smtp2.acme.example"
IMAP, IMAP2 = "imap.acme.example", "imap2.acme.example"
MUTTRC = '# mine\nset sort=threads\nbind index j next-entry\n'
MUTT = ".config/mailmuster/mutt.rc"
MSMTPRC = '# mine\ndefaults\nlogfile ~/.msmtp.log\n'


class Confirm(Case):
    def setUp(self):
        super().setUp()
        self.put(".msmtprc", MSMTPRC)
        self.put(".muttrc", MUTTRC)
        self.put(".probe-password", "right")
        self.secret = self.put("secret", "right\n")
        self.host.write_conf(programs=["/bin/cat"])

    # -- what is wanted
    def command(self):
        return json.dumps(["/bin/cat", str(self.home / "secret")], separators=(",", ":"))

    def sheet(self, revision, cleartext=False, clients=("msmtp", "mutt"), **changes):
        command = self.command()
        acc = account(incoming__password_command=command, outgoing__password_command=command, **changes)
        return sheet(accounts=[acc], clients={c: "enforce" for c in clients}, check="login", revision=revision,
                     cleartext=cleartext)

    def apply(self, revision, cleartext=False, clients=("msmtp", "mutt"), **changes):
        return self.host.apply(self.sheet(revision, cleartext, clients, **changes), revision=revision)

    def works(self, revision=7, **changes):
        """The settings of this revision are written, and proven by a login."""
        a = self.apply(revision, **changes)
        self.assertEqual({x["result"] for x in a.of(LOGIN)}, {"passed"}, a.stderr)
        return a

    def script(self, **hosts):
        self.put(".probe-script", json.dumps({f"{h}.acme.example": how for h, how in hosts.items()}))

    # -- what came of it
    def files(self):
        return {n: self.read(n) for n in (".msmtprc", ".muttrc", MUTT)}

    def reverted(self, a):
        return sorted({(f["client"], f["setting"]) for f in a.findings if f["action"] == "reverted"})

    def unconfirmed(self, a):
        return sorted({(f["client"], f["setting"]) for f in a.findings if f["state"] == "unconfirmed"})

    def journal(self):
        return json.loads((self.host.state / "journal.json").read_text())

    def on_trial(self):
        return sorted((r["client"], t["side"]) for r in self.journal()["rows"] for t in r.get("trials", []))

    def asked(self):
        log = self.home / ".probe.jsonl"
        return [json.loads(x)["host"] for x in log.read_text().splitlines()] if log.exists() else []

    def session(self):
        """The user's next session; what it left for the controller is fetched."""
        p = self.host.run("login", "--wait")
        self.assertEqual(p.stderr, b"")
        return self.host.ask("status", revision=7)


class Reverts(Confirm):
    def test_certificate_of_the_new_server(self):
        self.works()
        before = self.files()
        self.script(smtp2="CERT_NAME_MISMATCH")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((a.status, self.files()), (DIFF, before))
        self.assertEqual(self.reverted(a), [("msmtp", "outgoing.host"), ("mutt", "outgoing.host")])
        f = a.finding("outgoing.host", client="msmtp")
        self.assertEqual((f["state"], f["desired"], f["found"]), ("pending", NEW, OLD))
        self.assertIn("CERT_NAME_MISMATCH", f["reason"])
        login = [x for x in a.of(LOGIN) if x["side"] == "outgoing"]
        self.assertEqual([(x["result"], x["class"], x["host"]) for x in login], [("failed", "CERT_NAME_MISMATCH", NEW)])
        # the other side works, and stays
        self.assertEqual(a.finding("incoming.host", client="mutt")["state"], "compliant")
        self.assertEqual(self.on_trial(), [])

    def test_not_again_with_the_same_revision(self):
        self.works()
        before = self.files()
        self.script(smtp2="CERT_EXPIRED")
        self.apply(8, outgoing__host=NEW)
        (self.home / ".probe.jsonl").unlink()
        generations = sorted(p.name for p in (self.host.state / "generations").iterdir())
        for _ in range(2):
            a = self.apply(8, outgoing__host=NEW)
            self.assertEqual((a.status, self.files()), (DIFF, before))
            self.assertEqual(self.reverted(a), [("msmtp", "outgoing.host"), ("mutt", "outgoing.host")])
            failed = [x for x in a.of(LOGIN) if x["side"] == "outgoing"]
            self.assertEqual({(x["result"], x["class"]) for x in failed}, {("failed", "CERT_EXPIRED")})
            self.session()
        self.assertNotIn(NEW, self.asked())
        self.assertEqual(sorted(p.name for p in (self.host.state / "generations").iterdir()), generations)
        # a look says so, too, and drift is told as it is
        checked = json.loads(self.host.run("check", "--json").stdout)
        found = {f["client"]: f["action"] for f in checked["findings"] if f["setting"] == "outgoing.host"}
        self.assertEqual((found["msmtp"], found["mutt"]), ("reverted", "reverted"))

    def test_a_newer_revision_is_tried(self):
        self.works()
        self.script(smtp2="CERT_EXPIRED")
        self.apply(8, outgoing__host=NEW)
        self.script()
        a = self.apply(9, outgoing__host=NEW)
        self.assertEqual((a.status, self.on_trial()), (OK, []), a.findings)
        self.assertIn(NEW.encode(), self.read(".msmtprc"))
        self.assertNotIn("reverted", self.journal())

    def test_when_somebody_has_mended_it(self):
        self.works()
        self.script(smtp2="CERT_EXPIRED")
        self.apply(8, outgoing__host=NEW)
        self.script()
        self.assertEqual(self.reverted(self.host.ask("verify", revision=8))[:1], [("msmtp", "outgoing.host")])
        a = self.host.ask("verify", revision=8, op_args=["+again"])
        self.assertEqual(self.reverted(a), [])
        self.assertNotIn(NEW.encode(), self.read(".msmtprc"), "a verify changes nothing")
        a = self.session()
        self.assertIn(NEW.encode(), self.read(".msmtprc"))
        self.assertEqual(self.on_trial(), [])

    def test_only_the_side_that_fails(self):
        self.works()
        mutt = self.read(MUTT)
        self.script(imap2="AUTH_MECH_NOT_OFFERED")
        a = self.apply(8, incoming__host=IMAP2, outgoing__host=NEW)
        self.assertEqual(self.reverted(a), [("mutt", "incoming.host")])
        self.assertEqual(self.read(MUTT), mutt.replace(OLD.encode(), NEW.encode()))
        self.assertIn(NEW.encode(), self.read(".msmtprc"))
        self.assertEqual((a.status, self.on_trial()), (DIFF, []))

    def test_the_same_secret_refused(self):
        self.works()
        before = self.files()
        self.script(smtp2="AUTH_REJECTED")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((len(self.reverted(a)), self.files()), (2, before))

    def test_another_secret_refused_says_nothing(self):
        self.works()
        self.script(smtp2="AUTH_REJECTED", imap="passed")
        self.put("secret", "typo\n")
        self.put(".probe-password", "typo")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((self.reverted(a), len(self.unconfirmed(a))), ([], 2), a.findings)
        self.assertIn(NEW.encode(), self.read(".msmtprc"))
        self.assertEqual(self.on_trial(), [("msmtp", "outgoing"), ("mutt", "outgoing")])

    def test_never_for_what_may_pass(self):
        self.works()
        for revision, how in enumerate(("DNS_NO_SUCH_NAME", "DNS_UNAVAILABLE", "CONN_TIMEOUT", "CONN_REFUSED",
                                        "HOST_UNREACHABLE", "NET_NO_ROUTE", "AUTH_TEMP", "AUTH_SLOW", "SERVER_SLOW",
                                        "silent", "TLS_INTERCEPTED"), 8):
            with self.subTest(how):
                self.script(smtp2=how)
                # a port of its own, so that no server rests from the last time
                a = self.apply(revision, outgoing__host=NEW, outgoing__port=str(2000 + revision))
                self.assertEqual((self.reverted(a), a.status), ([], DIFF))
                self.assertIn(("msmtp", "outgoing.host"), self.unconfirmed(a))
                self.assertIn(NEW.encode(), self.read(".msmtprc"))
        # what came first is what everything goes back to
        before = MSMTPRC.encode()
        self.script(smtp2="CERT_PIN")
        a = self.apply(30, outgoing__host=NEW, outgoing__port="3000")
        self.assertIn(f"host {OLD}".encode(), self.read(".msmtprc"))
        self.assertIn(b"port 465", self.read(".msmtprc"))
        self.assertTrue(self.read(".msmtprc").startswith(before))

    def test_nothing_known_to_have_worked(self):
        """The first settings of all were never proven: there is nothing to go back to."""
        self.script(smtp="CERT_EXPIRED")
        self.apply(7)
        self.script(smtp="CERT_EXPIRED", smtp2="CERT_EXPIRED")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((self.reverted(a), self.unconfirmed(a), a.status), ([], [], DIFF))
        self.assertIn(NEW.encode(), self.read(".msmtprc"))

    def test_what_worked_long_ago_and_no_more(self):
        self.works()
        self.script(smtp="CERT_EXPIRED")
        self.host.ask("verify", revision=7)
        self.script(smtp="CERT_EXPIRED", smtp2="CERT_EXPIRED")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual(self.reverted(a), [])
        self.assertIn(NEW.encode(), self.read(".msmtprc"))

    def test_an_account_of_the_users_that_was_adopted(self):
        mine = ("# by hand\naccount mine\nhost mail.old.example\nport 587\ntls on\nauth on\n"
                "user alice@acme.example\nfrom alice@acme.example\npasswordeval cat ~/secret\n\naccount default : mine\n")
        self.put(".msmtprc", mine)
        self.host.write_conf(programs=["/bin/cat"], domains=["acme.example", "mail.old.example"])
        old = dict(outgoing__host="mail.old.example", outgoing__port="587", outgoing__security="starttls",
                   outgoing__ca_file=None, replaces=["mail.old.example"], clients=("msmtp",))
        self.works(7, **old)
        mine = self.read(".msmtprc")
        self.script(smtp="CERT_UNKNOWN_CA")
        a = self.apply(8, clients=("msmtp",), replaces=["mail.old.example"])
        self.assertEqual((self.read(".msmtprc"), a.status), (mine, DIFF))
        self.assertIn(("msmtp", "outgoing.port"), self.reverted(a))
        # and it goes back further, when the policy drops the account
        self.host.apply(sheet(accounts=[], clients={"msmtp": "enforce"}, check="login", revision=9), revision=9)
        self.assertIn(b"host mail.old.example", self.read(".msmtprc"))

    def test_edits_of_the_users_stay(self):
        self.works()
        self.script(smtp2="CONN_TIMEOUT")
        self.apply(8, outgoing__host=NEW)
        self.put(".msmtprc", self.read(".msmtprc").replace(b"# mine", b"# mine, and more\n# of it"))
        self.put(".muttrc", self.read(".muttrc") + b"set quit=no\n")
        before = {n: t.replace(NEW.encode(), OLD.encode()) for n, t in self.files().items()}
        self.script(smtp2="CERT_EXPIRED")
        a = self.session()
        self.assertEqual(self.files(), before)
        self.assertEqual(len(self.reverted(a)), 2)


class Forbidden(Confirm):
    def test_cleartext_is_not_restored(self):
        self.works(cleartext=True, outgoing__security="none", outgoing__port="25")
        self.script(smtp2="CERT_EXPIRED")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((self.reverted(a), a.status), ([], DIFF))
        f = a.finding("outgoing.security", client="msmtp")
        self.assertEqual(f["state"], "unconfirmed")
        self.assertIn("cleartext", f["reason"])
        self.assertIn(NEW.encode(), self.read(".msmtprc"))

    def test_a_server_outside_the_limits_is_not_restored(self):
        self.host.write_conf(domains=["acme.example", "old.example"])
        self.works(outgoing__host="smtp.old.example")
        self.host.write_conf(domains=["acme.example"])
        self.script(smtp2="CERT_EXPIRED")
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual(self.reverted(a), [])
        self.assertIn("limits", a.finding("outgoing.host", client="mutt")["reason"])
        self.assertIn(NEW.encode(), self.read(MUTT))
        # it is tried again at each session, and ends when it works
        self.script()
        a = self.session()
        self.assertEqual(self.on_trial(), [])

    def test_an_older_tls_is_not_restored(self):
        self.works(outgoing__tls_min="1.2", clients=("msmtp",))
        text = self.read(".msmtprc")
        if b"tls_priorities" not in text and b"tls_min" not in text:
            self.skipTest("msmtp holds no floor")
        self.script(smtp2="CERT_EXPIRED")
        strict = json.loads(self.sheet(8, clients=("msmtp",), outgoing__host=NEW, outgoing__tls_min="1.3"))
        strict["tls_min"] = "1.3"
        a = self.host.apply(json.dumps(strict, separators=(",", ":")).encode(), revision=8)
        self.assertEqual(self.reverted(a), [])
        self.assertIn(NEW.encode(), self.read(".msmtprc"))


class Untested(Confirm):
    """Nobody is there, or the keyring is locked: the user's next session decides."""

    def away(self):
        self.put("locked", "")
        (self.home / "secret").rename(self.home / "away")

    def back(self):
        (self.home / "away").rename(self.home / "secret")

    def change(self, revision=8, **changes):
        self.works()
        before = self.files()
        self.away()
        a = self.apply(revision, outgoing__host=NEW, **changes)
        self.assertEqual((self.unconfirmed(a), a.status),
                         ([("msmtp", "outgoing.host"), ("mutt", "outgoing.host")], DIFF), a.findings)
        self.assertEqual(a.finding("outgoing.host", client="msmtp")["action"], "corrected")
        self.assertEqual(self.on_trial(), [("msmtp", "outgoing"), ("mutt", "outgoing")])
        return before

    def test_confirmed_by_the_next_session(self):
        self.change()
        for _ in range(2):  # it does not come to an end by itself
            a = self.session()
            self.assertEqual(self.on_trial(), [("msmtp", "outgoing"), ("mutt", "outgoing")])
        a = self.apply(8, outgoing__host=NEW)
        self.assertEqual((self.unconfirmed(a), a.status), ([("msmtp", "outgoing.host"), ("mutt", "outgoing.host")], DIFF))
        self.assertEqual({f["action"] for f in a.findings if f["state"] == "unconfirmed"}, {"none"})
        self.back()
        a = self.session()
        self.assertEqual(self.on_trial(), [])
        last = {(f["client"], f["setting"]): f["state"] for f in a.findings}
        self.assertEqual({last[(c, "outgoing.host")] for c in ("msmtp", "mutt")}, {"compliant"})
        self.assertEqual(self.apply(8, outgoing__host=NEW).status, OK)

    def test_taken_back_by_the_next_session(self):
        before = self.change()
        self.back()
        self.script(smtp2="CERT_NAME_MISMATCH")
        a = self.session()
        self.assertEqual((self.files(), self.on_trial()), (before, []))
        self.assertEqual(self.reverted(a), [("msmtp", "outgoing.host"), ("mutt", "outgoing.host")])
        self.assertIn(("failed", "CERT_NAME_MISMATCH"), {(x["result"], x["class"]) for x in a.of(LOGIN)})

    def test_by_hand(self):
        before = self.change()
        self.back()
        self.script(smtp2="CERT_NAME_MISMATCH")
        p = self.host.run("apply", "--json")
        self.assertEqual((p.returncode, self.files()), (DIFF, before))
        self.assertIn("reverted", {f["action"] for f in json.loads(p.stdout)["findings"]})

    def test_a_second_revision_before_anybody_came(self):
        """Back to what was proven, and not to what came in between."""
        before = self.change()
        self.apply(9, outgoing__host="smtp3.acme.example", outgoing__port="587", outgoing__security="starttls")
        self.back()
        self.script(smtp3="CERT_NAME_MISMATCH")
        self.session()
        self.assertEqual(self.files(), before)

    def test_a_rollback_before_anybody_came(self):
        before = self.change()
        a = self.apply(9)
        self.assertEqual((self.files(), self.on_trial()), (before, []), a.findings)

    def test_the_account_goes_before_anybody_came(self):
        self.change()
        self.host.apply(sheet(accounts=[], clients={"msmtp": "enforce", "mutt": "enforce"}, check="login", revision=9),
                        revision=9)
        self.assertEqual((self.read(".msmtprc"), self.read(".muttrc")), (MSMTPRC.encode(), MUTTRC.encode()))
        self.assertEqual(self.journal()["rows"], [])

    def test_a_look_says_so_and_decides_nothing(self):
        self.change()
        for command in ("check", "verify"):
            doc = json.loads(self.host.run(command, "--json").stdout)
            self.assertEqual(self.states(doc), {"unconfirmed"})
        self.back()
        doc = json.loads(self.host.run("verify", "--json").stdout)
        self.assertEqual(self.states(doc), {"compliant"})

    def states(self, doc):
        return {f["state"] for f in doc["findings"] if f["setting"] == "outgoing.host" and f["client"] != "neomutt"}

    def test_restored_by_hand(self):
        before = self.change()
        self.assertEqual(self.host.run("restore").returncode, OK)
        self.assertEqual((self.files(), self.on_trial()), (before, []))


class Killed(Confirm):
    def test_between_write_and_verdict(self):
        self.works()
        before = self.files()
        self.script(smtp2="hang")
        request = self.host.stream(self.host.request(sheets=[self.sheet(8, outgoing__host=NEW)], revision=8),
                                   [self.sheet(8, outgoing__host=NEW)])
        p = self.host.popen("receive", start_new_session=True)
        p.stdin.write(request)
        p.stdin.flush()
        try:
            self.assertTrue(wait_until(lambda: NEW in self.asked(), 30))
        finally:
            os.killpg(p.pid, signal.SIGKILL)
            p.communicate()
        for group in [d for d in pathlib.Path("/proc").iterdir() if d.name.isdigit()]:
            try:
                if str(self.home).encode() in (group / "environ").read_bytes() and group.name != str(os.getpid()):
                    os.kill(int(group.name), signal.SIGKILL)
            except OSError:
                continue
        self.assertIn(NEW.encode(), self.read(".msmtprc"))
        self.assertEqual(self.on_trial(), [("msmtp", "outgoing"), ("mutt", "outgoing")])
        self.script(smtp2="CERT_EXPIRED")
        (self.host.state / "logins.json").write_text(json.dumps(self.without_begun()))
        self.session()
        self.assertEqual((self.files(), self.on_trial()), (before, []))

    def without_begun(self):
        """As after the time for which a login rests that was broken off."""
        memory = json.loads((self.host.state / "logins.json").read_text())
        memory["tried"] = []
        return memory


del Case
if __name__ == "__main__":
    unittest.main(verbosity=2)
