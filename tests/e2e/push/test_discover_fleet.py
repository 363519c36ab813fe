"""discover on real workstations that nobody has managed yet: mutt, msmtp and Thunderbird as people set them up by
hand -> a policy that check accepts -> a plan that leaves the majority as it is and brings the outliers to it."""

import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "lib")]
import fleet as fleets  # noqa: E402
import story  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import BIN, DIFF, OK, Admin  # noqa: E402

ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import schemas  # noqa: E402

UNREACHABLE, USAGE = 8, 64
NAMES = {"alice": "Alice Adams", "bob": "Bob Brown", "carol": "Carol Clark", "dave": "Dave Davis", "erin": "Erin Evans",
         "frank": "Frank Frost"}
USERS = "login,name,address,groups\n" + "".join(
    f"{u},{n},{u}@acme.example,{'staff;sales' if u in ('erin', 'frank') else 'staff'}\n" for u, n in NAMES.items())
HOSTS = "host,address,port,account,tags,users\nws1,ws1,22,root,,alice;bob\nws2,ws2,22,root,,carol;dave\nws3,ws3,22,root,,*\n"


def muttrc(login, host="imap.acme.example", scheme="imaps", port=993, sales=False):
    name = f"{login}%40acme.example@smtp.acme.example"
    smtp = f"smtp://{name}:587/" if sales else f"smtps://{name}:465/"
    return (f'# mine\nset folder="{scheme}://{login}%40acme.example@{host}:{port}/"\nset spoolfile="+INBOX"\n'
            f'set from="{login}@acme.example"\nset realname="{NAMES[login]}"\nset imap_user="{login}@acme.example"\n'
            f'set smtp_url="{smtp}"\n')


def msmtprc(login, port=465, starttls="off", command="/usr/local/bin/mail-secret"):
    return (f"# mine\naccount work\nhost smtp.acme.example\nport {port}\ntls on\ntls_starttls {starttls}\nauth on\n"
            f"user {login}@acme.example\nfrom {login}@acme.example\npasswordeval {command} {login}\naccount default : work\n")


def thunderbird(login):
    """The organisation's account, and one of the person's own."""
    prefs = {"mail.accountmanager.accounts": "account1,account2", "mail.smtpservers": "smtp1,smtp2"}
    for n, (host, smtp, user, mail, name) in enumerate(
            [("imap.acme.example", "smtp.acme.example", f"{login}@acme.example", f"{login}@acme.example", NAMES[login]),
             ("imap.home.example", "smtp.home.example", f"{login}.private", f"{login}.private@home.example", "Sweetheart")], 1):
        prefs |= {f"mail.account.account{n}.server": f"server{n}", f"mail.account.account{n}.identities": f"id{n}",
                  f"mail.identity.id{n}.fullName": name, f"mail.identity.id{n}.useremail": mail,
                  f"mail.identity.id{n}.smtpServer": f"smtp{n}", f"mail.server.server{n}.hostname": host,
                  f"mail.server.server{n}.port": 993, f"mail.server.server{n}.socketType": 3,
                  f"mail.server.server{n}.type": "imap", f"mail.server.server{n}.userName": user,
                  f"mail.smtpserver.smtp{n}.hostname": smtp, f"mail.smtpserver.smtp{n}.port": 465,
                  f"mail.smtpserver.smtp{n}.try_ssl": 3, f"mail.smtpserver.smtp{n}.authMethod": 3,
                  f"mail.smtpserver.smtp{n}.username": user}
    text = "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in prefs.items())
    return {".thunderbird/profiles.ini": story.PROFILES_INI, ".thunderbird/abcd1234.default-default/prefs.js": text}


HOMES = {
    "ws1": {"alice": thunderbird("alice"), "bob": {".muttrc": muttrc("bob"), ".msmtprc": msmtprc("bob")}},
    # Carol has the old server still, and a password command that is nobody's business
    "ws2": {"carol": {".muttrc": muttrc("carol", "mail.old.example", "imap", 143),
                      ".msmtprc": msmtprc("carol", command="/home/carol/bin/hunter2")},
            "dave": {".muttrc": muttrc("dave"), ".msmtprc": msmtprc("dave")}},
    "ws3": {u: {".muttrc": muttrc(u, sales=True), ".msmtprc": msmtprc(u, 587, "on")} for u in ("erin", "frank")},
}


class Discover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.mkdtemp(prefix="mm-discover-")
        os.chmod(cls.tmp, 0o755)
        cls.fleet = fleets.Fleet(pathlib.Path(cls.tmp) / "f", story.PASSWORDS).prepare(3)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.addClassCleanup(cls.fleet.stop)
        number = 2000
        for name, people in HOMES.items():
            ws = cls.fleet[name]
            ws.write("/usr/local/bin/mail-secret", story.SECRET_TOOL, 0, 0o755)
            for login, files in people.items():
                number += 1
                ws.add_user(login, number, files)
            ws.install_binaries(BIN)
        cls.fleet.start()
        cls.admin = Admin(cls.tmp)
        for name, text in (("people.csv", USERS), ("hosts.csv", HOSTS)):
            (pathlib.Path(cls.tmp) / name).write_text(text)
        for args in (["init"], ["user", "import", f"{cls.tmp}/people.csv"], ["host", "import", f"{cls.tmp}/hosts.csv"]):
            cls.must(OK, *args)
        for ws in cls.fleet.workstations.values():
            cls.must(OK, "host", "enroll", ws.name, "--fingerprint", test_fleet.FleetTest.fingerprint(ws), "--identity",
                     cls.fleet.dir / "admin_key", "--allow-domain", "acme.example", "--allow-program",
                     "/usr/local/bin/mail-secret")
        cls.validator = schemas.load(ROOT / "schemas/json")["discover"]

    @classmethod
    def must(cls, status, *args):
        r = cls.admin.run(*args)
        if r.returncode != status:
            raise AssertionError(f"mailmuster {args}: status {r.returncode}, wanted {status}\n{r.stdout}\n{r.stderr}")
        return r

    def discover(self, status, *args):
        r = json.loads(self.must(status, "discover", *args, "--json").stdout)
        self.validator.validate(r)
        return r["discovered"], r

    def traces(self):
        return {f"{n}:{p}": hashlib.sha256(p.read_bytes()).hexdigest() for n, ws in self.fleet.workstations.items()
                for top in ("home", "var/lib/mailmuster-agent") for p in sorted((ws.root / top).rglob("*"))
                if p.is_file() and not p.is_symlink() and p.name not in ("held.json", "run.lock", "inventory.json", "checkpoints")}

    def test_1_where_there_is_no_policy(self):
        traces = self.traces()
        self.assertIn("--domain", self.must(USAGE, "discover", "--all").stderr)
        self.must(USAGE, "discover", "--domain", "acme.example")
        d, r = self.discover(OK, "--all", "--domain", "acme.example", "--out", f"{self.tmp}/proposed.conf")
        ends = {(e["protocol"], e["host"], e["port"], e["security"]): (e["accounts"], e.get("proposed_as")) for e in d["endpoints"]}
        self.assertEqual(ends, {
            ("imap", "imap.acme.example", 993, "tls"): (9, "imap_main"), ("smtp", "smtp.acme.example", 465, "tls"): (10, "submission"),
            ("smtp", "smtp.acme.example", 587, "starttls"): (6, "sales"), ("imap", "mail.old.example", 143, "starttls"): (2, None)})
        names = {e["username"] for e in d["endpoints"]}
        self.assertEqual(names, {"%{address}"})
        self.assertEqual({c["client"]: c["accounts"] for c in d["clients"] if c["accounts"]}, {"msmtp": 5, "mutt": 5, "neomutt": 5, "thunderbird": 1})  # both read ~/.muttrc
        who = {o["differs"]: [(p["host"], p["user"], p["client"]) for p in o["places"]] for o in d["outliers"]}
        self.assertEqual([w for text, w in who.items() if "mail.old.example" in text], [[("ws2", "carol", "mutt"), ("ws2", "carol", "neomutt")]], who)
        # Private accounts: the domains, and nothing else.
        self.assertEqual([(o["domain"], o["incoming"], o["outgoing"], o["accounts"]) for o in d["others"]],
                         [("home.example", "imap.home.example", "smtp.home.example", 1)])
        text = self.must(OK, "discover", "--all", "--domain", "acme.example").stdout
        for secret in ("alice.private", "Sweetheart", "hunter2", *story.PASSWORDS.values()):
            self.assertNotIn(secret, json.dumps(r) + text)
        self.assertRegex(text, r"imap imap\.acme\.example:993 tls +9 +%\{address\} +imap_main")
        self.assertRegex(text, r"incoming\.host mail\.old\.example instead of imap\.acme\.example.*: carol@ws2 mutt")
        self.assertEqual(self.traces(), traces, "nothing is written there")

    def test_2_the_proposal_is_a_policy_and_its_plan_is_small(self):
        path = f"{self.tmp}/proposed.conf"
        self.discover(OK, "--all", "--domain", "acme.example", "--out", path)
        policy = pathlib.Path(path).read_text()
        self.assertIn('password_command = [ "/usr/local/bin/mail-secret", "%{login}" ]', policy)
        self.assertIn('replaces = [ "mail.old.example" ]', policy)
        self.must(OK, "policy", "check", path)
        self.must(OK, "policy", "import", path)
        r = json.loads(self.must(DIFF, "plan", "--all", "--json").stdout)
        changes = {}
        for c in r["changes"]:
            for p in c["places"]:
                changes.setdefault(p["user"], []).append((c["client"], c["setting"], p.get("found"), p.get("desired")))
        self.assertIn(("mutt", "incoming.host", "mail.old.example", "imap.acme.example"), changes["carol"])
        for user in ("alice", "bob", "dave", "erin", "frank"):
            self.assertEqual([c for c in changes.get(user, []) if c[1].split(".")[1] in ("host", "port", "security", "username", "protocol")],
                             [], user)
        self.assertFalse(any(c["removes"] for c in r["changes"]))
        # With a policy, it says what is known.
        self.assertIn("policy", self.must(USAGE, "discover", "--all", "--domain", "home.example").stderr)
        d, _ = self.discover(OK, "--all")
        self.assertEqual(len(d["others"]), 1)
        # "all": as far as the hosts' own limits let it, which is not to home.example
        text = policy.replace("rules = {", 'rules = { discover = "all";')
        pathlib.Path(path).write_text(text)
        self.must(OK, "policy", "import", path)
        self.assertEqual([o["domain"] for o in self.discover(OK, "--all")[0]["others"]], ["home.example"])
        conf = self.fleet["ws1"].root / "etc/mailmuster/agent.conf"
        before = conf.read_text()
        conf.write_text(before.replace('"acme.example"', '"acme.example", "home.example"'))
        d, _ = self.discover(OK, "--all")
        conf.write_text(before)
        self.assertEqual(d["others"], [])
        self.assertIn("imap.home.example", {e["host"] for e in d["endpoints"]})
        # The narrower policy again.
        pathlib.Path(path).write_text(policy)
        self.must(OK, "policy", "import", path)
        self.assertEqual(len(self.discover(OK, "--user", "alice")[0]["others"]), 1)
        self.assertEqual(self.discover(OK, "--user", "erin")[0]["accounts"], 3)  # msmtp, and ~/.muttrc by two programs

    def test_3_hosts_that_do_not_answer(self):
        self.fleet["ws3"].stop()
        try:
            _, r = self.discover(UNREACHABLE, "--all")
        finally:
            self.fleet["ws3"].start()
        self.assertEqual({h["host"]: h["outcome"] == "ok" for h in r["hosts"]}, {"ws1": True, "ws2": True, "ws3": False})
        self.assertIn('"discover"', self.must(OK, "audit", "log", "--json").stdout)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2)
