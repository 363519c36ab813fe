"""An IMAP server over TLS that takes its time to answer a login, for any number of connections.

Usage: slowimap.py PORT CERTIFICATE KEY SECONDS
"""

import asyncio
import ssl
import sys


async def talk(reader, writer):
    writer.write(b"* OK ready\r\n")
    try:
        while line := await reader.readline():
            tag, _, rest = line.partition(b" ")
            verb = rest.split(b" ")[0].strip().upper()
            if verb == b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n")
            elif verb == b"AUTHENTICATE":
                if len(rest.split()) == 2:
                    writer.write(b"+ \r\n")
                    await reader.readline()
                await asyncio.sleep(SECONDS)
            elif verb == b"EXAMINE":
                writer.write(b"* 0 EXISTS\r\n")
            writer.write(tag + b" OK done\r\n")
            if verb == b"LOGOUT":
                break
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(talk, "127.0.0.1", int(sys.argv[1]), ssl=context, backlog=2000)
    print("ready", flush=True)
    await server.serve_forever()


SECONDS = float(sys.argv[4])
asyncio.run(main())
