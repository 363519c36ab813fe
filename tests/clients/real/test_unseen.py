"""What wins in the real programs without being seen is never read as certain.

Each line stands behind (or, where it says so, before) the managed block. The program is asked what it
ends up with; the adapter must call the value unsure or overridden wherever that is not ours.
"""

import unittest

from realclient import ClientCase, argv_text, have, sheet

OURS, EVIL = "alice@acme.example", "evil@elsewhere.example"
WANTED = {"account.address": OURS, "incoming.protocol": "imap", "incoming.host": "imap.acme.example",
          "incoming.port": "993", "incoming.security": "tls", "incoming.auth": "password",
          "incoming.username": OURS, "incoming.password_command": argv_text(["/bin/echo", "x"])}

# What stands behind the block, and in which programs it wins.
BEHIND = {
    'source "echo set from=%s|"\n' % EVIL: ("mutt", "neomutt"),
    "source `echo ~/evil.rc`\n": ("mutt", "neomutt"),
    "source $UNHEARD_OF~/evil.rc\nsource evil.rc\n": ("mutt", "neomutt"),
    "set from=`echo %s`\n" % EVIL: ("mutt", "neomutt"),
    "reset from\n": ("mutt", "neomutt"),
    'ifdef imap_user "set from=%s"\n' % EVIL: ("neomutt",),
    "lua mutt.set('from', '%s')\n" % EVIL: ("neomutt",),
    'source "echo set from=%s|"\nset from=%s\n' % (EVIL, OURS): (),
    "finish\nset beep\n": (),
}
# What mutt types itself when all has been read, wherever it stands; then it is asked. Does ours win?
ASK = ":source ~/ask.rc\\n<quit>"
PUSHED = {
    'push ":set from=%s\\n%s"\n' % (EVIL, ASK): False,
    'push "<enter-command>set from=%s<enter>%s"\n' % (EVIL, ASK): False,
    'folder-hook . \'push ":set from=%s\\n%s"\'\n' % (EVIL, ASK): False,
    'macro index,generic X ":set from=%s\\n%s"\npush X\n' % (EVIL, ASK): False,
    'folder-hook . \'source "echo set from=%s|"\'\n' % EVIL: False,
    'folder-hook . "push <last-entry>"\n': True,
}


class Unseen(ClientCase):
    FILE = {"mutt": ".muttrc", "neomutt": ".neomuttrc"}

    def written(self, program, before, behind):
        path = self.home.write(self.FILE[program], before)
        self.home.write("evil.rc", "set from=%s\n" % EVIL)
        self.home.apply(program, sheet(WANTED))
        with path.open("a") as f:
            f.write(behind)

    def address_line(self, program):
        return next(line for line in self.home.driver("show", program).splitlines()
                    if line.startswith("main account.address"))

    def judge(self, program, ours):
        line = self.address_line(program)
        doubted = " unsure, " in line or " overridden by " in line
        self.assertEqual(doubted, not ours, line)

    def asked(self, program):
        return self.home.run(program, "-Q", "from").stdout.split('"')[1]

    def typed(self, program):
        """What the program has in the end, with the keys typed."""
        out = self.home.path / "out"
        self.home.write("ask.rc", 'source "echo $from > %s|"\n' % out)
        self.home.write("inbox", "")
        rc = self.home.path / self.FILE[program]
        text = rc.read_text()
        if "ask.rc" not in text:
            text += "push '%s'\n" % ASK.replace("\\n", "<enter>")
        rc.write_text(text + "set sleep_time=0\n")
        self.home.run("timeout", "-k", "1", "10", "script", "-qec", program + " -n -f inbox", "/dev/null")
        return out.read_text().strip()

    def behind(self, program):
        for text, wins in BEHIND.items():
            with self.subTest(text=text):
                self.home.remove()
                self.setUp()
                self.written(program, "", text)
                self.assertEqual(self.asked(program) != OURS, program in wins)
                self.judge(program, program not in wins)

    def before(self, program):
        """What stands before the block does not win, however it is said."""
        self.written(program, 'source "echo set from=%s|"\nset beep=no\n' % EVIL, "")
        self.assertEqual(self.asked(program), OURS)
        self.judge(program, True)

    def pushed(self, program):
        for text, ours in PUSHED.items():
            with self.subTest(text=text):
                self.home.remove()
                self.setUp()
                self.written(program, text, "")
                self.judge(program, ours)
                self.assertEqual(self.typed(program), OURS if ours else EVIL)

    @have("mutt", "script")
    def test_mutt(self):
        self.behind("mutt")
        self.before("mutt")
        self.pushed("mutt")

    @have("neomutt", "script")
    def test_neomutt(self):
        self.behind("neomutt")
        self.before("neomutt")
        self.pushed("neomutt")

    @have("mutt", "neomutt")
    def test_one_file_with_finish(self):
        """To neomutt the file ends there, to mutt it does not: each has its block where it counts."""
        path = self.home.write(".muttrc", "set beep=no\nfinish\nset from=%s\n" % EVIL)
        for program in ("mutt", "neomutt"):
            self.home.apply(program, sheet(WANTED))
        text = path.read_text()
        self.assertLess(text.index(">>> mailmuster neomutt"), text.index("finish\n"))
        self.assertGreater(text.index(">>> mailmuster\n"), text.index(EVIL))
        for program in ("mutt", "neomutt"):
            self.assertEqual(self.asked(program), OURS)
            self.judge(program, True)

    MSMTP = {  # account.address, outgoing.host: is what the adapter reads what msmtp has?
        "account work\nhost good.example\nfrom %s\neval echo host evil.example\n" % OURS: (True, False),
        "account work\neval echo host evil.example\nhost good.example\nfrom %s\n" % OURS: (True, True),
        "defaults\nfrom %s\neval echo from %s\naccount work\nhost good.example\n" % (OURS, EVIL): (False, True),
        "account p\nhost good.example\neval echo host evil.example\naccount work : p\nfrom %s\n" % OURS:
            (True, False),
        "account work\nhost good.example\nfrom %s\nauto_from on\nmaildomain elsewhere.example\n" % OURS:
            (False, True),
        "account work\nhost evil.example\nfrom %s\nhost good.example\n" % OURS: (True, True),
    }

    @have("msmtp")
    def test_msmtp(self):
        for text, same in self.MSMTP.items():
            with self.subTest(text=text):
                path = self.home.write(".msmtprc", text)
                p = self.home.run("msmtp", "-C", path, "-P", "-a", "work")
                real = dict(line.split(" = ", 1) for line in p.stdout.splitlines() if " = " in line)
                shown = self.home.driver("show", "msmtp").splitlines()
                for name, key, want, certain in (("account.address", "from", OURS, same[0]),
                                                 ("outgoing.host", "host", "good.example", same[1])):
                    line = next(x for x in shown if x.startswith("work " + name))
                    doubted = " unsure" in line or " overridden by " in line
                    self.assertEqual(real[key] == want, certain)
                    self.assertTrue(doubted or certain, line)
                    self.assertFalse(doubted and all(same), line)


if __name__ == "__main__":
    unittest.main()
