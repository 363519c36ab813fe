/*
 * Between mailmuster and mailmuster-deliver, the one program of the
 * controller that speaks with somebody else's log collector or web server:
 * it has no store, no policy and no key, and libcurl is linked with nothing
 * else here.
 *
 * Standard input: one line of JSON, {"url": ..., "ca_file": ..., "timeout": seconds,
 * "headers": [...]}, then the body up to the end. Nothing secret stands in
 * its arguments or environment. What the URL means:
 *
 *   https://, http://   the body is POSTed; taken = an answer 200 to 299
 *   tls://, tcp://      the body is a row of messages, "LENGTH SP MESSAGE" each
 *                       (RFC 6587 3.4.1, RFC 5425 4.3), sent as it is
 *   udp://              each of these messages is one datagram (RFC 5426)
 *
 * Standard output: one line of JSON, {"taken": true} or {"taken": false,
 * "text": a sentence without the URL's path}. Exit status 0 in both cases.
 */
#ifndef MM_CONTROLLER_DELIVER_H
#define MM_CONTROLLER_DELIVER_H

#include <stddef.h>

#define MM_DELIVER_PROGRAM "mailmuster-deliver"
#define MM_DELIVER_MAX (48u * 1024u * 1024u) /* bytes of a body */
#define MM_DELIVER_HEADERS 16

#endif
