"""Prints which test proves what of which mail program; exits with 1 when something is proven by none.

Usage: matrix.py [--check]     --check prints only what is missing

The cells are what the tests say of themselves with @proves (realclient.py), which for logins is held against
the mail server's log each time they run. A cell says where the test is: "ci" in what tests/run does, "all"
with tests/run --all. "-" is not the program's business; what it cannot do, and what is open, stands below.
"""

import ast
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
DEF = HERE.parents[2] / "agent/clients/clients.def"
LOGINS = tuple(f"{protocol} {security}" for protocol in ("imap", "pop3", "smtp") for security in ("tls", "starttls"))
COLUMNS = (*LOGINS, "read back", "hostile", "running")
ALL = "imap pop3 smtp"

# Protocols of each program, and what else has to be proven of it: "running", where it holds its settings
# while it runs, "read back", where a service tells over D-Bus what it understood.
PROGRAMS = {
    "thunderbird": f"{ALL} running", "mutt": ALL, "neomutt": ALL, "msmtp": "smtp", "claws": f"{ALL} running",
    "sylpheed": f"{ALL} running", "mpop": "pop3", "mbsync": "imap", "aerc": "imap smtp", "alpine": f"{ALL} running",
    "goa": "imap smtp read_back running", "evolution": f"{ALL} read_back running", "geary": "imap smtp running",
    "s_nail": ALL, "fetchmail": "imap pop3", "fdm": "imap pop3", "nmh": "pop3 smtp", "emacs": "smtp", "getmail": "imap pop3",
    "offlineimap": "imap", "git": "smtp", "kmail": f"{ALL} read_back running", "balsa": f"{ALL} running",
}
# What a program of Debian 12 cannot do; the adapter says it in the same words.
CANNOT = {
    ("getmail", "starttls"): "getmail 6 has no STARTTLS.",
    ("offlineimap", "starttls"): "offlineimap cannot require STARTTLS: it goes on in clear text where the server offers none.",
}
# Programs that Debian 12 does not have: their own documentation and samples are all there is.
ABSENT = {"mailspring": "not in Debian, and only looked at", "himalaya": "not in Debian: test_toml.py",
          "meli": "not in Debian 12: test_toml.py",
          "netrc": "no program: its readers' tests use it", "netrc_smtp": "no program: its readers' tests use it"}
# Cells that nobody fills yet, and what there is in their place.
OPEN = {}


def clients():
    return re.findall(r"^MM_CLIENT\((\w+)\)", DEF.read_text(), re.M)


def declared():
    """{(client, cell): [(file, test)]}"""
    out = {}
    for path in sorted(HERE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for call in getattr(node, "decorator_list", ()):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "proves":
                    client, *cells = [ast.literal_eval(a) for a in call.args]
                    for cell in cells:
                        out.setdefault((client, cell), []).append((path.name, node.name))
    return out


def wanted(client):
    """The cells that this program should have."""
    has = PROGRAMS.get(client, "").replace("_", " ")
    for cell in COLUMNS:
        protocol, _, security = cell.partition(" ")
        if cell == "hostile" or (protocol in has if cell in LOGINS else cell in has):
            if (client, security) not in CANNOT:
                yield cell


def main():
    proofs, known = declared(), clients()
    missing = [f"{c}: {cell}" for c in known if c not in ABSENT for cell in wanted(c)
               if (c, cell) not in proofs and (c, cell.split()[0]) not in OPEN]
    missing += [f"{c}: {cell} is filled, and no longer open" for (c, cell) in proofs if (c, cell.split()[0]) in OPEN]
    missing += [f"{c}: not in the table of programs" for c in known if c not in PROGRAMS and c not in ABSENT]
    missing += [f"{c}: {cell} is no cell of the matrix ({where[0][0]})" for (c, cell), where in proofs.items()
                if c not in known or cell not in COLUMNS]
    if "--check" not in sys.argv:
        print("| client | " + " | ".join(COLUMNS) + " |\n" + "| --- " * (len(COLUMNS) + 1) + "|")
        for client in known:
            if client in ABSENT:
                continue
            row = []
            for cell in COLUMNS:
                where = proofs.get((client, cell), [])
                row.append("ci" if any(f.startswith("test_") for f, _ in where) else "all" if where else
                           "-" if cell not in wanted(client) else
                           "open" if (client, cell.split()[0]) in OPEN else "MISSING")
            print(f"| {client} | " + " | ".join(row) + " |")
        print()
        for text in [*CANNOT.values(), *dict.fromkeys(OPEN.values()), *(f"{c}: {why}." for c, why in ABSENT.items() if c in known)]:
            print(text)
    for line in missing:
        print("missing: " + line, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
