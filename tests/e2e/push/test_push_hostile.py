"""A workstation that means harm: what it says reaches terminals, spreadsheets and browsers as text only; it
speaks for itself only; and its clock decides nothing."""

import csv
import html.parser
import io
import json
import pathlib
import resource
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import reporter  # noqa: E402
import test_push_store  # noqa: E402
from test_push_store import DIFF, HOSTS_FAILED  # noqa: E402

MIB = 1 << 20
HOSTILE_BYTES = [chr(c) for c in [*range(0, 9), *range(11, 32), *range(0x7f, 0xa0), *range(0x202a, 0x202f), *range(0x2066, 0x206a)]]


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.data = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.data.append(data)


class Hostile(test_push_store.StoreTest):
    def behave(self, host, how):
        """From now on this host (each has a port of its own) answers so."""
        port = self.sshd.ports[{"h0": "ok", "h1": "drift"}[host]]
        (self.tmp / "modes" / str(port)).write_text(how)

    def outputs(self, status):
        yield "status", self.mm("status", status=status)
        yield "drift", self.mm("drift", status=DIFF)
        for kind in ("text", "csv", "html", "json"):
            yield kind, self.mm("report", "--format", kind)

    def test_texts_are_texts(self):
        self.hosts(["ok"])
        self.behave("h0", "evil")
        pushed = self.mm("push", "--all", "--now", status=DIFF)
        out = dict(self.outputs(DIFF), push=pushed, verify=self.mm("verify", "--all", status=DIFF))
        for name, text in out.items():
            for byte in HOSTILE_BYTES if name != "json" else []:
                self.assertNotIn(byte, text.replace("\r\n", "\n"), f"{byte!r} in {name}")
        page = Page(out["html"])
        self.assertFalse({t for t in page.tags if t in ("script", "img", "iframe", "object", "embed", "form", "base", "link")})
        self.assertFalse({a for a in page.attributes if a.startswith("on") or a in ("src", "srcdoc", "action")})
        shown = "".join(page.data)
        for text in reporter.EVIL[:-1]:
            self.assertIn(text, shown)
        for name in ("csv", "html"):
            self.assertIn("gnp.exe", out[name])

    def test_no_cell_is_a_formula(self):
        self.hosts(["ok"])
        self.behave("h0", "evil")
        self.mm("push", "--all", "--now", status=DIFF)
        raw = self.mm("report", "--format", "csv")
        rows = list(csv.reader(io.StringIO(raw)))
        self.assertEqual({len(r) for r in rows}, {len(rows[0])})
        cells = [c for r in rows for c in r]
        self.assertEqual([c for c in cells if c[:1] in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")], [])
        for text in reporter.EVIL[:5]:
            self.assertIn("'" + text, cells)
        self.assertIn("'); DROP TABLE findings; --", cells)
        self.assertEqual(json.loads(self.mm("status", "--json", status=DIFF))["hosts"]["total"], 1)

    def test_what_would_drive_a_terminal_is_refused(self):
        self.hosts(["ok"])
        self.behave("h0", "dirty")
        for field in ("reason", "found", "path", "text", "server_text", "username"):
            for text in ("\033]0;owned\007", "\033[2J", "a\nb", "\x9b31m", "\x00", "\x7f"):
                (self.tmp / "dirty").write_text(json.dumps([field, text]))
                r = self.run_mm("push", "--all", "--now", "--json")
                got = json.loads(r.stdout)["hosts"][0]
                self.assertEqual((r.returncode, got["outcome"]), (HOSTS_FAILED, "hostile"), (field, text, got))
                r = self.run_mm("push", "--all", "--now")
                for byte in HOSTILE_BYTES:
                    self.assertNotIn(byte, r.stdout + r.stderr)
        self.assertEqual(json.loads(self.mm("report", "--format", "json", "--all"))["findings"], [], "nothing of it was stored")

    def test_one_does_not_speak_for_another(self):
        self.hosts(["ok", "drift"])
        self.behave("h1", "foreign")
        got, _ = self.push("--all", "--now", status=HOSTS_FAILED)
        self.assertEqual((got["h0"]["outcome"], got["h1"]["outcome"]), ("ok", "hostile"))
        self.assertIn('in the name of host "h0"', got["h1"]["text"])
        self.assertEqual({f["host"] for f in json.loads(self.mm("report", "--format", "json", "--all"))["findings"]}, {"h0"})

    def flood(self, how, words):
        self.behave("h1", f"pour {how}")
        r = self.run_mm("push", "--all", "--now", "--json")
        got = {h["host"]: h for h in json.loads(r.stdout)["hosts"]}
        self.assertEqual((r.returncode, {h: g["outcome"] for h, g in got.items()}),
                         (HOSTS_FAILED, {"h0": "ok", "h1": "hostile", "h2": "ok"}), r.stderr)
        self.assertIn(words, got["h1"]["text"])
        self.assertNotIn("\n", got["h1"]["text"])
        poured = self.tmp / "poured"
        self.wait_for("the end of the flood", lambda: poured.exists() and poured.read_text())
        self.assertLess(int(poured.read_text()), 64 * MIB + 32 * MIB)  # and what lies in pipes and sockets
        poured.unlink()

    def test_a_report_without_an_end(self):
        """A workstation that pours out 1 GiB over a real sshd is cut off, at 64 MiB where every byte is right; it is
        told in one line, the memory has a bound, and others are served as ever."""
        self.env["ASAN_OPTIONS"] = "quarantine_size_mb=1"
        self.hosts(["ok", "drift", "passed"])
        for how, words in (("findings", f"larger than {64 * MIB} bytes"), ("json", "malformed frame"), ("noise", "no stream of frames")):
            with self.subTest(how):
                self.flood(how, words)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 320 * 1024)
        rows = json.loads(self.mm("report", "--format", "json", "--all"))["findings"]
        self.assertEqual({f["host"] for f in rows}, {"h0", "h2"})
        r = self.run_mm("push", "--host", "h1", "--now")
        self.assertEqual((r.returncode, r.stdout.count("no stream of frames")), (HOSTS_FAILED, 1), r.stdout)
        self.mm("audit", "verify")

    def test_a_clock_that_is_ahead_hides_nothing(self):
        """A claim of the future came with what was seen just now: that has the last word."""
        self.hosts(["ok"])
        self.behave("h0", "future")
        self.push("--all", "--now", status=DIFF)
        rows = json.loads(self.mm("report", "--format", "json", "--all"))
        f, = [x for x in rows["findings"] if x["setting"] == "incoming.port"]
        self.assertEqual((f["state"], f["evidence"]), ("drifted", "attested"))
        self.assertEqual([(x["result"], x["evidence"]) for x in rows["logins"]], [("failed", "attested")])
        self.mm("status", status=DIFF)
        self.mm("drift", status=DIFF)

    def test_the_future_is_not_fresher_than_now(self):
        """Evidence that claims to be of later is of the moment when it came, and grows old from there."""
        self.hosts(["ok"])
        self.behave("h0", "carried")
        self.push("--all", "--now")
        rows = json.loads(self.mm("report", "--format", "json", "--all"))
        self.assertEqual({x["stale"] for x in rows["findings"] + rows["logins"]}, {False})
        with sqlite3.connect(self.tmp / "state/store.db") as db:
            newest, = db.execute("SELECT MAX(seen) FROM (SELECT seen FROM coverage UNION SELECT seen FROM logins "
                                 "UNION SELECT seen FROM host_seen UNION SELECT seen FROM reports)").fetchone()
            received, = db.execute("SELECT MAX(received) FROM reports").fetchone()
            claimed, = db.execute("SELECT MAX(collected) FROM reports").fetchone()
        self.assertLessEqual(newest, received)
        self.assertGreater(claimed, received + 10 ** 5)


def load_tests(loader, _tests, _pattern):
    """Only the tests that stand here."""
    own = sorted(name for name in vars(Hostile) if name.startswith("test_"))
    return loader.suiteClass(Hostile(name) for name in own)


if __name__ == "__main__":
    unittest.main()
