"""An SMTP server that takes every message and writes one log line for each.

Stands behind Dovecot's submission service. Usage: smtpsink.py PORT LOGFILE
"""

import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write((text + "\r\n").encode())

    def handle(self):
        self.say("220 sink ESMTP")
        sender, to = "", []
        while True:
            line = self.rfile.readline(4096).decode(errors="replace").strip()
            if not line:
                return
            verb = line.split(":")[0].split(" ")[0].upper()
            if verb == "EHLO":
                self.say("250-sink\r\n250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN SESSION\r\n250-8BITMIME\r\n250 SIZE 10000000")
            elif verb == "XCLIENT":
                self.say("220 sink ESMTP")
            elif verb == "DATA":
                self.say("354 go on")
                size = 0
                while (data := self.rfile.readline(65536)) not in (b".\r\n", b""):
                    size += len(data)
                with open(self.server.log, "a", encoding="utf-8") as log:
                    log.write(f"from={sender} to={','.join(to)} size={size}\n")
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                if verb == "MAIL":
                    sender, to = line.partition(":")[2], []
                elif verb == "RCPT":
                    to.append(line.partition(":")[2])
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Session) as server:
        server.log = sys.argv[2]
        server.serve_forever()
