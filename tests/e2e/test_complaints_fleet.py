"""What people complain of in the tools that come nearest, each as a test that
has the number of the complaint in that tool's tracker in its name. Real sshd,
Dovecot and agents on three workstations; those about waves and budgets are in
push/test_rollout.py."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fleet as fleets  # noqa: E402
import story  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import Admin, BIN, DIFF, OK, UNREACHABLE  # noqa: E402

NOPERM, HOSTS_FAILED, FAILED = 77, 4, 1
UIDS = {"alice": 2101, "bob": 2102, "carol": 2103}
PASSWORDS = {"alice@acme.example": "correct horse 1", "bob@acme.example": "battery#staple;2", "carol@acme.example": "3",
             "team@acme.example": "the team's", "alice-smtp": "another one 7"}
PREFS = ".thunderbird/abcd1234.default-default/prefs.js"
USERS = "login,name,address,groups\nalice,Alice,alice@acme.example,staff\nbob,Bob,bob@acme.example,staff\n" \
        "carol,Carol,carol@acme.example,staff\n"
HOSTS = "host,address,port,account,tags,users\n" + "".join(f"ws{n},ws{n},22,root,,{u}\n" for n, u in enumerate(UIDS, 1))


def endpoint(name, host, number, protocol, **changes):
    keys = {"protocol": protocol, "host": host, "port": number, "security": "tls", "auth": "password",
            "username": "%{address}", "ca_file": "/etc/ssl/acme-ca.crt",
            "password_command": ["/usr/local/bin/mail-secret", "%{login}"], **changes}
    return f"  {name} = {{ " + " ".join(f"{k} = {json.dumps(v)};" for k, v in keys.items()) + " };\n"


def policy(accounts="work", check="login", incoming=(), outgoing=(), more=""):
    both = [a.strip() for a in accounts.split(",") if a.strip()]
    return f"""format = 1;
organisation = {{ name = "Acme"; domain = "acme.example"; }};
endpoints = {{
{endpoint("imap", "imap.acme.example", 993, "imap", **dict(incoming))}{endpoint("smtp", "smtp.acme.example", 465, "smtp", **dict(outgoing))}
{endpoint("imap_team", "imap.acme.example", 993, "imap", username="team@acme.example",
          password_command=["/usr/local/bin/mail-secret", "%{login}-team"])}
{endpoint("smtp_team", "smtp.acme.example", 465, "smtp", username="team@acme.example",
          password_command=["/usr/local/bin/mail-secret", "%{login}-team"])}}};
accounts = {{
  work = {{ label = "Acme"; address = "%{{address}}"; real_name = "%{{name}}"; incoming = "imap"; outgoing = "smtp";
           replaces = [ "mail.old.example" ]; }};
  team = {{ label = "Team"; address = "team@acme.example"; incoming = "imap_team"; outgoing = "smtp_team"; }};
}};
groups = {{ staff = {{ priority = 10; accounts = {json.dumps(both)};
  clients = {{ thunderbird = "enforce"; mutt = "enforce"; msmtp = "enforce"; }}; create = "existing"; }};
  guests = {{ priority = 20; accounts = []; }}; }};
rules = {{ tls_min = "1.2"; check = "{check}"; }};
{more}"""


NAMED = ["ansible-56265", "ansible-check-rc0", "ansible-diff-prints-password", "salt-43449", "salt-34729", "terraform-28803",
         "fleet-32938", "home-manager-6800", "home-manager-6599", "home-manager-3448", "home-manager-4124",
         "home-manager-8629", "mutt-wizard-558", "mutt-wizard-643", "augeas-643", "inspec-5260"]


class Complaints(unittest.TestCase):
    must = classmethod(test_fleet.FleetTest.must.__func__)
    fingerprint = staticmethod(test_fleet.FleetTest.fingerprint)
    homes_of = classmethod(test_fleet.FleetTest.homes.__func__)

    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.mkdtemp(prefix="mm-complaints-")
        os.chmod(cls.tmp, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.fleet = fleets.Fleet(pathlib.Path(cls.tmp) / "f", PASSWORDS).prepare(3)
        cls.addClassCleanup(cls.fleet.stop)
        for ws, login in zip(cls.fleet.workstations.values(), UIDS):
            ws.write("/usr/local/bin/mail-secret", story.SECRET_TOOL, 0, 0o755)
            ws.add_user(login, UIDS[login])
            for name, user in ((login, f"{login}@acme.example"), (f"{login}-team", "team@acme.example"),
                               (f"{login}-smtp", "alice-smtp")):
                ws.write(f"/var/lib/mail-secret/{name}", PASSWORDS[user] + "\n", UIDS[login], 0o400)
            (ws.root / "var/lib/mail-secret").chmod(0o755)
            ws.install_binaries(BIN)
        cls.fleet.start()
        cls.admin = Admin(cls.tmp)
        cls.must(OK, "init")
        cls.import_text("policy", policy())
        cls.import_text("user", USERS)
        cls.import_text("host", HOSTS)
        for ws in cls.fleet.workstations.values():
            cls.must(OK, "host", "enroll", ws.name, "--fingerprint", cls.fingerprint(ws), "--identity",
                     cls.fleet.dir / "admin_key", "--allow-domain", "acme.example", "--allow-program",
                     "/usr/local/bin/mail-secret")

    @classmethod
    def import_text(cls, what, text):
        path = pathlib.Path(cls.tmp) / f"{what}.txt"
        path.write_text(text)
        cls.must(OK, what, "import", path)

    def setUp(self):
        self.import_text("user", USERS)
        self.import_policy()
        for ws in self.fleet.workstations.values():
            if ws.sshd is None:
                ws.start()
        for n, login in enumerate(UIDS, 1):
            self.home(n, {})

    def import_policy(self, *args, **kw):
        """A revision of its own for each test."""
        type(self).serial = getattr(type(self), "serial", 0) + 1
        self.import_text("policy", policy(*args, **kw) + f"// {self.serial}\n")

    def home(self, n, files):
        """Somebody's home with these files and nothing else: nobody has been here."""
        ws, login = self.fleet[f"ws{n}"], list(UIDS)[n - 1]
        shutil.rmtree(ws.root / "home" / login)
        ws.write(f"/home/{login}/.profile", "# mine\n", UIDS[login])
        (ws.root / "home" / login).chmod(0o700)
        for path, text in files.items():
            ws.write(f"/home/{login}/{path}", text, UIDS[login])

    def read(self, n, path):
        return self.fleet[f"ws{n}"].read(f"/home/{list(UIDS)[n - 1]}/{path}")

    def alice_has_it_all(self):
        self.home(1, {".msmtprc": story.CAROL_MSMTPRC.replace("carol@acme", "alice@acme").replace("pass show", "echo"), PREFS: story.ALICE_PREFS,
                      ".thunderbird/profiles.ini": story.PROFILES_INI})

    def push(self, *hosts, status=OK):
        return json.loads(self.must(status, "push", *[x for h in hosts for x in ("--host", h)], "--json").stdout)

    def homes(self):
        return {n: self.homes_of(n) for n in self.fleet.workstations}

    def configs(self):
        """The same without the agents' own state."""
        return {n: {p: t for p, t in files.items() if "/.local/state/" not in p} for n, files in self.homes().items()}

    def test_each_has_its_test(self):
        texts = "".join(p.read_text() for p in pathlib.Path(__file__).parent.rglob("test_*.py"))
        for name in NAMED:
            self.assertRegex(texts, rf'def test_{name.replace("-", "_")}\(self\):\n +"""{name}[:,] ', name)

    # -- plans that say too little, or too much

    def test_ansible_check_rc0(self):
        """ansible-check-rc0: a dry run ends with 0 while changes are pending."""
        self.alice_has_it_all()
        self.must(DIFF, "plan", "--host", "ws1")
        self.must(DIFF, "push", "--dry-run", "--host", "ws1")
        self.push("ws1")
        self.must(OK, "plan", "--host", "ws1")

    def test_ansible_diff_prints_password(self):
        """ansible-diff-prints-password: a dry run shows the password that stands in the file it would change."""
        self.home(1, {".msmtprc": "account office\nhost mail.old.example\nfrom alice@acme.example\nuser alice\n"
                                  "auth on\npassword hunter2-in-clear\n"})
        saved = pathlib.Path(self.tmp) / "saved.plan"
        said = [self.admin.run("plan", "--host", "ws1", "--out", saved), self.admin.run("plan", "--host", "ws1", "--json"),
                self.admin.run("push", "--host", "ws1"), self.admin.run("drift"), self.admin.run("audit", "log"),
                *(self.admin.run("report", "--format", f) for f in ("text", "html", "json", "csv"))]
        self.assertTrue(saved.exists())
        for text in [saved.read_text(), *(r.stdout + r.stderr for r in said)]:
            self.assertNotIn("hunter2", text)
        self.assertIn("smtp.acme.example", self.read(1, ".msmtprc"))

    def test_fleet_32938(self):
        """fleet-32938: deletions do not stand in the dry run."""
        self.alice_has_it_all()
        self.push("ws1")
        before = self.homes()
        self.import_text("user", USERS.replace("alice@acme.example,staff", "alice@acme.example,guests"))
        saved = pathlib.Path(self.tmp) / "removal.plan"
        lines = self.must(DIFF, "plan", "--host", "ws1", "--out", saved).stdout.splitlines()
        self.assertIn("1 account would be taken away", lines[1])
        self.assertIn("1 account stays, though no longer in the policy: its former values are cleartext, and are not put back "
                      "(alice@ws1, msmtp work)", lines)
        self.assertRegex(lines[2], "thunderbird: the account work is taken away")
        self.assertEqual(self.homes(), before)
        self.assertIn("--allow-remove 1", self.must(NOPERM, "push", saved).stderr)
        self.assertEqual(self.homes(), before)
        self.must(OK, "push", saved, "--allow-remove", "1")
        self.assertNotIn("imap.acme.example", self.read(1, PREFS))
        self.assertNotIn("mail.old.example", self.read(1, ".msmtprc"), "cleartext does not come back")

    def test_terraform_39172(self):
        """terraform-39172: what only reads can be made to write."""
        self.alice_has_it_all()
        before = self.homes()
        for args in (["plan", "--all"], ["plan", "--host", "ws1", "--json"], ["drift"], ["status"], ["report"], ["explain", "alice"],
                     ["who", "incoming.host=*"], ["verify", "--host", "ws1"], ["audit", "log"]):
            self.admin.run(*args)
        self.assertEqual(self.homes(), before)

    def test_terraform_28803(self):
        """terraform-28803: the same drift is told again and again, and again after it was mended."""
        self.alice_has_it_all()
        self.home(2, {".muttrc": story.BOB_MUTTRC, ".mutt/colors": "color normal default default\n"})
        self.push("ws1", "ws2")
        settled = self.configs()
        for _ in range(2):
            self.assertIn("Nothing would change.", self.must(OK, "plan", "--host", "ws1", "--host", "ws2").stdout)
            self.push("ws1", "ws2")
            self.assertEqual(self.configs(), settled)

    def test_inspec_5260(self):
        """inspec-5260: a waiver has expired, and nobody sees it."""
        self.alice_has_it_all()
        self.push("ws1")
        path = self.fleet["ws1"].root / "home/alice/.msmtprc"
        path.write_text(path.read_text().replace("port 465", "port 2465"))
        here = ["--host", "ws1", "--user", "alice"]
        self.admin.run("status", "--refresh", *here)
        self.must(DIFF, "drift", *here)
        scope = ["--user", "alice", "--client", "msmtp", "--check", "outgoing.port", "--owner", "Dana", "--reason", "the scanner"]
        number = self.must(OK, "waiver", "add", *scope, "--until", self.utc(86400)).stdout.split()[1]
        self.assertIn("drifted (waived)", self.must(OK, "drift", *here).stdout)
        self.must(OK, "waiver", "remove", number)
        self.must(DIFF, "drift", *here)
        self.must(OK, "waiver", "add", *scope, "--until", self.utc(2))
        for _ in range(100):
            if "expired" in self.must(OK, "waiver", "list").stdout:
                break
            time.sleep(0.1)
        said = self.must(DIFF, "drift", *here).stdout
        self.assertRegex(said, r"waiver \d+ of Dana EXPIRED on [0-9TZ:-]+: the scanner")
        self.assertNotIn("(waived)", said)
        for form, words in (("text", "EXPIRED"), ("html", ">waiver expired<"), ("csv", "EXPIRED")):
            self.assertIn(words, self.must(OK, "report", "--format", form, *here).stdout)
        got = json.loads(self.must(OK, "report", "--format", "json", "--all", *here).stdout)
        rows = [f for f in got["findings"] if f["setting"] == "outgoing.port" and f["client"] == "msmtp"]
        self.assertEqual([(f["result"], f["waiver"]["expired"]) for f in rows], [("fail", True)])

    def test_a_password_in_clear_is_told_and_stays_where_it_is(self):
        """Evidence of a weakness that holds the secret itself."""
        secret = "hunter2-Gr8"
        here = ["--host", "ws1", "--user", "alice"]
        self.home(1, {".msmtprc": "account office\nhost smtp.acme.example\nfrom alice@acme.example\nuser alice\ntls on\n"
                                  f"tls_starttls off\nport 465\ntls_certcheck off\nauth on\npassword {secret}\n"})
        (self.fleet["ws1"].root / "home/alice/.msmtprc").chmod(0o644)
        self.admin.run("status", "--refresh", *here)
        before = json.loads(self.admin.run("report", "--format", "json", "--all", *here).stdout)

        def results(check):
            """Of msmtp: what was found, and how it was judged."""
            got = json.loads(self.admin.run("report", "--format", "json", "--all", "--check", check, *here).stdout)
            return [r for r in got["results"] if r["client"] == "msmtp"]

        for check, found in (("password-in-clear", "in clear"), ("certificate-verified", "no"), ("file-mode", "0644")):
            rows = results(check)
            self.assertEqual([(r["found"], r["outcome"]) for r in rows if r["outcome"] != "compliant"], [(found, "failed")], rows)
        self.assertEqual([f for f in before["findings"] if f["setting"].startswith(("client.", "file."))], [])
        self.assertNotIn("client.password", self.admin.run("drift", *here).stdout)
        self.assertEqual([r["outcome"] for r in results("certificate-exception")], ["compliant"])

        scope = ["--user", "alice", "--client", "msmtp", "--check", "password-in-clear", "--owner", "Dana", "--reason", "moves in May"]
        number = self.must(OK, "waiver", "add", *scope, "--until", self.utc(86400)).stdout.split()[1]
        self.assertEqual([(r["outcome"], r["waiver"]["expired"]) for r in results("password-in-clear")], [("waived", False)])
        for form in ("text", "html", "csv", "json"):
            said = self.admin.run("report", "--format", form, *here).stdout
            self.assertIn("moves in May", said, form)
        self.must(OK, "waiver", "remove", number)
        number = self.must(OK, "waiver", "add", *scope, "--until", self.utc(2)).stdout.split()[1]
        self.addCleanup(self.admin.run, "waiver", "remove", number)
        for _ in range(100):
            if "expired" in self.must(OK, "waiver", "list").stdout:
                break
            time.sleep(0.1)
        self.assertEqual([(r["outcome"], r["waiver"]["expired"]) for r in results("password-in-clear")], [("failed", True)])
        for form in ("text", "html", "csv"):
            said = self.admin.run("report", "--format", form, "--check", "password-in-clear", *here).stdout
            self.assertRegex(said, r"(?i)waiver[^\n]{0,99}EXPIRED", form)

        everywhere = [p for p in pathlib.Path(self.tmp).glob("controller/**/*") if p.is_file()]
        everywhere += [p for p in (self.fleet["ws1"].root / "var/lib").rglob("*") if p.is_file()]
        everywhere += [p for p in (self.fleet["ws1"].root / "home/alice/.local").rglob("*") if p.is_file()]
        self.assertTrue(any(p.name.endswith(".db") or "store" in p.name for p in everywhere), everywhere)
        for p in everywhere:
            self.assertNotIn(secret.encode(), p.read_bytes(), p)
        for form in ("text", "html", "csv", "json"):
            self.assertNotIn(secret, self.admin.run("report", "--format", form, *here).stdout)

    @staticmethod
    def utc(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    # -- hosts that are not well

    def test_salt_43449(self):
        """salt-43449: a host that is down is shown with the result of another one."""
        self.home(2, {".muttrc": story.BOB_MUTTRC, ".mutt/colors": "\n"})
        self.home(3, {".msmtprc": "# carol\n"})
        self.fleet["ws3"].stop()
        r = self.push("ws2", "ws3", status=UNREACHABLE)
        got = {h["host"]: h for h in r["hosts"]}
        self.assertEqual((got["ws2"]["outcome"], got["ws3"]["outcome"]), ("ok", "connect-refused"))
        self.assertEqual((got["ws3"]["actions"], got["ws3"]["logins"]), ({}, {}))
        seen = json.loads(self.admin.run("report", "--format", "json", "--all", "--host", "ws3").stdout)
        self.assertEqual([f for f in seen["findings"] if "muttrc" in f["path"]], [])

    def test_salt_34729(self):
        """salt-34729: an unknown host key is asked about, and everything waits for an answer."""
        self.home(2, {".muttrc": "# bob\n"})
        self.must(OK, "host", "add", "ws3b", "--address", "ws3", "--account", "root", "--user", "carol")
        self.addCleanup(self.admin.run, "host", "remove", "ws3b")
        began = time.monotonic()
        r = self.push("ws2", "ws3b", status=HOSTS_FAILED)
        self.assertLess(time.monotonic() - began, 60)
        got = {h["host"]: h for h in r["hosts"]}
        self.assertEqual((got["ws2"]["outcome"], got["ws3b"]["outcome"]), ("ok", "host-key-unknown"))
        self.assertIn("SHA256:", got["ws3b"]["host_key"])

    def test_fleet_24851(self):
        """fleet-24851: what was queued for a machine that was off runs when it comes back, however old."""
        self.home(3, {".msmtprc": "# carol\n"})
        self.fleet["ws3"].stop()
        self.import_policy(outgoing={"port": 587, "security": "starttls"}.items())
        self.push("ws3", status=UNREACHABLE)
        self.import_policy()
        self.push("ws3", status=UNREACHABLE)
        self.fleet["ws3"].start()
        r = json.loads(self.must(OK, "push", "--pending", "--json").stdout)
        self.assertEqual([h["host"] for h in r["hosts"]], ["ws3"])
        self.assertIn("port 465", self.read(3, ".msmtprc"))
        self.assertNotIn("587", self.read(3, ".msmtprc"))
        self.assertEqual(json.loads(self.must(OK, "push", "--pending", "--json").stdout)["hosts"], [])

    # -- several accounts

    def test_home_manager_6800(self):
        """home-manager-6800: all accounts but the first vanish."""
        self.alice_has_it_all()
        self.import_policy("work, team")
        r = self.push("ws1")
        self.assertEqual(r["hosts"][0]["logins"], {"passed": 4})
        prefs, msmtp = self.read(1, PREFS), self.read(1, ".msmtprc")
        for text in ('"alice@acme.example"', '"team@acme.example"', '"imap.home.example"'):
            self.assertIn(text, prefs)
        self.assertEqual(len(re.search(r'"mail.accountmanager.accounts", "([^"]*)"', prefs)[1].split(",")), 4)
        self.assertEqual(set(re.findall(r"^from (.*)$", msmtp, re.M)),
                         {"carol@home.example", "alice@acme.example", "team@acme.example"})

    def test_home_manager_6599(self):
        """home-manager-6599: an account that was taken out of the settings stays."""
        self.alice_has_it_all()
        self.import_policy("work, team")
        self.push("ws1")
        self.import_policy("work")
        self.push("ws1")
        self.assertNotIn("team@acme.example", self.read(1, PREFS) + self.read(1, ".msmtprc"))
        self.assertIn("alice@acme.example", self.read(1, PREFS))
        self.must(OK, "plan", "--host", "ws1")

    def test_home_manager_3448(self):
        """home-manager-3448: two accounts on one host share one folder."""
        self.alice_has_it_all()
        self.import_policy("work, team")
        self.push("ws1")
        prefs = self.read(1, PREFS)
        servers = re.findall(r'"mail\.server\.([^.]+)\.hostname", "imap\.acme\.example"', prefs)
        self.assertEqual((len(servers), len(set(servers))), (2, 2))
        folders = re.findall(r'"mail\.server\.[^.]+\.directory(?:-rel)?", "([^"]+)"', prefs)
        self.assertEqual(len(folders), len(set(folders)))

    def test_home_manager_4124(self):
        """home-manager-4124, home-manager-3774: IMAP and SMTP cannot have users and passwords of their own."""
        self.home(1, {".msmtprc": "# alice\n", PREFS: story.ALICE_PREFS, ".thunderbird/profiles.ini": story.PROFILES_INI})
        self.import_policy(outgoing={"username": "alice-smtp",
                                     "password_command": ["/usr/local/bin/mail-secret", "%{login}-smtp"]}.items())
        r = self.push("ws1")
        self.assertEqual(r["hosts"][0]["logins"], {"passed": 2})
        self.assertTrue(self.fleet.mail.logins(user="alice-smtp"))
        prefs = self.read(1, PREFS)
        self.assertRegex(prefs, r'mail\.smtpserver\.[^.]+\.username", "alice-smtp"')
        self.assertRegex(prefs, r'mail\.server\.[^.]+\.userName", "alice@acme.example"')
        self.assertIn("user alice-smtp", self.read(1, ".msmtprc"))

    def test_home_manager_8629(self):
        """home-manager-8629: the way of logging in reaches only a part of the configuration."""
        self.home(1, {".msmtprc": "# alice\n", PREFS: story.ALICE_PREFS, ".thunderbird/profiles.ini": story.PROFILES_INI})
        self.import_policy(check="reach", incoming={"auth": "cram-md5"}.items(), outgoing={"auth": "cram-md5"}.items())
        self.push("ws1")
        prefs = self.read(1, PREFS)
        mine = re.search(r'"mail\.server\.([^.]+)\.hostname", "imap\.acme\.example"', prefs)[1]
        smtp = re.search(r'"mail\.smtpserver\.([^.]+)\.hostname", "smtp\.acme\.example"', prefs)[1]
        self.assertIn(f'user_pref("mail.server.{mine}.authMethod", 4);', prefs)
        self.assertIn(f'user_pref("mail.smtpserver.{smtp}.authMethod", 4);', prefs)
        self.assertIn("auth cram-md5", self.read(1, ".msmtprc"))

    # -- files that are not ours alone

    def test_mutt_wizard_558(self):
        """mutt-wizard-558: running it again makes duplicates."""
        self.alice_has_it_all()
        self.home(2, {".muttrc": story.BOB_MUTTRC, ".mutt/colors": "\n"})
        self.push("ws1", "ws2")
        once = [self.read(1, PREFS), self.read(1, ".msmtprc"), self.read(2, ".muttrc")]
        self.import_policy()
        self.push("ws1", "ws2")
        self.assertEqual([self.read(1, PREFS), self.read(1, ".msmtprc"), self.read(2, ".muttrc")], once)

    def test_mutt_wizard_643(self):
        """mutt-wizard-643: a second account spoils the file."""
        self.alice_has_it_all()
        self.push("ws1")
        self.import_policy("work, team")
        self.push("ws1")
        for account, host in (("private", "smtp.home.example"), ("team", "smtp.acme.example"), ("default", "smtp.home.example")):
            r = self.fleet["ws1"].run("msmtp", "--pretend", "-a", account, "x@acme.example", user="alice", input="\n")
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertRegex(r.stdout, rf"host += {re.escape(host)}")

    def test_augeas_643(self):
        """augeas-643: one line that is not understood makes the whole file unusable."""
        strange = 'frobnicate "now\nset ?\n[what is this]\n'
        self.home(2, {".muttrc": story.BOB_MUTTRC + strange, ".mutt/colors": "\n"})
        self.home(1, {PREFS: story.ALICE_PREFS + "user_pref(broken\nwhat(is, this);\n",
                      ".thunderbird/profiles.ini": story.PROFILES_INI})
        self.admin.run("push", "--host", "ws1", "--host", "ws2")
        self.assertIn(strange, self.read(2, ".muttrc"))
        self.assertIn("imap.acme.example", self.read(2, ".muttrc") + "".join(
            t.decode(errors="replace") for p, t in self.homes()["ws2"].items() if "mailmuster" in p))
        self.assertIn("what(is, this);\n", self.read(1, PREFS))


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
