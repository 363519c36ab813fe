"""Convergence on real configs, as the user meets it: what changes, what stays, what comes back."""

import fcntl
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402
import story  # noqa: E402

CAROL = story.CAROL_MSMTPRC


def carol(**kw):
    return sheet("alice", accounts=[account("carol@acme.example", replaces=["mail.old.example"])], **kw)


class Msmtp(Case):
    def test_adoption(self):
        self.put(".msmtprc", CAROL)
        a = self.host.apply(carol())
        f = a.finding("outgoing.host")
        self.assertEqual((f["state"], f["action"], f["found"], f["desired"]),
                         ("unmanaged", "adopted", "mail.old.example", "smtp.acme.example"))
        self.assertGreater(f["line"], 0)
        text = self.read(".msmtprc").decode()
        self.assertIn("# why was this off again?", text)
        self.assertIn("account office", text)
        self.assertNotIn("account work", text)
        self.assertIn("smtp.home.example", text)
        private = a.finding("", client="msmtp", account="private")
        self.assertEqual((private["state"], private["found"]), ("unmanaged", "home.example"))
        self.assertEqual(self.host.apply(carol()).finding("outgoing.security")["state"], "compliant")

    def test_drift(self):
        self.put(".msmtprc", CAROL)
        self.host.apply(carol())
        self.put(".msmtprc", self.read(".msmtprc").replace(b"port 465\nfrom carol@acme", b"port 2525\nfrom carol@acme"))
        a = self.host.ask("status")
        f = a.finding("outgoing.port")
        self.assertEqual((f["state"], f["found"], a.status), ("drifted", "2525", DIFF))
        a = self.host.apply(carol())
        self.assertEqual((a.finding("outgoing.port")["state"], a.finding("outgoing.port")["action"], a.status),
                         ("drifted", "corrected", OK))
        self.assertEqual(self.host.ask("status").status, OK)

    def test_audit_mode(self):
        self.put(".msmtprc", CAROL)
        a = self.host.apply(carol(clients={"msmtp": "audit"}))
        self.assertEqual((a.finding("outgoing.host")["state"], a.finding("outgoing.host")["action"], a.status),
                         ("pending", "reported", DIFF))
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)

    def test_unnamed_client_is_audited(self):
        self.put(".msmtprc", CAROL)
        a = self.host.apply(carol(clients={}))
        self.assertEqual(a.finding("outgoing.host")["action"], "reported")
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)

    def test_default_mode(self):
        rule = {"msmtp": ("enforce", {"outgoing.port": "default"})}
        self.put(".msmtprc", "")
        self.host.apply(sheet(clients=rule))
        self.put(".msmtprc", self.read(".msmtprc").replace(b"port 465", b"port 1465"))
        a = self.host.apply(sheet(clients=rule))
        self.assertEqual((a.finding("outgoing.port")["state"], a.finding("outgoing.port")["found"]), ("compliant", "1465"))
        self.assertEqual(a.of(LOGIN)[0]["class"], "NOT_IN_EFFECT")
        self.assertIn(b"port 1465", self.read(".msmtprc"))

    def test_ignored_client(self):
        self.put(".msmtprc", CAROL)
        a = self.host.apply(carol(clients={"msmtp": "ignore"}))
        self.assertEqual([f for f in a.findings if f["client"] == "msmtp"], [])

    def test_removal_puts_former_values_back(self):
        self.put(".msmtprc", CAROL)
        self.host.apply(carol(cleartext=True))
        self.assertNotEqual(self.read(".msmtprc").decode(), CAROL)
        a = self.host.apply(sheet(accounts=[], cleartext=True))
        self.assertEqual(a.finding("", client="msmtp", account="work")["action"], "removed")
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)

    def test_removal_never_brings_cleartext_back(self):
        """The former value of `tls` was off, and the policy does not allow that."""
        self.put(".msmtprc", CAROL)
        self.host.apply(carol())
        now = self.read(".msmtprc")
        a = self.host.apply(sheet(accounts=[]))
        f = a.finding("", client="msmtp", account="work")
        self.assertEqual((f["state"], f["action"], a.status), ("unmanaged", "none", OK))
        self.assertIn("cleartext", f["reason"])
        self.assertEqual(self.read(".msmtprc"), now)
        # Said once; from here on it is the user's own.
        self.assertEqual(json.loads((self.host.state / "journal.json").read_text())["rows"], [])
        self.host.apply(sheet(accounts=[], cleartext=True))
        self.assertEqual(self.read(".msmtprc"), now)

    def test_removal_of_what_was_made(self):
        self.put(".msmtprc", "# mine\n")
        self.host.apply(sheet())
        self.host.apply(sheet(accounts=[], clients={}))
        self.assertEqual(self.read(".msmtprc"), b"# mine\n")
        self.assertEqual(json.loads((self.host.state / "journal.json").read_text())["rows"], [])

    def test_config_is_made_only_when_wanted(self):
        self.host.apply(sheet(create="existing"))
        self.assertFalse((self.home / ".msmtprc").exists())
        a = self.host.apply(sheet(create="always"))
        made = [f["path"] for f in a.findings if f["client"] == "msmtp" and f["action"] == "created"]
        self.assertTrue(made)
        path = pathlib.Path(made[0])
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.host.apply(sheet(accounts=[]))
        self.assertFalse(path.exists())

    def test_restore(self):
        self.put(".msmtprc", CAROL)
        self.host.apply(carol())
        p = self.host.run("restore")
        self.assertEqual(p.returncode, OK, p.stderr)
        self.assertIn(b"former content", p.stdout)
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)
        self.assertEqual(json.loads((self.host.state / "journal.json").read_text())["rows"], [])
        # Nothing more to go back to; and the policy comes again with the next run.
        self.assertEqual(self.host.run("restore").returncode, FAILED)
        self.assertEqual(self.host.apply(carol()).finding("outgoing.host")["action"], "adopted")

    def test_restore_keeps_what_the_user_did_since(self):
        self.put(".msmtprc", CAROL)
        self.host.apply(carol())
        self.put(".msmtprc", self.read(".msmtprc") + b"# a note of mine\n")
        p = self.host.run("restore", "--json")
        self.assertEqual(json.loads(p.stdout)[0]["done"], "our edits taken back")
        self.assertEqual(self.read(".msmtprc").decode(), CAROL + "# a note of mine\n")

    def test_restore_to_a_generation(self):
        self.put(".msmtprc", CAROL)
        for port in ("465", "1465", "2465"):
            self.host.apply(sheet(accounts=[account("carol@acme.example", replaces=["mail.old.example"], outgoing__port=port)]))
        self.assertEqual(self.host.run("restore", "--generation", "9").returncode, FAILED)
        self.assertEqual(self.host.run("restore", "--generation", "2").returncode, OK)
        self.assertIn(b"port 465", self.read(".msmtprc").split(b"account office")[1])
        self.assertEqual(self.host.run("restore", "--generation", "1").returncode, OK)
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)

    def test_backwards(self):
        """A home that two hosts share never goes back to an older revision."""
        self.put(".msmtprc", "")
        self.host.apply(sheet(revision=5))
        a = self.host.apply(sheet(revision=4, accounts=[account(outgoing__port="1")]))
        self.assertEqual([(f["state"], f["client"]) for f in a.findings], [("deferred", "agent")])
        self.assertIn(b"port 465", self.read(".msmtprc"))

    def test_awkward_values(self):
        self.put(".msmtprc", "# \xe9\n".encode("latin-1"))
        name = "`id`\"; $(x) | y"
        a = self.host.apply(sheet(accounts=[account(outgoing__username=name)]))
        self.assertEqual(a.finding("outgoing.username")["action"], "created")
        self.assertEqual(self.host.apply(sheet(accounts=[account(outgoing__username=name)])).finding("outgoing.username")["state"],
                         "compliant")
        self.assertTrue(self.read(".msmtprc").startswith("# \xe9\n".encode("latin-1")))

    def test_unknown_setting_of_a_newer_controller(self):
        self.put(".msmtprc", "")
        s = json.loads(sheet())
        s["proto"] = [1, 1]
        s["accounts"][0]["settings"].append(["account.signature", "-- A"])
        a = self.host.apply(json.dumps(s).encode())
        self.assertEqual(a.finding("account.signature")["state"], "unsupported")


def mutt(who, clients=("mutt",), **kw):
    return sheet("alice", accounts=[account(f"{who}@acme.example", replaces=["mail.old.example"])],
                 clients={c: "enforce" for c in clients}, **kw)


class Mutt(Case):
    OWN = ".config/mailmuster/mutt.rc"

    def test_there_and_back(self):
        for who, text in (("bob", story.BOB_MUTTRC), ("dave", story.DAVE_MUTTRC), ("bob", "set ssl_force_tls=yes\n"),
                          ("bob", "")):
            for clients in (("mutt",), ("neomutt",), ("mutt", "neomutt")):
                self.put(".muttrc", text)
                self.put(".mutt/colors", "color normal default default\n")
                a = self.host.apply(mutt(who, clients))
                self.assertEqual(a.status, OK, (text, clients, a.findings))
                self.assertEqual(self.host.apply(mutt(who, clients)).states(), [("compliant", "none")])
                a = self.host.apply(sheet(accounts=[], clients={c: "enforce" for c in clients}))
                self.assertEqual({f["action"] for f in a.findings if f["state"] == "pending"}, {"removed"})
                self.assertEqual(self.read(".muttrc"), text.encode())
                self.assertFalse((self.home / self.OWN).exists(), (text, clients))

    def test_own_file_first(self):
        """A crash between the two files must leave a config that works: what is sourced exists."""
        self.put(".muttrc", story.BOB_MUTTRC)
        self.put(".mutt/colors", "")
        (self.home / ".config/mailmuster").mkdir(parents=True)
        if self.uid:
            give(self.home, self.uid)
        (self.home / ".config/mailmuster").chmod(0o500)
        a = self.host.apply(mutt("bob"))
        f = a.finding("incoming.host", client="mutt")
        self.assertEqual((f["state"], f["action"]), ("deferred", "none"), f)
        self.assertEqual(self.read(".muttrc"), story.BOB_MUTTRC.encode())
        (self.home / ".config/mailmuster").chmod(0o700)
        self.assertEqual(self.host.apply(mutt("bob")).status, OK)

    def test_later_line_wins(self):
        self.put(".muttrc", "")
        self.host.apply(mutt("bob"))
        self.put(".muttrc", self.read(".muttrc") + b"set from=elsewhere@acme.example\n")
        before = self.read(".muttrc")
        a = self.host.apply(mutt("bob"))
        f = a.finding("account.address", client="mutt")
        self.assertEqual((f["state"], f["found"], a.status), ("overridden", "elsewhere@acme.example", DIFF))
        self.assertEqual(f["line"], before.count(b"\n"))
        self.assertEqual(self.read(".muttrc"), before)

    def test_drift_in_the_own_file(self):
        self.put(".muttrc", "")
        self.host.apply(mutt("bob"))
        self.put(self.OWN, self.read(self.OWN).replace(b"imap.acme.example", b"imap.evil.test"))
        a = self.host.ask("status")
        self.assertEqual(a.finding("incoming.host", client="mutt")["state"], "drifted")
        a = self.host.apply(mutt("bob"))
        f = a.finding("incoming.host", client="mutt")
        self.assertEqual((f["state"], f["action"], f["override_path"]), ("drifted", "corrected", str(self.home / self.OWN)))
        self.assertIn(b"imap.acme.example", self.read(self.OWN))

    def test_user_takes_our_block_out(self):
        self.put(".muttrc", story.BOB_MUTTRC)
        self.put(".mutt/colors", "")
        self.host.apply(mutt("bob"))
        self.put(".muttrc", story.BOB_MUTTRC)
        a = self.host.apply(mutt("bob", create="never"))
        self.assertEqual((a.finding("", client="mutt")["state"], a.finding("", client="mutt")["action"]), ("removed", "reported"))
        self.assertEqual(self.read(".muttrc"), story.BOB_MUTTRC.encode())
        a = self.host.apply(mutt("bob"))
        self.assertEqual(a.finding("incoming.host", client="mutt")["action"], "created")


class Thunderbird(Case):
    PROFILE = ".thunderbird/abcd1234.default-default/"

    def setUp(self):
        super().setUp()
        self.put(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.put(self.PROFILE + "prefs.js", story.ALICE_PREFS)

    def policy(self, **kw):
        return sheet(clients={"thunderbird": "enforce"}, **kw)

    def test_there_and_back(self):
        a = self.host.apply(self.policy())
        f = a.finding("incoming.host", client="thunderbird")
        self.assertEqual((f["state"], f["action"], f["path"]), ("pending", "created", str(self.home / self.PROFILE / "prefs.js")))
        self.assertTrue(any("password" in f["reason"] for f in a.findings))
        text = self.read(self.PROFILE + "prefs.js")
        for line in story.ALICE_PREFS.encode().splitlines():
            if b"mail.accountmanager.accounts" not in line and b"mail.smtpservers" not in line:
                self.assertIn(line, text)
        self.assertEqual((self.home / self.PROFILE / ".parentlock").stat().st_mode & 0o777, 0o644)
        self.assertEqual(self.host.apply(self.policy()).status, OK)
        self.host.apply(self.policy(accounts=[]))
        self.assertEqual(self.read(self.PROFILE + "prefs.js").decode(), story.ALICE_PREFS)

    def test_running(self):
        """Thunderbird's own lock: nothing of its file is touched while it is held."""
        lock = self.put(self.PROFILE + ".parentlock", "", 0o644)
        with open(lock, "r+b") as f:
            fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            a = self.host.apply(self.policy())
            g = a.finding("incoming.host", client="thunderbird")
            self.assertEqual((g["state"], g["action"], a.status), ("deferred", "none", DIFF))
            self.assertIn("running", g["reason"])
            self.assertEqual(self.read(self.PROFILE + "prefs.js").decode(), story.ALICE_PREFS)
            self.assertEqual([x["class"] for x in a.of(LOGIN)], [])
            self.overdue()
        a = self.host.apply(self.policy())
        self.assertNotIn("put_off", json.loads((self.host.state / "journal.json").read_text()))
        self.assertEqual(a.finding("incoming.host", client="thunderbird")["action"], "created")

    def overdue(self):
        """It may wait for 14 days, or as the host has it; then it counts as failed."""
        path = self.host.state / "journal.json"
        journal = json.loads(path.read_text())
        journal["put_off"][0]["since"] -= 13 * 86400
        path.write_text(json.dumps(journal))
        self.assertEqual(self.host.apply(self.policy()).status, DIFF)
        with self.host.conf.open("a", encoding="utf-8") as f:
            f.write("deferral_days = 12;\n")
        a = self.host.apply(self.policy())
        g = a.finding("incoming.host", client="thunderbird")
        self.assertEqual((g["state"], a.status), ("error", FAILED))
        self.assertRegex(g["reason"], r"overdue: put off since \d{4}-\d\d-\d\d: .*running")
        self.assertEqual(self.read(self.PROFILE + "prefs.js").decode(), story.ALICE_PREFS)

    def test_drift_and_plan(self):
        self.host.apply(self.policy())
        path = self.PROFILE + "prefs.js"
        self.put(path, self.read(path).replace(b"imap.acme.example", b"imap.evil.test"))
        a = self.host.plan(self.policy())
        f = a.finding("incoming.host", client="thunderbird")
        self.assertEqual((f["state"], f["action"], f["found"]), ("drifted", "would-change", "imap.evil.test"))
        self.assertIn("password", f["reason"])
        self.assertIn(b"imap.evil.test", self.read(path))
        self.assertEqual(self.host.apply(self.policy()).finding("incoming.host", client="thunderbird")["action"], "corrected")

    def test_other_profile_is_left_alone(self):
        other = ".thunderbird/zzzzzzzz.default/prefs.js"
        self.put(other, story.ALICE_PREFS)
        self.host.apply(self.policy())
        self.assertEqual(self.read(other).decode(), story.ALICE_PREFS)


class Untidy(Case):
    """Files as people have them."""

    def test_dotfiles_from_a_repository(self):
        real = self.put("dotfiles/msmtprc", CAROL)
        (self.home / ".msmtprc").symlink_to("dotfiles/msmtprc")
        if self.uid:
            os.chown(self.home / ".msmtprc", self.uid, self.uid, follow_symlinks=False)
        self.host.apply(carol())
        self.assertTrue((self.home / ".msmtprc").is_symlink())
        self.assertIn(b"smtp.acme.example", real.read_bytes())

    def test_mode_is_kept(self):
        self.put(".msmtprc", CAROL, 0o640)
        self.host.apply(carol())
        self.assertEqual((self.home / ".msmtprc").stat().st_mode & 0o777, 0o640)

    def trouble(self, state, status):
        a = self.host.apply(sheet())
        (f,) = [f for f in a.findings if f["client"] == "msmtp"]
        self.assertEqual((f["state"], a.status), (state, status), f)
        self.assertTrue(f["reason"])
        return f

    def test_dangling_link(self):
        (self.home / ".msmtprc").symlink_to("nowhere")
        if self.uid:
            os.chown(self.home / ".msmtprc", self.uid, self.uid, follow_symlinks=False)
        self.trouble("deferred", DIFF)
        self.assertFalse((self.home / "nowhere").exists())

    def test_link_to_somebody_elses_file(self):
        target = self.dir / "passwd"
        target.write_text("root:x:0:0\n")
        target.chmod(0o666)
        (self.home / ".msmtprc").symlink_to(target)
        if not is_root():
            self.skipTest("needs two users")
        os.chown(self.home / ".msmtprc", self.uid, self.uid, follow_symlinks=False)
        os.chown(target, 4242, 4242)
        self.trouble("deferred", DIFF)
        self.assertEqual(target.read_text(), "root:x:0:0\n")

    def test_loop(self):
        (self.home / ".msmtprc").symlink_to(".msmtprc")
        if self.uid:
            os.chown(self.home / ".msmtprc", self.uid, self.uid, follow_symlinks=False)
        self.trouble("deferred", DIFF)

    def test_file_of_somebody_else(self):
        if not is_root():
            self.skipTest("needs two users")
        os.chown(self.put(".msmtprc", CAROL, 0o644), 4242, 4242)
        self.trouble("deferred", DIFF)

    def test_folder_device_and_fifo(self):
        (self.home / ".msmtprc").mkdir()
        self.trouble("error", FAILED)
        (self.home / ".msmtprc").rmdir()
        os.mkfifo(self.home / ".msmtprc")
        if self.uid:
            os.chown(self.home / ".msmtprc", self.uid, self.uid)
        self.trouble("error", FAILED)

    def test_fifty_mebibytes(self):
        path = self.put(".msmtprc", b"# x\n" * (50 * 1024 * 256))
        before = path.stat()
        self.trouble("error", FAILED)
        self.assertEqual(path.stat(), before)

    def test_binary(self):
        data = bytes(range(256)) * 64
        self.put(".msmtprc", data)
        self.trouble("error", FAILED)
        self.assertEqual(self.read(".msmtprc"), data)

    def test_home_that_is_not_there(self):
        os.rename(self.home, self.dir / "away")
        state = self.dir / "elsewhere"
        state.mkdir()
        if self.uid:
            os.chown(state, self.uid, self.uid)
        self.host.state = state
        self.host.write_conf()
        a = self.host.apply(sheet())
        f = a.finding("", client="agent")
        self.assertEqual((f["state"], a.status), ("deferred", DIFF))
        self.assertIn("does not exist", f["reason"])
        self.assertFalse(self.home.exists())


class Shown(Case):
    """What a person at the workstation sees."""

    def setUp(self):
        super().setUp()
        self.put(".msmtprc", CAROL)
        self.host.apply(carol(revision=3), revision=3)

    def test_check_and_apply(self):
        self.assertEqual(self.host.run("check").returncode, OK)
        self.put(".msmtprc", self.read(".msmtprc").replace(b"smtp.acme.example", b"evil.acme.example"))
        p = self.host.run("check")
        self.assertEqual(p.returncode, DIFF)
        self.assertIn(b"evil.acme.example -> smtp.acme.example", p.stdout)
        before = self.read(".msmtprc")
        p = self.host.run("apply", "--dry-run", "--json")
        doc = json.loads(p.stdout)
        self.assertEqual((p.returncode, doc["exit"]), (DIFF, DIFF))
        self.assertIn("would-change", [f["action"] for f in doc["findings"]])
        self.assertEqual(self.read(".msmtprc"), before)
        self.assertEqual(self.host.run("apply").returncode, OK)
        self.assertIn(b"host smtp.acme.example", self.read(".msmtprc"))

    def test_status_clients_explain(self):
        s = json.loads(self.host.run("status", "--json").stdout)
        self.assertEqual((s["host"], s["user"], s["revision"], s["accounts"], s["expired"]), ("ws1", "alice", 3, 1, False))
        self.assertIn(b"revision 3", self.host.run("status").stdout)
        p = self.host.run("explain", "outgoing.host")
        self.assertEqual(p.returncode, OK)
        self.assertIn(b"smtp.acme.example", p.stdout)
        self.assertIn(b"compliant", p.stdout)
        self.assertEqual(self.host.run("explain", "no.such").returncode, FAILED)
        self.assertEqual(self.host.run("explain", "incoming.host").returncode, FAILED)
        p = self.host.run("clients", "msmtp", "--json")
        self.assertEqual(p.returncode, OK, p.stderr)
        (row,) = json.loads(p.stdout)
        self.assertTrue(row["installed"])
        self.assertRegex(row["version"], r"^\d+\.\d+\.\d+")
        (config,) = row["configs"]
        seen = {s["setting"]: s for a in config["accounts"] for s in a["settings"]}
        line = self.read(".msmtprc").decode().splitlines()[seen["outgoing.host"]["line"] - 1]
        self.assertIn("host smtp.acme.example", line)
        p = self.host.run("clients")
        where = rf"/.msmtprc:{seen['outgoing.host']['line']}"
        self.assertRegex(p.stdout.decode(), rf"(?m)^msmtp +office +outgoing.host +smtp.acme.example +.*{where}")
        self.assertEqual(self.host.run("clients", "no-such").returncode, FAILED)

    def test_expired(self):
        """Settings stay, nothing is changed any more, and the report says so."""
        path = self.host.state / "sheets/alice"
        path.chmod(0o600)
        head, body = path.read_bytes().split(b"\n", 1)
        head = json.loads(head)
        head["expires"] = 1000000000
        path.write_bytes(json.dumps(head).encode() + b"\n" + body)
        self.put(".msmtprc", self.read(".msmtprc").replace(b"port 465", b"port 466", 2))
        before = self.read(".msmtprc")
        p = self.host.run("apply", "--json")
        doc = json.loads(p.stdout)
        self.assertEqual(p.returncode, DIFF)
        self.assertIn("drifted", [f["state"] for f in doc["findings"]])
        self.assertIn("deferred", [f["state"] for f in doc["findings"] if f["client"] == "agent"])
        self.assertEqual(self.read(".msmtprc"), before)
        self.assertEqual(self.host.run("status").returncode, DIFF)

    def test_limits_that_became_stricter(self):
        self.host.write_conf(domains=["other.example"])
        self.assertEqual(self.host.run("apply").returncode, NOPERM)
        self.assertEqual(self.host.run("login").returncode, NOPERM)

    def test_switched_off(self):
        self.host.run("disable", "--reason", "holiday")
        self.assertEqual(self.host.run("apply").returncode, NOPERM)
        self.put(".msmtprc", CAROL)
        self.assertEqual(self.host.run("login").returncode, OK)
        self.assertEqual(self.read(".msmtprc").decode(), CAROL)
        self.assertEqual(self.host.run("disable").returncode, USAGE)
        self.assertEqual(self.host.run("disable", "--reason", "x", "--until", "tomorrow").returncode, USAGE)

    def test_key(self):
        p = self.host.run("key")
        self.assertIn(b"BEGIN PUBLIC KEY", p.stdout)
        self.assertEqual(self.host.run("key").stdout, p.stdout)
        self.assertEqual((self.host.state / "report.key").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
