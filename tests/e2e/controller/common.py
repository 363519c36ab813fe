"""The real mailmuster in a state folder of its own. MM_BIN = folder with the binaries."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

BIN = os.path.join(os.environ.get("MM_BIN", "build/gcc/bin"), "mailmuster")

POLICY = '''format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap_main = { protocol = "imap"; host = "imap.acme.example"; port = 993; security = "tls"; auth = "password";
                username = "%{address}"; tls_min = "1.2"; };
  submission = { protocol = "smtp"; host = "smtp.acme.example"; port = 465; security = "tls"; auth = "password";
                 username = "%{login}"; };
};
accounts = {
  work = { label = "Acme mail"; address = "%{address}"; real_name = "%{name}"; incoming = "imap_main"; outgoing = "submission"; };
};
groups = {
  staff = { priority = 10; accounts = [ "work" ]; clients = { mutt = "enforce"; }; create = "existing"; };
  sales = { priority = 20;
            override = { work = { outgoing = { host = "smtp-sales.acme.example"; }; }; }; };
  lab = { priority = 20;
          override = { work = { outgoing = { host = "smtp-lab.acme.example"; }; }; }; };
};
rules = { allow_cleartext = false; tls_min = "1.2"; check = "login"; approvals = APPROVALS; };
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="mm-e2e-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.state = os.path.join(self.dir, "state")

    def mm(self, *args, rc=0, env=None, stdin=None, user=None):
        """Run; the exit status must be rc. Returns (stdout, stderr)."""
        full = dict(os.environ, MAILMUSTER_STATE=self.state, **(env or {}))
        p = subprocess.run([BIN, *args], env=full, input=stdin, capture_output=True, text=True, timeout=60, user=user)
        self.assertEqual(p.returncode, rc, "%s\nstdout: %s\nstderr: %s" % (args, p.stdout, p.stderr))
        return p.stdout, p.stderr

    def mm_json(self, *args, rc=0, env=None):
        return json.loads(self.mm(*args, "--json", rc=rc, env=env)[0])

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", newline="", encoding="utf-8") as f:
            f.write(text)
        return path

    def policy(self, name="p.conf", approvals=0, change=()):
        text = POLICY.replace("APPROVALS", str(approvals))
        for old, new in change:
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.file(name, text)

    def started(self):
        """A store with a policy and two people."""
        self.mm("init")
        self.mm("policy", "import", self.policy())
        self.mm("user", "import", self.file("users.csv", "login,name,address,groups,room\n"
                                            "alice,Alice,alice@acme.example,staff;sales,12\n"
                                            "bob,Bob,bob@acme.example,staff,\n"))
