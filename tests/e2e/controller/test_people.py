import grp
import os
import pwd
import random
import signal
import subprocess
import time
import unittest

from common import BIN, Case


class Users(Case):
    def test_import(self):
        self.mm("init")
        path = self.file("u.csv", '\ufefflogin,name,address,groups,room\r\n'
                         'alice,"Smith, ""Al""",alice@acme.example,staff; sales ;staff,12\r\n'
                         'bob,`id`"; $(x) | y,,,\r\n'.replace('`id`"; $(x) | y', '"`id`""; $(x) | y"'))
        self.assertEqual(self.mm_json("user", "import", path), {"added": 2, "changed": 0, "kept": 0, "removed": 0})
        self.assertEqual(self.mm_json("user", "import", path), {"added": 0, "changed": 0, "kept": 2, "removed": 0})
        alice = self.mm_json("user", "show", "alice")
        self.assertEqual(alice, {"login": "alice", "name": 'Smith, "Al"', "address": "alice@acme.example",
                                 "groups": ["sales", "staff"], "attributes": {"room": "12"}})
        self.assertEqual(self.mm_json("user", "show", "bob")["name"], '`id`"; $(x) | y')
        self.assertEqual([u["login"] for u in self.mm_json("user", "list", "--group", "staff")], ["alice"])

    def test_one_bad_line_and_nothing_is_stored(self):
        self.mm("init")
        path = self.file("u.csv", "login,name,address\nalice,Alice,alice@acme.example\n../x,X,\nbob,Bob,not an address\n"
                         "carol,C\ndave,a\"b,\nalice,Again,\neve,\"tab\there\",\n")
        _, err = self.mm("user", "import", path, rc=65)
        lines = [int(line.split("u.csv:")[1].split(":")[0]) for line in err.splitlines() if "u.csv:" in line]
        self.assertEqual(lines, [3, 4, 5, 6, 7, 8])
        self.assertEqual(self.mm_json("user", "list"), [])
        self.assertNotIn("user.add", self.mm("audit", "log")[0])

    def test_head_line(self):
        self.mm("init")
        self.assertIn('"login" is missing', self.mm("user", "import", self.file("a", "name\nx\n"), rc=65)[1])
        self.assertIn("twice", self.mm("user", "import", self.file("a", "login,name,name\n"), rc=65)[1])
        self.assertIn("empty", self.mm("user", "import", self.file("a", ""), rc=65)[1])
        self.assertIn("unknown column", self.mm("host", "import", self.file("a", "host,adress\n"), rc=65)[1])
        self.mm("user", "import", os.path.join(self.dir, "absent"), rc=1)

    def test_from_standard_input(self):
        self.mm("init")
        self.mm("user", "import", "-", stdin="login\nalice\n")
        self.mm("user", "show", "alice")

    def test_add_merges(self):
        self.started()
        self.mm("user", "add", "alice", "--attr", "floor=3", "--name", "A. Smith")
        alice = self.mm_json("user", "show", "alice")
        self.assertEqual(alice["attributes"], {"floor": "3", "room": "12"})
        self.assertEqual((alice["name"], alice["address"]), ("A. Smith", "alice@acme.example"))
        self.assertEqual(alice["groups"], ["sales", "staff"])
        self.mm("user", "add", "alice", "--attr", "nothing", rc=64)
        self.mm("user", "add", "alice", "--address", "x", rc=65)
        self.mm("user", "add", "-x", rc=64)
        self.mm("user", "add", "--", "-x", rc=65)

    def test_remove(self):
        self.started()
        self.mm("user", "remove", "alice", "nobody", rc=1)
        self.mm("user", "show", "alice")
        self.assertEqual(self.mm_json("user", "remove", "alice")["removed"], 1)
        self.mm("user", "show", "alice", rc=1)

    def test_killed_at_any_moment(self):
        """kill -9 during import leaves all of the file or nothing of it."""
        self.mm("init")
        env = dict(os.environ, MAILMUSTER_STATE=self.state)
        before = 0
        for i in range(12):
            rows = "".join("u%d.%d,N,\n" % (i, k) for k in range(300))
            path = self.file("k.csv", "login,name,address\n" + rows)
            p = subprocess.Popen([BIN, "user", "import", path], env=env, stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.15))
            p.send_signal(signal.SIGKILL)
            p.wait()
            n = len(self.mm_json("user", "list"))
            self.assertIn(n, (before, before + 300))
            before = n
        self.mm("audit", "verify")


class Groups(Case):
    def test_membership_that_contradicts_is_refused(self):
        self.started()
        for args in (("group", "add", "lab", "alice"),
                     ("user", "add", "alice", "--group", "staff", "--group", "sales", "--group", "lab"),
                     ("user", "import", self.file("u", "login,groups\nalice,staff;sales;lab\n")),
                     ("group", "import", self.file("g", "group,login\nlab,alice\n"))):
            _, err = self.mm(*args, rc=65)
            self.assertIn("p.conf:15", err)
            self.assertIn("p.conf:17", err)
        self.assertEqual(self.mm_json("user", "show", "alice")["groups"], ["sales", "staff"])
        self.assertEqual([g["group"] for g in self.mm_json("group", "list")], ["sales", "staff"])

    def test_add_show_remove(self):
        self.started()
        self.mm("group", "add", "empty")
        self.assertEqual(self.mm_json("group", "show", "empty")["logins"], [])
        self.mm("group", "add", "lab", "bob")
        self.assertEqual(self.mm_json("group", "show", "lab")["logins"], ["bob"])
        self.mm("group", "add", "lab", "nobody", rc=1)
        self.mm("group", "remove", "lab", "alice", rc=1)
        self.mm("group", "remove", "lab", "bob")
        self.mm("group", "remove", "lab")
        self.mm("group", "remove", "lab", rc=1)
        self.mm("group", "show", "lab", rc=1)

    def test_import(self):
        self.started()
        self.mm("group", "import", self.file("g", "group,login\nlab,bob\nhall,alice\n"))
        self.assertEqual(self.mm_json("group", "show", "hall")["logins"], ["alice"])
        _, err = self.mm("group", "import", self.file("g", "group,login\nlab,nobody\na b,alice\n"), rc=65)
        self.assertIn("g:2:", err)
        self.assertIn("g:3:", err)


class Sync(Case):
    """The system's name service, with the group that this user is in anyway."""

    def setUp(self):
        super().setUp()
        self.me = pwd.getpwuid(os.getuid())
        self.group = grp.getgrgid(self.me.pw_gid).gr_name
        self.mm("init")

    def members(self):
        return self.mm_json("group", "show", self.group)["logins"]

    def test_primary_group_counts(self):
        self.mm("user", "add", self.me.pw_name)
        self.assertEqual(self.mm_json("group", "sync", self.group)["added"], 1)
        self.assertEqual(self.members(), [self.me.pw_name])
        self.assertEqual(self.mm_json("group", "sync", self.group)["kept"], 1)
        self.assertGreater(self.mm_json("group", "list")[0]["synced"], 0)

    def test_large_removal_is_refused(self):
        gone = ["gone%d.nowhere" % i for i in range(2)]
        self.mm("user", "import", self.file("u", "login\n" + "".join(g + "\n" for g in gone + [self.me.pw_name])))
        self.mm("group", "add", self.group, *gone, self.me.pw_name)
        _, err = self.mm("group", "sync", self.group, rc=77)
        self.assertIn("2 of 3", err)
        self.assertIn("--allow-remove", err)
        self.assertEqual(len(self.members()), 3)
        self.assertEqual(self.mm_json("group", "sync", self.group, "--allow-remove")["removed"], 2)
        self.assertEqual(self.members(), [self.me.pw_name])

    def test_unknown_group(self):
        _, err = self.mm("group", "sync", "no.such.group", rc=1)
        self.assertIn("no.such.group", err)
        self.assertEqual(self.mm_json("group", "list"), [])

    def test_other_name_and_new_users(self):
        self.mm("group", "sync", "ours", "--system-group", self.group)
        self.assertEqual(self.mm_json("group", "show", "ours")["source"], "system")
        self.mm("group", "sync", "a", "b", "--system-group", self.group, rc=64)
        self.mm("group", "sync", "a", "--add-users", "not a domain", rc=64)


class SyncFake(Case):
    """A name service of our own, by libnss-wrapper."""

    WRAPPER = "libnss_wrapper.so"

    def setUp(self):
        super().setUp()
        self.mm("init")
        self.people = ["p%02d" % i for i in range(40)]
        self.mm("user", "import", self.file("u", "login\n" + "".join(p + "\n" for p in self.people)))
        self.mm("group", "add", "staff", *self.people)
        probe = subprocess.run(["getent", "passwd", "p00"], env=self.fake(), capture_output=True, check=False)
        if probe.returncode:
            self.skipTest("needs libnss-wrapper")

    def fake(self, without=()):
        there = [p for p in self.people if p not in without]
        passwd = "".join("%s:x:%d:%d::/:/bin/sh\n" % (p, 2000 + i, 7001 if i % 2 else 7000) for i, p in enumerate(there))
        passwd += "new:x:3000:7001:Newton Wren,room 1:/:/bin/sh\n"
        # Half of them have the group as their primary one and show in no list.
        group = "staff:x:7000:new,%s\nother:x:7001:\n" % ",".join(p for i, p in enumerate(there) if i % 2)
        preload = self.WRAPPER
        if "libasan" in subprocess.run(["ldd", BIN], capture_output=True, text=True, check=True).stdout:
            preload = "libasan.so.8 " + preload
        return {"LD_PRELOAD": preload, "NSS_WRAPPER_PASSWD": self.file("passwd", passwd),
                "NSS_WRAPPER_GROUP": self.file("group", group)}

    def sync(self, *args, rc=0, without=()):
        return self.mm("group", "sync", "staff", *args, rc=rc, env=self.fake(without))

    def test_five_percent_may_go(self):
        self.sync(without=self.people[:2])
        self.assertEqual(self.mm_json("group", "show", "staff")["members"], 38)

    def test_more_than_five_percent_may_not(self):
        self.assertIn("3 of 40", self.sync(without=self.people[:3], rc=77)[1])
        self.assertEqual(self.mm_json("group", "show", "staff")["members"], 40)

    def test_new_people(self):
        self.assertIn("1 members", self.sync()[1])
        self.sync("--add-users", "acme.example")
        new = self.mm_json("user", "show", "new")
        self.assertEqual((new["name"], new["address"], new["groups"]), ("Newton Wren", "new@acme.example", ["staff"]))


class Hosts(Case):
    def test_import(self):
        self.started()
        path = self.file("h.csv", "host,address,port,account,tags,users\nws1,127.0.0.2,2201,mm,floor1;lab,alice;bob\n"
                         "ws2,,,,,*\nws3,::1,22,root,,\n")
        self.assertEqual(self.mm_json("host", "import", path)["added"], 3)
        self.assertEqual(self.mm_json("host", "import", path)["kept"], 3)
        ws1, ws2, ws3 = self.mm_json("host", "list")
        self.assertEqual((ws1["port"], ws1["account"], ws1["tags"], ws1["users"]),
                         (2201, "mm", ["floor1", "lab"], ["alice", "bob"]))
        self.assertEqual((ws2["address"], ws2["port"], ws2["account"], ws2["all_users"]), ("ws2", 22, "root", True))
        self.assertEqual((ws3["all_users"], ws3["users"]), (False, []))
        self.assertEqual([h["host"] for h in self.mm_json("host", "list", "--tag", "lab")], ["ws1"])

    def test_bad_lines(self):
        self.started()
        path = self.file("h.csv", "host,address,port,account,tags,users\nws1,a b,22,root,,*\nws2,,70000,root,,*\n"
                         "ws3,,22,-x,,*\nws4,,22,root,a b,*\nws5,,22,root,,carol\nws6,,22,root,,*\nws6,,22,root,,*\n")
        _, err = self.mm("host", "import", path, rc=65)
        lines = [int(line.split("h.csv:")[1].split(":")[0]) for line in err.splitlines() if "h.csv:" in line]
        self.assertEqual(lines, [2, 3, 4, 5, 6, 8])
        self.assertEqual(self.mm_json("host", "list"), [])

    def test_add_show_remove(self):
        self.started()
        self.mm("host", "add", "ws1", "--address", "127.0.0.1", "--port", "2222", "--user", "bob", "--tag", "x",
                "--transport", "ssh", "--proxy-command", "ssh -W %h:%p gate")
        self.mm("host", "add", "ws1", "--port", "2223")
        ws1 = self.mm_json("host", "show", "ws1")
        self.assertEqual((ws1["address"], ws1["port"], ws1["users"], ws1["tags"], ws1["transport"], ws1["proxy_command"]),
                         ("127.0.0.1", 2223, ["bob"], ["x"], "ssh", "ssh -W %h:%p gate"))
        self.mm("host", "add", "ws1", "--all-users")
        self.assertTrue(self.mm_json("host", "show", "ws1")["all_users"])
        self.mm("host", "add", "ws2", "--transport", "telnet", rc=65)
        self.mm("host", "add", "ws2", "--user", "nobody", rc=65)
        self.mm("host", "add", "ws2", "--port", "0", rc=64)
        self.mm("host", "show", "ws2", rc=1)
        self.mm("host", "remove", "ws1", "ws2", rc=1)
        self.mm("host", "remove", "ws1")
        self.mm("host", "show", "ws1", rc=1)


if __name__ == "__main__":
    unittest.main()
