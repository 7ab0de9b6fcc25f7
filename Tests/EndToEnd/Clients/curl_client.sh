#!/bin/bash
# A session through Lychgate with curl, checked at every step; see python_client.py.
#
#     curl_client.sh before|after BASE STATE
set -euo pipefail
phase=$1 base=$2 state=$3

ask() { curl --silent --show-error --max-time 20 --cookie "$state" --cookie-jar "$state" "$@"; }

check() {
    if [ "$2" != "$3" ]; then
        echo "$1: '$2' instead of '$3'" >&2
        exit 1
    fi
}

status() { ask --output /dev/null --write-out '%{http_code}' "$@"; }

if [ "$phase" = before ]; then
    check log-in "$(status --request POST "$base/api/connect")" 200
    check work "$(status "$base/api/work")" 200
    data=$(head -c 3000000 /dev/zero | tr '\0' x)
    # More than 1 MiB: curl expects 100-continue, and a chunked upload from a pipe.
    answer=$(printf %s "$data" | ask --data-binary @- "$base/echo")
    check upload "${answer##*\"count\":3000000,*}" ""
    answer=$(printf %s "$data" | ask --upload-file - "$base/echo")
    check stream "${answer##*\"count\":3000000,*}" ""
    check down "$(ask "$base/bytes?n=1000000" | wc -c)" 1000000
    check chunked "$(ask "$base/chunked?n=100000" | wc -c)" 100000
    check until-close "$(ask "$base/until-close?n=50000" | wc -c)" 50000
    check 1.0 "$(ask --http1.0 "$base/chunked?n=100000" | wc -c)" 100000
    check HEAD "$(ask --head "$base/bytes?n=10" | grep -ci '^content-length: 10')" 1
    check 204 "$(status "$base/204")" 204
    check "two on one connection" "$(ask "$base/bytes?n=5" "$base/bytes?n=6" | wc -c)" 11
else
    answer=$(ask --include "$base/api/work")
    check "the one 401" "$(grep -c '^HTTP/1.1 401' <<< "$answer")" 1
    check why "$(grep -c '^X-Session-Cleared: backend-restart' <<< "$answer")" 1
    check anonymous "$(ask "$base/api/work" | grep -c NO_SESSION_ID)" 1
    check log-in "$(status --request POST "$base/api/connect")" 200
    check work "$(status "$base/api/work")" 200
fi
