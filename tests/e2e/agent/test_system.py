"""scope = "system": root's part of a request, in an /etc of the test's own."""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from etclib import private_etc  # noqa: E402

USERS = {"mm-alice": 23431, "mm-bob": 23432}
LOGIN_FRAME = LOGIN  # before the name is taken for the text that stands for a login
LOGIN = "mm--login--"
FILE = pathlib.Path("/etc/msmtprc")


def shared(clients=("msmtp",), mode="enforce", accounts=None, differs=(), revision=1, create="existing", **changes):
    """The system's sheet."""
    changes = {"account__real_name": None, "outgoing__username": LOGIN, **changes}
    acc = account(f"{LOGIN}@acme.example", **changes)
    if differs:
        acc["differs"] = list(differs)
    return {"proto": [1, 1], "user": "*", "revision": revision, "create": create, "allow_cleartext": False,
            "tls_min": "1.2", "check": "reach", "accounts": [acc] if accounts is None else accounts,
            "clients": [{"client": c, "mode": mode, "settings": [], "scope": "system"} for c in clients]}


def personal(user, clients=("msmtp",), revision=1, **changes):
    """The sheet of somebody who gets these clients from the system's files."""
    doc = json.loads(sheet(user, [account(f"{user}@acme.example", outgoing__username=user, **changes)], {}, revision))
    doc["proto"] = [1, 1]
    doc["clients"] = [{"client": c, "mode": "audit", "settings": [], "scope": "system"} for c in clients]
    doc["accounts"][0]["settings"].append(["system.clients", " ".join(clients)])
    return json.dumps(doc, separators=(",", ":")).encode()


@unittest.skipUnless(is_root(), "needs root")
class System(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = scratch()
        cls.etc = private_etc(cls.base, {u: (uid, cls.base / "home" / u) for u, uid in USERS.items()})

    @classmethod
    def tearDownClass(cls):
        umount("/etc")
        remove(cls.base)

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        homes = self.base / "home"
        remove(homes)
        homes.mkdir()
        homes.chmod(0o755)
        for user, uid in USERS.items():
            (homes / user).mkdir(mode=0o700)
            os.chown(homes / user, uid, uid)
        FILE.unlink(missing_ok=True)
        self.host = Host(self.dir, programs=["/usr/bin/pass"], probe=str(ROOT / "tests/lib/fakeprobe.py"))

    def put(self, user, name, text):
        path = self.base / "home" / user / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, USERS[user], USERS[user])
        return path

    def apply(self, system, *users, op="apply", revision=1):
        sheets = [personal(u, revision=revision) for u in users]
        more = {"proto": [1, 1], "system": system} if system is not None else {}
        return self.host.ask(op, sheets, revision=revision, **more)

    def of(self, answer, user):
        return [f for f in answer.findings if f["user"] == user]

    def test_written_for_everybody(self):
        a = self.apply(shared(), "mm-alice", "mm-bob")
        self.assertEqual(a.status, OK, a.findings)
        text = FILE.read_text()
        self.assertIn("from %U@acme.example", text)
        self.assertIn('eval echo user "$USER"', text)
        self.assertNotIn(LOGIN, text)
        self.assertEqual(FILE.stat().st_mode & 0o7777, 0o644)
        self.assertEqual(FILE.stat().st_uid, 0)
        self.assertEqual({f["action"] for f in self.of(a, "*") if f["setting"]}, {"created"})
        for user in USERS:
            found = a.finding("outgoing.username", user=user, client="msmtp")
            self.assertEqual((found["state"], found["found"], found["path"]), ("compliant", user, str(FILE)))
            self.assertEqual(list((self.base / "home" / user).glob(".m*")), [])
        again = self.apply(shared(), "mm-alice", "mm-bob")
        self.assertEqual(again.status, OK)
        self.assertEqual({f["action"] for f in self.of(again, "*")}, {"none"})
        self.assertEqual(FILE.read_text(), text)

    def test_shown_to_each_user(self):
        """The file for everybody, as this user gets it, and not where his own wins."""
        FILE.write_text("account work\nhost smtp.acme.example\nfrom %U@acme.example\n\naccount other\nhost o.example\n")
        FILE.chmod(0o644)
        user, uid = next(iter(USERS.items()))
        self.host.uid, self.host.home = uid, self.base / "home" / user
        for _ in range(2):
            p = self.host.run("clients", "msmtp", "--json")
            self.assertEqual(p.returncode, OK, p.stderr)
            (row,) = json.loads(p.stdout)
            config = row["configs"][-1]
            self.assertEqual([config["path"], config["use"]], [str(FILE), "for everybody"])
            seen = {a["account"]: {s["setting"]: (s["value"], s.get("path"), s.get("line")) for s in a["settings"]}
                    for a in config["accounts"]}
            self.assertEqual(seen["other"]["outgoing.host"], ("o.example", str(FILE), 6))
            if len(row["configs"]) == 1:
                self.assertEqual(seen["work"]["account.address"], (f"{user}@acme.example", str(FILE), 3))
                self.put(user, ".msmtprc", "account work\nhost smtp.mine.example\n")
            else:
                self.assertEqual(seen["work"], {})
        self.assertEqual(len(row["configs"]), 2)
        self.assertRegex(self.host.run("clients", "msmtp").stdout.decode(), rf"(?m)^msmtp +\S+ +for everybody +{FILE} +work, other")

    def test_only_said_by_a_plan(self):
        a = self.apply(shared(), "mm-alice", op="plan")
        self.assertEqual(a.status, DIFF)
        self.assertEqual({f["action"] for f in self.of(a, "*") if f["setting"]}, {"would-change"})
        self.assertFalse(FILE.exists())

    def test_audit_looks_only(self):
        a = self.apply(shared(mode="audit"), "mm-alice")
        self.assertEqual(a.status, DIFF)
        self.assertFalse(FILE.exists())

    def test_drift_is_found_and_corrected(self):
        self.apply(shared())
        good = FILE.read_text()
        FILE.write_text(good.replace("port 465", "port 2525") + "# a line of the admin's\n")
        a = self.apply(shared())
        found = a.finding("outgoing.port", user="*")
        self.assertEqual((found["state"], found["action"], found["found"]), ("drifted", "corrected", "2525"))
        self.assertEqual(FILE.read_text(), good + "# a line of the admin's\n")

    def test_drift_is_found_by_hand(self):
        self.apply(shared(), "mm-alice")
        FILE.write_text(FILE.read_text().replace("port 465", "port 2525"))
        p = self.host.run("check", "--json")
        found = {f["user"]: f for f in json.loads(p.stdout)["findings"] if f.get("setting") == "outgoing.port"}
        self.assertEqual(p.returncode, DIFF)
        self.assertEqual((found["*"]["state"], found["*"]["found"]), ("drifted", "2525"))
        self.assertEqual(found["mm-alice"]["found"], "2525")
        self.assertEqual(self.host.run("apply", "--no-login").returncode, OK)
        self.assertIn("port 465", FILE.read_text())

    def test_taken_back_when_nothing_is_asked_for(self):
        before = "# of the host\naccount old\nhost mail.old.example\nfrom x@old.example\n"
        FILE.write_text(before)
        FILE.chmod(0o644)
        self.apply(shared(), "mm-alice")
        self.assertIn("account work", FILE.read_text())
        self.assertTrue((self.host.state / "sheets/+system").exists())
        a = self.apply(None, "mm-alice", revision=2)
        self.assertEqual({f["action"] for f in self.of(a, "*") if f.get("account") == "work"}, {"removed"})
        self.assertEqual(FILE.read_text(), before)
        # one report more, with nothing in it: what was told of the system before is over
        a = self.apply(None, "mm-alice", revision=3)
        self.assertEqual((self.of(a, "*"), [r["users"] for r in a.of(REPORT)]), ([], [["*"], ["mm-alice"]]))
        self.assertFalse((self.host.state / "sheets/+system").exists())
        a = self.apply(None, "mm-alice", revision=3)
        self.assertEqual([r["users"] for r in a.of(REPORT)], [["mm-alice"]])

    def test_an_account_of_the_host_is_adopted_and_given_back(self):
        before = f"account work\nhost mail.old.example\nfrom %U@acme.example\nport 25\ntls off\n"
        FILE.write_text(before)
        FILE.chmod(0o644)
        accounts = [account(f"{LOGIN}@acme.example", account__real_name=None, outgoing__username=LOGIN,
                            replaces=["mail.old.example"])]
        a = self.apply(shared(accounts=accounts))
        self.assertEqual(a.finding("outgoing.host", user="*")["action"], "adopted", a.findings)
        self.assertIn("host smtp.acme.example", FILE.read_text())
        self.apply(None, revision=2)
        self.assertIn("host smtp.acme.example", FILE.read_text(), "what was cleartext does not come back")

    def test_one_account_of_several_goes(self):
        two = [account(f"{LOGIN}@acme.example", account__real_name=None, outgoing__username=LOGIN),
               account(f"{LOGIN}@lab.acme.example", "lab", account__real_name=None, outgoing__username=LOGIN,
                       outgoing__host="smtp.lab.acme.example")]
        self.apply(shared(accounts=two))
        self.assertIn("account lab", FILE.read_text())
        self.apply(shared(accounts=two[:1], revision=2), revision=2)
        self.assertNotIn("lab", FILE.read_text())

    def test_what_differs_is_not_written(self):
        a = self.apply(shared(differs=["outgoing.username"], outgoing__username=None))
        found = a.finding("outgoing.username", user="*")
        self.assertEqual(found["state"], "unsupported")
        self.assertIn("differs between the users", found["reason"])
        self.assertEqual(a.finding("outgoing.host", user="*")["state"], "unsupported")
        self.assertFalse(FILE.exists())

    def test_limits_hold_for_the_system_too(self):
        for changes in ({"outgoing__host": "smtp.evil.example"},
                        {"outgoing__password_command": '["/bin/sh","-c","x"]'}):
            a = self.apply(shared(**changes))
            self.assertEqual((a.status, a.refused), (NOPERM, "limits"), changes)
        self.host.write_conf(clients=["mutt"])
        self.assertEqual(self.apply(shared()).refused, "limits")
        self.assertFalse(FILE.exists())

    def test_a_password_command_is_everybodys_own(self):
        command = f'["/usr/bin/pass","show","smtp/{LOGIN}","it\'s {LOGIN}"]'
        a = self.apply(shared(outgoing__password_command=command), "mm-alice")
        self.assertEqual(a.status, OK, a.findings)
        self.assertIn("""passwordeval /usr/bin/pass show smtp/"$USER" 'it'\\''s '"$USER"''\n""", FILE.read_text())

    def test_the_users_own_file_wins_and_is_told(self):
        self.put("mm-alice", ".msmtprc", "# mine\naccount default\nhost smtp.private.example\nport 465\n"
                 "tls on\ntls_starttls off\nauth on\nuser mm-alice\nfrom mm-alice@acme.example\n")
        a = self.apply(shared(), "mm-alice", "mm-bob")
        found = a.finding("outgoing.host", user="mm-alice")
        self.assertEqual((found["state"], found["found"], found["line"]), ("overridden", "smtp.private.example", 3))
        self.assertEqual(found["override_path"], str(self.base / "home/mm-alice/.msmtprc"))
        self.assertEqual(a.finding("outgoing.username", user="mm-alice")["state"], "compliant")
        self.assertEqual(a.finding("outgoing.host", user="mm-bob")["state"], "compliant")
        self.assertEqual(a.status, DIFF)

    def test_what_was_written_into_a_home_goes(self):
        path = self.put("mm-alice", ".msmtprc", "# mine\n")
        own = sheet("mm-alice", [account("mm-alice@acme.example", outgoing__username="mm-alice")])
        self.assertEqual(self.host.apply(own).status, OK)
        self.assertIn("account work", path.read_text())
        a = self.apply(shared(revision=2), "mm-alice", revision=2)
        self.assertEqual(path.read_text(), "# mine\n")
        self.assertEqual(a.finding("outgoing.host", user="mm-alice")["state"], "compliant")

    def test_create_never(self):
        a = self.apply(shared(create="never"))
        self.assertFalse(FILE.exists(), a.findings)

    def test_a_hostile_owner(self):
        FILE.write_text("# x\n")
        os.chown(FILE, USERS["mm-alice"], 0)
        a = self.apply(shared())
        self.assertEqual({f["state"] for f in self.of(a, "*")}, {"deferred"}, a.findings)
        self.assertEqual(FILE.read_text(), "# x\n")
        os.chown(FILE, 0, 0)
        FILE.chmod(0o666)
        found = [f for f in self.of(self.apply(shared()), "*") if f["setting"]]
        self.assertEqual({f["state"] for f in found}, {"deferred"}, found)
        self.assertIn("by others than root", found[0]["reason"])
        self.assertEqual(FILE.read_text(), "# x\n")

    def test_a_link_that_leads_away(self):
        target = self.base / "home/mm-alice/target"
        self.put("mm-alice", "target", "# x\n")
        FILE.symlink_to(target)
        a = self.apply(shared())
        # without capabilities root does not even get into the home
        self.assertIn({f["state"] for f in self.of(a, "*")}, ({"deferred"}, {"error"}), a.findings)
        self.assertEqual(target.read_text(), "# x\n")

    def test_a_link_of_roots(self):
        folder = pathlib.Path("/etc/mm-config")
        folder.mkdir(exist_ok=True)
        (folder / "msmtprc").write_text("# of the configuration\n")
        FILE.symlink_to("mm-config/msmtprc")
        a = self.apply(shared())
        self.assertEqual(a.status, OK, a.findings)
        self.assertTrue(FILE.is_symlink())
        self.assertIn("account work", (folder / "msmtprc").read_text())

    def test_a_broken_file_is_left_alone(self):
        FILE.write_text("account a\nhost h\naccount a\nhost h\n")
        a = self.apply(shared())
        self.assertEqual({f["state"] for f in self.of(a, "*")}, {"error"}, a.findings)
        self.assertEqual(FILE.read_text(), "account a\nhost h\naccount a\nhost h\n")

    def test_restored_by_hand(self):
        FILE.write_text("# of the host\n")
        FILE.chmod(0o644)
        self.apply(shared())
        FILE.write_text(FILE.read_text() + "# of the admin's, later\n")
        p = self.host.run("restore", "--system")
        self.assertEqual(p.returncode, OK, p.stderr)
        self.assertEqual(FILE.read_text(), "# of the host\n# of the admin's, later\n")
        self.assertIn(b"there is no generation", self.host.run("restore", "--system").stderr)

    def test_a_run_that_was_killed_is_settled(self):
        """The intent of a run that did not get as far as the journal."""
        self.apply(shared())
        journal = self.host.state / "system/journal.json"
        doc = json.loads(journal.read_text())
        text = FILE.read_bytes()
        doc["intent"] = {"client": "msmtp", "path": str(FILE), "rows": doc["rows"],
                         "files": [{"path": str(FILE), "before": digest(b""), "after": digest(text)}]}
        doc["rows"] = []
        journal.write_text(json.dumps(doc))
        a = self.apply(shared())
        self.assertEqual({f["state"] for f in self.of(a, "*")}, {"compliant"}, a.findings)
        self.apply(None, revision=2)
        self.assertFalse(FILE.exists())

    def test_without_root(self):
        uid = USERS["mm-alice"]
        home = self.base / "home/mm-alice"
        folder = scratch()
        self.addCleanup(remove, folder)
        host = Host(folder, home=home, login="mm-alice", uid=uid, probe=str(ROOT / "tests/lib/fakeprobe.py"))
        sheets = [personal("mm-alice")]
        a = host.ask("apply", sheets, proto=[1, 1], system=shared())
        found = [f for f in a.findings if f["user"] == "*"]
        self.assertEqual([(f["state"], "root" in f["reason"]) for f in found], [("unsupported", True)])
        self.assertEqual(list(home.glob(".msmtprc")), [])

    def test_nobody_else_can_have_the_systems_sheet(self):
        doc = json.dumps(shared()).encode()
        request = self.host.request("apply", [doc], proto=[1, 1])
        self.assertEqual(self.host.send(self.host.stream(request, [doc])).refused, "malformed")
        request = self.host.request("apply", proto=[1, 1], system=json.loads(personal("mm-alice")))
        self.assertEqual(self.host.send(self.host.stream(request)).refused, "malformed")

    def test_verify_asks_root_for_no_password(self):
        self.apply(shared(), "mm-alice")
        a = self.host.ask("verify", proto=[1, 1])
        self.assertEqual({l["user"] for l in a.of(LOGIN_FRAME)}, {"mm-alice"}, a.frames)


if __name__ == "__main__":
    unittest.main()
