"""Compares our verdicts on many generated request heads with those of h11 and httptools.

Reads lines of four words from standard input: our verdict ("accepted", "incomplete", "refused"),
the framing or the cause of the refusal (or "-"), and the message in base64. Prints what must not
be and exits 1 if there is any:

- we accept what both of them refuse;
- we and one of them accept, and end the content elsewhere: a smuggled request;
- we wait for more of what one of them has taken for whole;
- we refuse what both of them accept, for a cause for which they need not.
"""

import base64
import collections
import sys

import oracle

# Causes for which we refuse and they need not: a server's business, or the stricter reading.
OURS = {
    # RFC 9112 3.2, RFC 9110 7.2: Host and target are for a server to check.
    "hostMissing", "hostRepeated", "badHost", "badTarget", "badTargetForm",
    # RFC 9112 2.2: line feeds alone; empty lines before the head.
    "bareLineFeed", "emptyLines",
    # RFC 9112 6.1, 6.3: faulty or doubled framing, which others repair.
    "bothLengths", "repeatedContentLength", "codingInOldVersion", "unknownTransferCoding",
    "badTransferEncoding", "framingAlias",
    # Numbers beyond 2^63, other major versions.
    "badContentLength", "versionNotSupported",
}


def verdicts(message):
    case = {"kind": "request", "method": "GET"}
    # h11 does not pass over the empty line that RFC 9112 2.2 speaks of.
    whole = message[2:] if message.startswith(b"\r\n") else message
    return {"h11": oracle.h11_head(case, whole), "httptools": oracle.httptools_head(case, message)}


def objection(ours, detail, message):
    theirs = verdicts(message)
    accepting = {name: framing for name, (verdict, framing) in theirs.items() if verdict == "accepted"}
    if ours == "accepted":
        if all(verdict == "refused" for verdict, _ in theirs.values()):
            return "accepted, refused by both"
        for name, framing in accepting.items():
            if framing != detail and not (framing == "endless" and is_long(detail)):
                return "framing %s, but %s by %s" % (detail, framing, name)
    elif ours == "incomplete":
        for name in accepting:
            return "incomplete, but whole for %s" % name
    elif len(accepting) == 2 and detail not in OURS:
        return "refused for %s, accepted by both" % detail
    return None


def is_long(framing):
    return framing.startswith("length ") and int(framing.split()[1]) > 100


def main():
    seen = collections.Counter()
    failures = 0
    for line in sys.stdin:
        ours, detail, encoded = line.rstrip("\n").split(" ")
        message = base64.b64decode(encoded)
        seen[ours] += 1
        found = objection(ours, detail.replace(":", " ") if ours == "accepted" else detail, message)
        if found:
            failures += 1
            if failures <= 20:
                print("%s: %r" % (found, message))
    print("%s, %d unexplained differences" % (dict(seen), failures))
    # Heads that are all of one kind would compare nothing.
    return 1 if failures or min(seen["accepted"], seen["refused"]) < sum(seen.values()) / 10 else 0


if __name__ == "__main__":
    sys.exit(main())
