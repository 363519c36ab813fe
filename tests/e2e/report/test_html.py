"""The HTML report: valid, self-contained, accessible in light and dark and on a
phone, printable, and with the numbers of the JSON report.

One store of 10 workstations from the generator of the benchmarks, with waivers,
60 days of samples and a hostile workstation; one browser for everything."""
import html.parser
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "..", "..", "..")
sys.path.insert(0, os.path.join(TREE, "tests", "lib"))
from chromium import Chromium  # noqa: E402

BIN = os.path.abspath(os.environ.get("MM_BIN", "build/gcc/bin"))
DAY = 86400
NASTY = "<script>alert('1')</script>\"&\x1b[31m\u202e</details></table>"

# Of everything that axe looks at, what it calls a violation.
AXE = """axe.run(document, {resultTypes: ['violations'], ...ONLY}).then(r => ({passes: r.passes.length,
  violations: r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200)))}))"""


class Page(html.parser.HTMLParser):
    """What the tests ask of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.refs, self.headings, self.words, self.csp = [], [], [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.append((tag, a))
        if "id" in a:
            self.ids.append(a["id"])
        self.refs += [a[k] for k in ("href", "src", "xlink:href", "data", "action", "srcset") if k in a]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy":
            self.csp = a["content"]

    def handle_data(self, data):
        self.words.append(data)

    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def mm(state, *args, rc=None):
    p = subprocess.run([f"{BIN}/mailmuster", *args], env=dict(os.environ, MAILMUSTER_STATE=state),
                       capture_output=True, text=True, timeout=120)
    if rc is not None and p.returncode not in rc:
        raise AssertionError(f"{args}: {p.returncode}\n{p.stdout[-2000:]}\n{p.stderr}")
    return p.stdout


class Html(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="mm-html-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.state = os.path.join(cls.dir, "state")
        os.mkdir(cls.state, 0o700)
        store = os.path.join(cls.state, "store.db")
        subprocess.run([f"{BIN}/mm-bench-fleetstore", store, "10"], check=True, timeout=120)
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 20 * DAY))
        for args in (["--group", "sales"], ["--check", "incoming.port"]):
            mm(cls.state, "waiver", "add", *args, "--until", soon, "--owner", "Dana", "--reason", NASTY.replace("\x1b", "").replace("\u202e", ""), rc=[0])
        cls.fill(store)
        cls.page_path = os.path.join(cls.dir, "report.html")
        mm(cls.state, "report", "--format", "html", "-o", cls.page_path, rc=[0, 2])
        cls.json = json.loads(mm(cls.state, "report", "--format", "json", "--all", rc=[0, 2]))
        with open(cls.page_path, encoding="utf-8") as f:
            cls.html = f.read()
        cls.page = Page(cls.html)

    @classmethod
    def fill(cls, store):
        """What no command can make: the past, and a workstation that tells anything."""
        db = sqlite3.connect(store)
        today = int(time.time()) // DAY * DAY
        with db:
            db.execute("UPDATE waivers SET until = ? WHERE check_id = 'incoming.port'", (today - 3 * DAY,))
            db.execute("UPDATE findings SET found = ?, reason = ?, path = ? WHERE rowid = (SELECT MIN(rowid) FROM "
                       "findings WHERE state = 'drifted')", (NASTY, NASTY, "/home/" + NASTY))
            for d in range(60, 0, -1):
                if d in (20, 21):
                    continue
                for dimension, name in (("all", ""), ("group", "staff"), ("client", "mutt")):
                    db.execute("INSERT INTO samples VALUES (?,?,?,?,'rfc8314',1,?,?,3,20,2,1,4,15)",
                               (today - d * DAY, dimension, name, today - d * DAY + 60, 300 - d, d))
        db.close()

    def valid(self, path):
        """By a parser that we did not write; Debian's Python has it."""
        p = subprocess.run(["/usr/bin/python3", "-c",
                            "import html5lib, sys; p = html5lib.HTMLParser(); p.parse(open(sys.argv[1], "
                            "encoding='utf-8').read()); print(p.errors[:5]); sys.exit(bool(p.errors))", path],
                           capture_output=True, text=True, timeout=120)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def test_is_valid_html(self):
        self.valid(self.page_path)
        self.assertEqual(len(self.page.ids), len(set(self.page.ids)), "an id stands twice")

    def test_what_changed(self):
        """Of a fleet that was not there then all is new; who does not ask is told nothing."""
        self.assertNotIn("changes", self.page.ids)
        path = os.path.join(self.dir, "since.html")
        mm(self.state, "report", "--format", "html", "--since", "2020-01-01", "-o", path, rc=[0, 2])
        self.valid(path)
        with open(path, encoding="utf-8") as f:
            page = Page(f.read())
        self.assertIn("#changes", page.refs)
        self.assertEqual([r for r in page.refs if r[1:] not in page.ids], [])
        rows = len(self.json["findings"]) + len(self.json["logins"])
        self.assertIn(f"settings and logins together: 0 worse, {rows} new, 0 gone, 0 changed, 0 better.", page.text())
        self.assertIn(f"and {rows - 60} more changes", page.text())

    def test_is_self_contained(self):
        self.assertRegex(self.page.csp, r"^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'$")
        for ref in self.page.refs:
            self.assertRegex(ref, r"^#[a-z0-9-]+$")
            self.assertIn(ref[1:], self.page.ids)
        allowed = {"script", "iframe", "object", "embed", "img", "link", "form", "base", "video", "audio"}
        self.assertEqual(allowed & {t for t, _ in self.page.tags}, set())
        self.assertEqual([a for _, a in self.page.tags if "style" in a or any(k.startswith("on") for k in a)], [])
        style = self.html.split("<style>")[1].split("</style>")[0]
        self.assertNotRegex(style, r"@import|url\((?!#)")

    def test_hostile_bytes_are_escaped(self):
        self.assertIn("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;", self.html)
        self.assertNotIn("alert('1')", self.html)
        self.assertNotIn("\x1b", self.html)
        self.assertNotIn("\u202e", self.html)

    def test_headings_in_order(self):
        self.assertEqual(self.page.headings[0], 1)
        self.assertEqual(self.page.headings.count(1), 1)
        for before, after in zip(self.page.headings, self.page.headings[1:]):
            self.assertLessEqual(after, before + 1)

    def test_numbers_are_those_of_the_json_report(self):
        text = self.page.text()
        fleet = self.json["fleet"]
        people, hosts, logins = fleet["places"], fleet["hosts"], fleet["logins"]
        self.assertIn(f"{people['by_result']['pass']:,} of {people['total']:,} have every setting of the policy", text)
        self.assertIn(f"{hosts['fresh']:,} of {hosts['total']:,} have reported lately; {hosts['stale']:,} stale", text)
        self.assertIn(f"{logins['by_result']['passed']:,} of {logins['total']:,} were accepted by the mail servers", text)
        checks = [c for c in self.json["checks"] if c["results"]]
        self.assertGreater(len(checks), 3)
        whole = sum(c["results"] - c["by_outcome"]["notapplicable"] for c in checks)
        good = sum(c["by_outcome"]["compliant"] for c in checks)
        self.assertIn(f"{good * 100 // whole} % of what was checked is as it should be: {good:,} of {whole:,} results", text)
        for c in checks:
            n = c["results"] - c["by_outcome"]["notapplicable"]
            row = text.split(c["id"], 2)
            self.assertGreater(len(row), 1, c["id"])
            self.assertIn(f"{c['by_outcome']['compliant']:,} of {n:,}", text)

    def test_says_what_it_leaves_out(self):
        self.assertIn("mailmuster report --format csv", self.html)
        self.assertLess(len(self.html), 1000000)

    def test_the_past_has_gaps(self):
        self.assertIn("On 2 of these 61 days nothing was measured: these are gaps.", self.page.text())

    def test_expired_waiver_says_so(self):
        self.assertIn("1 waiver has expired", self.page.text())

    def test_todays_sample_was_taken(self):
        db = sqlite3.connect(os.path.join(self.state, "store.db"))
        rows = dict(db.execute("SELECT dimension, COUNT(*) FROM samples WHERE taken > strftime('%s','now') - 3600 GROUP BY dimension"))
        good = db.execute("SELECT compliant FROM samples WHERE dimension = 'all' ORDER BY day DESC LIMIT 1").fetchone()[0]
        db.close()
        self.assertEqual(rows["all"], 1)
        self.assertEqual(rows["group"], 3)
        self.assertEqual(good, sum(c["by_outcome"]["compliant"] for c in self.json["checks"]))

    def without_samples(self, name):
        state = os.path.join(self.dir, name)
        shutil.copytree(self.state, state)
        db = sqlite3.connect(os.path.join(state, "store.db"))
        with db:
            db.execute("DELETE FROM samples")
        db.close()
        return state

    def samples(self, state):
        db = sqlite3.connect(os.path.join(state, "store.db"))
        rows = db.execute("SELECT dimension, COUNT(*), MAX(taken) FROM samples GROUP BY dimension").fetchall()
        db.close()
        return rows

    def test_part_of_the_fleet_takes_no_sample(self):
        state = self.without_samples("part")
        out = mm(state, "report", "--format", "html", "--group", "sales", rc=[0, 2])
        self.assertIn("only group <strong>sales</strong>", out)
        self.assertEqual(self.samples(state), [])

    def test_the_service_takes_one_a_day(self):
        state = self.without_samples("serve")
        mm(state, "serve", "--once", rc=[0])
        first = self.samples(state)
        self.assertEqual([r[0] for r in first], ["all", "check", "client", "group"])
        mm(state, "serve", "--once", rc=[0])
        self.assertEqual(self.samples(state), first)

    def test_browser(self):
        """axe finds nothing, nothing is wider than the window, and the page prints on A4."""
        p = subprocess.run([os.path.join(TREE, "tests/lib/npm.sh"), "axe"], capture_output=True, text=True, timeout=300)
        self.assertEqual(p.returncode, 0, p.stderr)
        with open(os.path.join(p.stdout.strip(), "axe-core", "axe.min.js"), encoding="utf-8") as f:
            axe = f.read()
        with Chromium() as browser:
            for width, dark in ((1280, False), (1280, True), (768, False), (390, False)):
                with self.subTest(width=width, dark=dark):
                    browser.look(self.page_path, width=width, dark=dark)
                    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
                    self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), width)
                    # no number of a port and no id of a control is cut in two, as far as there is room
                    cut = browser.run("[...document.querySelectorAll('td[data-h=Where] code, .nb')].filter(c => /^[a-z.]+:[0-9]+$|^[A-Z0-9() .-]+$/"
                                      ".test(c.textContent) && c.getClientRects().length > 1).map(c => c.textContent)")
                    self.assertEqual(cut, [])
                    if width > 390:  # and no table has to be moved to be read
                        wide = browser.run("[...document.querySelectorAll('.fold .scroll, #by-check .scroll')].filter(s => s.scrollWidth > s.clientWidth)"
                                           ".map(s => s.getAttribute('aria-label') + ' ' + (s.scrollWidth - s.clientWidth))")
                        self.assertEqual(wide, [])
                    browser.run(axe + ";0")
                    # between light and dark only colours differ
                    found = browser.run(AXE.replace("ONLY", "{runOnly: ['color-contrast']}" if dark else "{}"))
                    self.assertGreaterEqual(found["passes"], 1 if dark else 20)
                    self.assertEqual(found["violations"], [])
            # A4 without its margins is 680 pixels wide: light, everything open, and nothing cut off
            browser.look(self.page_path, width=680, dark=True, media="print")
            self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 680)
            self.assertEqual(browser.run("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
            self.assertEqual(browser.run("getComputedStyle(document.body).color"), "rgb(22, 32, 43)")
            shown = browser.run("[...document.querySelectorAll('details.fold:not(.unsure) tr:not(.u) td')]"
                                ".map(d => d.checkVisibility() && d.getBoundingClientRect().height > 0)")
            self.assertGreater(len(shown), 10)
            self.assertEqual(shown.count(False), 0)
            self.assertEqual(browser.run("[...document.querySelectorAll('.numbers')].filter(d => d.checkVisibility()).length"), 0)


if __name__ == "__main__":
    unittest.main()
