#!/usr/bin/env python3
"""sigv4.py SECRET PATH <LOG: are the writes in a log of rw_receiver.py signed as
AWS wants it (Signature Version 4), by SECRET, for PATH? The signature is made
anew here, of what was received."""

import hashlib
import hmac
import json
import re
import sys

secret, path = sys.argv[1:]


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


count = 0
for line in sys.stdin:
    _, body_hash, headers = line.split(" ", 2)
    headers = json.loads(headers)
    scope, signed, signature = re.fullmatch(
        "AWS4-HMAC-SHA256 Credential=[^/]+/([^,]+), *SignedHeaders=([^,]+), "
        "*Signature=([0-9a-f]+)", headers["authorization"]).groups()
    names = signed.split(";")
    assert names == sorted(names) and {"host", "x-amz-date"} <= set(names)
    date, region, service, end = scope.split("/")
    assert (service, end) == ("aps", "aws4_request")
    assert headers["x-amz-date"].startswith(date)
    request = "\n".join(["POST", path, ""] + [
        n + ":" + " ".join(headers[n].split()) for n in names] + [
            "", signed, body_hash])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                         hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, end):
        key = mac(key, part)
    want = mac(key, to_sign).hex()
    print(headers["authorization"], want)
    assert signature == want
    count += 1
assert count > 0
