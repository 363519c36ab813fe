"""Settings, names, routes, ports: rows of the decision table before anybody speaks TLS."""

import scripted
import world as w
from zoo import Case, task

IMAPS = ("imap", "tls")
FAR = {"connect_s": 2}


def settings():
    return [
        Case("empty-password", "an empty secret", "BAD_SECRET", task(*IMAPS, "good.zoo.test", 993), secret=""),
        Case("password-with-newline", "a secret of two lines", "BAD_SECRET", task(*IMAPS, "good.zoo.test", 993),
             secret="two\r\nlines"),
        Case("no-password", "no secret", "NO_SECRET", task(*IMAPS, "good.zoo.test", 993), secret=None, reached="tls"),
        Case("no-user-name", "no user name: curl says OK", "NO_USERNAME",
             task(*IMAPS, "good.zoo.test", 993, username=None), reached="tls"),
        Case("no-login-wanted", "auth none", "NO_LOGIN_WANTED", task("smtp", "tls", "good.zoo.test", 465, auth="none"),
             reached="tls"),
        Case("no-tls-wanted", "security none, level tls", "NO_TLS_WANTED",
             task("imap", "none", "good.zoo.test", 143, level="tls")),
        Case("scram", "auth scram-sha-256", "MECH_NOT_TESTABLE", task(*IMAPS, "good.zoo.test", 993, auth="scram-sha-256"),
             reached="tls"),
        Case("ca-file-missing", "CA file does not exist", "CA_FILE_UNREADABLE",
             task(*IMAPS, "good.zoo.test", 993, ca_file="/nonexistent/ca.pem")),
    ]


def names():
    known = [{"protocol": "imap", "host": "imap.wild.zoo.test", "port": 993, "security": "tls"}]
    return [
        Case("no-such-name", "NXDOMAIN", "DNS_NO_SUCH_NAME", task(*IMAPS, "nosuch.zoo.test", 993), reached=None,
             says=("nosuch.zoo.test",)),
        Case("typo-in-name", "NXDOMAIN, policy knows a near one", ("NOT_IN_POLICY", "DNS_NO_SUCH_NAME"),
             task(*IMAPS, "imao.wild.zoo.test", 993, known=known), reached=None, says=("imap.wild.zoo.test",)),
        Case("no-address", "a name with MX alone", "DNS_NO_ADDRESS", task(*IMAPS, "mxonly.zoo.test", 993), reached=None),
        Case("zone-fails", "SERVFAIL", "DNS_UNAVAILABLE", task(*IMAPS, "servfail.zoo.test", 993), reached=None),
        Case("name-server-silent", "no answer from the name server", "DNS_UNAVAILABLE",
             task(*IMAPS, "silent.zoo.test", 993), reached=None, least=1, says=("127.0.0.53",)),
    ]


def routes():
    return [
        Case("no-route", "192.0.2.1, no default route", "NET_NO_ROUTE", task(*IMAPS, "noroute.zoo.test", 993), reached=None),
        Case("no-route-v6", "2001:db8::1, no default route", "NET_NO_ROUTE", task(*IMAPS, "noroute6.zoo.test", 993),
             reached=None),
        Case("rejected", "nft reject admin-prohibited", "HOST_UNREACHABLE", task(*IMAPS, "rejected.zoo.test", 993),
             reached=None, most=2, says=("in the firewall",)),
        Case("neighbour-off", "nobody answers ARP", "HOST_UNREACHABLE", task(*IMAPS, "neighbour.zoo.test", 993),
             reached=None, least=1, says=("Bring the machine",)),
        Case("refused", "no listener", "CONN_REFUSED", task(*IMAPS, "good.zoo.test", 994), reached=None, most=2),
        Case("reset", "nft reject with tcp reset", "CONN_REFUSED", task(*IMAPS, "reset.zoo.test", 993), reached=None, most=2),
        Case("dropped", "nft drop", "CONN_TIMEOUT", task(*IMAPS, "dropped.zoo.test", 993), reached=None, least=4),
        Case("port-dropped", "nft drops 993, 143 answers", "CONN_TIMEOUT", task(*IMAPS, "half.wild.zoo.test", 993),
             reached=None, least=4),
        Case("six-and-four", "A and AAAA answer", "", task(*IMAPS, "six.wild.zoo.test", 993), reached="login"),
        Case("six-dropped", "AAAA dropped, A answers", "", task(*IMAPS, "deadsix.wild.zoo.test", 993), notes=("IPV6_BROKEN",)),
        Case("six-refused", "AAAA reset, A answers", "", task(*IMAPS, "shutsix.wild.zoo.test", 993), notes=("IPV6_BROKEN",)),
        # that this computer has no IPv6 is no fault of the server's
        Case("six-no-route", "AAAA without route, A answers", "", task(*IMAPS, "gonesix.wild.zoo.test", 993), reached="login"),
        Case("prot-unreachable", "nft reject prot-unreachable", "CONN_FAILED", task(*IMAPS, "odd.zoo.test", 993), reached=None),
        Case("one-address-dead", "two A records, one dropped", "", task(*IMAPS, "deadfour.wild.zoo.test", 993),
             notes=("ADDRESS_DEAD",)),
    ]


def who_answers(z):
    host = "here.wild.zoo.test"
    out = []
    for p, s in (("imap", "tls"), ("imap", "starttls"), ("smtp", "none"), ("pop3", "starttls")):
        server = z.server(scripted.silent)
        out.append(Case(f"silent-{p}-{s}", "accepts and says nothing", "NO_GREETING", task(p, s, host, server.port),
                        reached="reach"))
    out.append(Case("silent-after-tls", "silent after the handshake", "NO_GREETING",
                    task(*IMAPS, host, z.serve(scripted.silent, "good")), reached="tls"))
    for name, script in (("web", scripted.http), ("ssh", scripted.ssh)):
        for p, s in (("imap", "tls"), ("smtp", "starttls")):
            server = z.server(script)
            out.append(Case(f"{name}-{p}-{s}", f"{name} server", "NOT_MAIL_SERVER", task(p, s, host, server.port),
                            silent=server))
    out.append(Case("captive-portal", "web server with a fine certificate", "NOT_MAIL_SERVER",
                    task(*IMAPS, host, z.serve(scripted.http, "good"))))
    ports = {"imap": (143, 993), "pop3": (110, 995), "smtp": (587, 465)}
    for p, (plain, tls) in ports.items():
        out.append(Case(f"tls-to-plain-{p}", f"Dovecot port {plain}, tls", "TLS_TO_PLAIN_PORT",
                        task(p, "tls", "good.zoo.test", plain), says=("STARTTLS",)))
        for s in ("starttls", "none"):
            out.append(Case(f"{s}-to-tls-{p}", f"Dovecot port {tls}, {s}", "PLAIN_TO_TLS_PORT",
                            task(p, s, "good.zoo.test", tls)))
        for other, (oplain, otls) in ports.items():
            if other == p:
                continue
            out.append(Case(f"{p}-to-{other}s", f"Dovecot {other} port {otls}, {p} tls", "WRONG_PROTOCOL",
                            task(p, "tls", "good.zoo.test", otls)))
            out.append(Case(f"{p}-to-{other}", f"Dovecot {other} port {oplain}, {p} starttls", "WRONG_PROTOCOL",
                            task(p, "starttls", "good.zoo.test", oplain)))
    return out


def refusals(z):
    host = "here.wild.zoo.test"
    out = []
    rows = (("imap", "* BYE go away", "SERVER_REFUSES"), ("pop3", "-ERR go away", "SERVER_REFUSES"),
            ("smtp", "554 5.7.1 blocked using zen.example", "SERVER_REFUSES"), ("smtp", "421 4.3.2 busy", "SERVER_REFUSES"),
            ("smtp", "421 4.7.0 Too many connections", "TOO_MANY_CONNECTIONS"),
            ("imap", "* BYE [LIMIT] Too many", "TOO_MANY_CONNECTIONS"),
            ("pop3", "-ERR Maximum number of connections from your IP exceeded", "TOO_MANY_CONNECTIONS"),
            ("imap", "* BYE Auth process broken", "AUTH_TEMP"))
    for i, (p, line, cls) in enumerate(rows):
        server = z.server(scripted.greets(line), "good")
        out.append(Case(f"greets-{i}-{p}", line, cls, task(p, "tls", host, server.port), silent=server,
                        says=(line.split()[-1],)))
    out.append(Case("greets-and-sleeps", "no answer to CAPABILITY", "SERVER_SLOW",
                    task(*IMAPS, host, z.serve(scripted.greets("* OK ready"), "good"))))
    out.append(Case("endless", "capabilities without end", "PROTOCOL_ERROR",
                    task(*IMAPS, host, z.serve(scripted.endless, "good"))))
    server = z.server(scripted.hang_up)
    out.append(Case("drops-at-once", "closes before the greeting", "CONN_DROPPED", task("smtp", "none", host, server.port)))

    def no_helo(t):
        t.say("220 ready")
        while True:
            t.line()
            t.say("550 5.7.1 HELO name refused")
    out.append(Case("ehlo-refused", "550 to EHLO and HELO", "EHLO_REJECTED",
                    task("smtp", "tls", host, z.serve(no_helo, "good"))))
    return out


def policy(z):
    """Nothing secret goes to a host that the signed policy does not name."""
    server = z.server(scripted.imap(login="OK in"), "good")
    known = [{"protocol": "imap", "host": "good.zoo.test", "port": 993, "security": "tls"}]
    return [Case("not-in-policy", "a typosquat with a fine certificate", "NOT_IN_POLICY",
                 task(*IMAPS, "here.wild.zoo.test", server.port, known=known), silent=server),
            Case("in-policy", "the host of the policy", "", task(*IMAPS, "good.zoo.test", 993, known=known), reached="login")]


def cases(z):
    return settings() + names() + routes() + who_answers(z) + refusals(z) + policy(z)
