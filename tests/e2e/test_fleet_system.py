"""scope = "system", the whole way: a policy, a push over SSH, the real programs of two users, drift, an end."""

import os
import pathlib
import shutil
import tempfile
import unittest

import test_fleet  # its admin, and where the libraries are
from test_fleet import BIN, DATAERR, DIFF, OK, fleets, mailserver, story

GROUPS = """groups = {
  staff = { priority = 10; accounts = [ "work" ];
            clients = { msmtp = { mode = "enforce"; scope = "system"; };
                        mutt = { mode = "enforce"; scope = "system";
                                 settings = { account = { real_name = "ignore"; }; }; }; }; };
};
"""
PEOPLE = {"bob": {".muttrc": "set sleep_time=0\n"}, "dave": {}}


def policy(groups):
    start, end = story.POLICY.index("groups = {"), story.POLICY.index("final = [")
    return story.POLICY[:start] + groups + story.POLICY[end:]


class SystemWide(unittest.TestCase):
    must = classmethod(test_fleet.FleetTest.must.__func__)
    fingerprint = staticmethod(test_fleet.FleetTest.fingerprint)
    findings = test_fleet.FleetTest.findings
    proven = test_fleet.FleetTest.proven

    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.mkdtemp(prefix="mm-fleet-")
        os.chmod(cls.tmp, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.fleet = fleets.Fleet(pathlib.Path(cls.tmp) / "f", story.PASSWORDS).prepare(1)
        cls.addClassCleanup(cls.fleet.stop)
        cls.ws = ws = cls.fleet["ws1"]
        ws.write("/usr/local/bin/mail-secret", story.SECRET_TOOL, 0, 0o755)
        for number, (login, files) in enumerate(PEOPLE.items(), 1):
            story.add(ws, number, login, files, story.PASSWORDS[f"{login}@acme.example"])
        (ws.root / "var/lib/mail-secret").chmod(0o755)
        ws.install_binaries(BIN)
        cls.fleet.start()
        cls.admin = test_fleet.Admin(cls.tmp)
        people = "\n".join([story.USERS_CSV.splitlines()[0], *(l for l in story.USERS_CSV.splitlines() if l.split(",")[0] in PEOPLE)])
        for name, text in (("people.csv", people + "\n"), ("acme.conf", policy(GROUPS)),
                           ("hosts.csv", "host,address,port,account,tags,users\nws1,ws1,22,root,berlin,bob;dave\n")):
            (pathlib.Path(cls.tmp) / name).write_text(text)
        for args in (["init"], ["user", "import", f"{cls.tmp}/people.csv"], ["host", "import", f"{cls.tmp}/hosts.csv"],
                     ["policy", "import", f"{cls.tmp}/acme.conf"]):
            cls.must(OK, *args)
        cls.must(OK, "host", "enroll", "ws1", "--fingerprint", cls.fingerprint(ws), "--identity", cls.fleet.dir / "admin_key",
                 "--allow-domain", "acme.example", "--allow-program", "/usr/local/bin/mail-secret")

    def imported(self, groups, status=OK):
        path = pathlib.Path(self.tmp) / "next.conf"
        path.write_text(policy(groups))
        return self.must(status, "policy", "import", path)

    def test_the_whole_way(self):
        ws = self.ws
        plan = self.must(DIFF, "plan", "--all")
        self.assertIn("/etc/msmtprc", plan.stdout)
        self.must(OK, "push", "--all")
        self.assertEqual(ws.read("/home/bob/.muttrc"), "set sleep_time=0\n")
        self.assertFalse((ws.root / "home/dave/.msmtprc").exists())
        bad = [f for f in self.findings() if f["result"] not in ("pass", "notapplicable")]
        self.assertEqual(bad, [])
        self.assertEqual({f["user"] for f in self.findings(client="msmtp")}, {"*", "bob", "dave"})
        for user in PEOPLE:
            def send(login=user):
                r = ws.run("msmtp", "alice@acme.example", user=login, input="Subject: x\n\nx\n")
                self.assertEqual(r.returncode, 0, r.stderr)
            self.proven("submission", f"{user}@acme.example", send)

            def read(login=user):
                r = ws.run("mutt", "-e", "set record=+Sent", "-s", "x", "alice@acme.example", user=login, input="x\n")
                self.assertEqual(r.returncode, 0, r.stderr)
            self.proven("imap", f"{user}@acme.example", read)

        right = ws.read("/etc/msmtprc")
        ws.write("/etc/msmtprc", right.replace("port 465", "port 25"), 0, 0o644)
        self.must(DIFF, "status", "--refresh", "--host", "ws1")
        rows = [f for f in self.findings(setting="outgoing.port", client="msmtp") if f["state"] == "drifted"]
        self.assertEqual([(f["user"], f["found"]) for f in rows], [("*", "25")])
        self.assertIn("*", self.must(DIFF, "drift").stdout)
        self.must(OK, "push", "--all")
        self.assertEqual(ws.read("/etc/msmtprc"), right)
        self.assertEqual([f for f in self.findings() if f["result"] == "fail"], [])

        # a policy that no file for everybody can hold
        r = self.imported(GROUPS.replace('settings = { account = { real_name = "ignore"; }; };', ""), DATAERR)
        self.assertIn("differs from user to user", r.stdout + r.stderr)
        r = self.imported(GROUPS.replace("msmtp = ", "claws = "), DATAERR)
        self.assertIn("cannot be set up through the system's files", r.stdout + r.stderr)

        # back to the homes
        self.imported('groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { mutt = "enforce"; }; }; };\n')
        self.must(OK, "push", "--all")
        self.assertFalse((ws.root / "etc/msmtprc").exists())
        self.assertFalse((ws.root / "etc/Muttrc.d/zz-mailmuster.rc").exists())
        self.assertIn("mailmuster", ws.read("/home/bob/.muttrc"))
        self.must(OK, "push", "--all")
        self.assertEqual(self.findings(user="*"), [])


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2)
