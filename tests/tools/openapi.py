#!/usr/bin/python3
"""openapi.py URL: does k6serve do what its document says, and nothing else?

Each path and method of the document is asked, of several runs, with each of its
parameters, and the answer must have the members of its schema: all of them and
no other; at the end each member must have been in some answer. Values that the
schema of a parameter does not allow must be refused. What parameters a path has
is asked of the server. Standard input has the routes of the server, METHOD PATH
a line, and the names of its errors, "error NAME"; each must be in the document,
and the document has no other. The server must have a run 1 with a crossed
threshold, a last run with data, and runs of the names "none" (no request got an
answer), "open" (it goes on, without data), "old" and "new" (of a minute). A line
for each difference; exit status 1 if there is one.
"""
import csv
import io
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE = sys.argv[1]
KEYWORDS = {"oneOf", "enum", "type", "items", "properties", "required",
            "additionalProperties", "description", "format"}
TIME = r"\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "number": (int, float), "integer": int, "null": type(None)}
EXAMPLES = {"limit": "5", "before": "1000", "search": "a", "state": "finished",
            "verdict": "none", "since": "2020-01-01", "until": "2100-01-01",
            "step": "60", "from": "0", "to": "2000000000",
            "series_from": "1",
            "tag": "scenario:default", "format": "json", "min_effect": "5",
            "base": "last", "baseline": "5", "_": "1",
            "metric": "http_req_duration",
            "name": "rich", "method": "GET", "status": "200"}
RUNS = ["1", "last:none", "last:open", "last:new", "last"]
WITH = {"from": {"to": "2000000000"}, "min_effect": {"base": "last:old"}}
differences = []


def differ(text):
    differences.append(text)


def ask(method, path, query=None, body=None, headers=None):
    """Status, fields and body of the answer."""
    url = BASE + path
    if query:
        url += "?" + urllib.parse.urlencode(query, doseq=True)
    r = urllib.request.Request(url, method=method, data=body, headers={
        **({"Content-Type": "application/json"} if body else {}),
        **(headers or {})})
    try:
        with urllib.request.urlopen(r, timeout=600) as answer:
            if answer.headers["Content-Type"] == "text/event-stream":
                return 200, answer.headers, b""  # it may go on
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


class Document:
    """The document, and which of its members real answers had."""

    def __init__(self, text):
        self.all = json.loads(text)
        self.seen = set()  # (where a schema stands, member), not null

    def get(self, node):
        """What a reference stands for."""
        while "$ref" in node:
            at = self.all
            for part in node["$ref"].split("/")[1:]:
                at = at[part]
            node = at
        return node

    def faults(self, value, schema, at):
        """What is wrong with a value by a schema."""
        schema = self.get(schema)
        if set(schema) - KEYWORDS:
            return [f"{at}: not understood: {set(schema) - KEYWORDS}"]
        if "oneOf" in schema:
            each = [self.faults(value, s, at) for s in schema["oneOf"]]
            n = sum(not f for f in each)
            return [] if n == 1 else [f"{at}: is {n} of oneOf"] if n else \
                min(each, key=len)
        if "enum" in schema:
            return [] if value in schema["enum"] else [
                f"{at}: {value!r} is not in the document"]
        types = schema["type"]
        types = types if isinstance(types, list) else [types]
        if not any(isinstance(value, TYPES[t]) and
                   (t == "boolean" or not isinstance(value, bool))
                   for t in types):
            return [f"{at}: {value!r:.60} is no {types}"]
        if schema.get("format") == "date-time" and value is not None and \
                not re.fullmatch(TIME, value):
            return [f"{at}: {value!r} is no time"]
        if isinstance(value, list):
            return [f for v in value for f in
                    self.faults(v, schema["items"], at + "[]")]
        return self.faults_of_object(value, schema, at) \
            if isinstance(value, dict) else []

    def faults_of_object(self, value, schema, at):
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            return [f for k, v in value.items()
                    for f in self.faults(v, more, at + "." + k)]
        if "properties" not in schema:
            return []
        if more is not False:
            return [f"{at}: the document allows more members"]
        known = schema["properties"]
        self.seen |= {(id(schema), k) for k, v in value.items()
                      if v is not None}
        return [f"{at}: {k} is missing" for k in schema["required"]
                if k not in value] + \
            [f"{at}: {k} is not in the document" for k in value
             if k not in known] + \
            [f for k, v in value.items() if k in known
             for f in self.faults(v, known[k], at + "." + k)]

    def unseen(self):
        """Members that no answer had."""
        def walk(node, at):
            if isinstance(node, list):
                for i, n in enumerate(node):
                    walk(n, f"{at}/{i}")
            if not isinstance(node, dict):
                return
            if "properties" in node and "requestBody" not in at:
                none.extend(f"{at}: no answer had {k}"
                            for k in node["properties"]
                            if (id(node), k) not in self.seen)
            for k, n in node.items():
                walk(n, at + "/" + k)
        none = []
        walk(self.all, "")
        return none


# What is wrong with a request, and how the answer calls that.
WRONG = [
    ("GET", "/api/v1/runs/999", {}, None, "no_such_run"),
    ("GET", "/api/v1/runs/x/series", {}, None, "no_such_run"),
    ("GET", "/api/v1/nothing", {}, None, "no_such_path"),
    ("PUT", "/api/v1/runs", {}, None, "method_not_allowed"),
    ("GET", "/api/v1/runs?no=1", {}, None, "unknown_parameter"),
    ("GET", "/api/v1/runs?limit=0", {}, None, "bad_parameter"),
    ("GET", "/api/v1/runs/last/urls?tag=x", {}, None, "bad_parameter"),
    ("PATCH", "/api/v1/runs/last", {}, b"{}", "bad_body"),
    ("PATCH", "/api/v1/runs/last", {}, b'{"note":5}', "bad_body"),
    ("PATCH", "/api/v1/runs/last", {}, b'{"note":"x","no":1}', "bad_body"),
    ("PATCH", "/api/v1/runs/last", {}, b'{"baseline":"x"}', "bad_body"),
    ("PATCH", "/api/v1/runs/last", {"Content-Type": "text/plain"}, b"{}",
     "not_json"),
    ("GET", "/api/v1/runs", {"Host": "other.test"}, None, "wrong_host"),
    ("DELETE", "/api/v1/runs/last", {"Origin": "http://other.test"}, None,
     "cross_site"),
    ("GET", "/api/v1/runs/last", {"K6push-Database": "0"}, None,
     "other_database"),
]


def check_errors(doc, names):
    """Each error has a name, which the document lists."""
    failure = doc.all["components"]["schemas"]["Failure"]
    listed = failure["properties"]["error"]["properties"]["code"]["enum"]
    if sorted(listed) != sorted(names):
        differ(f"errors: not both in document and server: "
               f"{sorted(set(listed) ^ set(names))}")
    for method, path, headers, body, name in WRONG:
        status, _, text = ask(method, path, None, body, headers)
        told = json.loads(text)
        if status < 400:
            differ(f"{method} {path}: {status}")
        for f in doc.faults(told, failure, f"failure {status}"):
            differ(f)
        if told.get("error", {}).get("code") != name:
            differ(f"{method} {path} {headers}: {told}, not {name}")


def leaves(value, prefix):
    """The names of the members of an object, and of the objects in it."""
    for k, v in value.items():
        if isinstance(v, dict):
            yield from leaves(v, prefix + k + ".")
        elif v is not None:  # an object that is not known has no names
            yield prefix + k


def check_csv(doc, schema, text, told, where):
    """Its columns are the members of the array's objects, of the document and
    of told, which came as JSON."""
    def columns(s, prefix):
        s = doc.get(s)
        for one in s.get("oneOf", [s]):
            one = doc.get(one)
            for k, v in one["properties"].items():
                v = doc.get(v)
                if "properties" in v:
                    yield from columns(v, prefix + k + ".")
                elif "additionalProperties" in v:
                    yield prefix + k + ".*"
                else:
                    yield prefix + k

    known = set(columns(schema["items"], ""))
    rows = list(csv.reader(io.StringIO(text.decode())))
    for name in rows[0]:
        if name not in known and name.rpartition(".")[0] + ".*" not in known:
            differ(f"{where}: column {name} is not in the document")
    for name in sorted({n for row in told for n in leaves(row, "")}):
        if name not in rows[0]:
            differ(f"{where}: no column {name}, which JSON has")
    if len(rows) - 1 != len(told):
        differ(f"{where}: {len(rows) - 1} rows, JSON has {len(told)}")
    if any(len(r) != len(rows[0]) for r in rows):
        differ(f"{where}: a row has more or fewer fields than the first")


def check_fields(op, path, query, head, where):
    """Who has the answer is told so, where the document says it; other fields
    that it names are there."""
    told = op["responses"].get("304") is not None
    if told != (head["ETag"] is not None):
        differ(f"{where}: 304 or ETag, and not both")
    if told:
        status, _, body = ask("GET", path, query, None,
                              {"If-None-Match": head["ETag"]})
        if status != 304 or body:
            differ(f"{where}: {status} to the ETag of the answer")
    if "Link" in op["responses"]["200"].get("headers", {}) and not query:
        _, head, _ = ask("GET", path, {"limit": "1"})
        if not re.fullmatch(r"</api/v1/runs\?[^>]*>; rel=\"next\"",
                            head["Link"] or ""):
            differ(f"{where}: no Link to a next page: {head['Link']}")


def check_answer(doc, method, path, op, query, body=None):
    where = f"{method} {path} {query}"
    status, head, text = ask(method, path, query, body)
    content = op["responses"]["200"]["content"]
    if status != 200:
        differ(f"{where}: status {status} {text[:200]}")
        return
    media = head["Content-Type"].split(";")[0]
    arrays = [c["schema"] for c in content.values()
              if c.get("schema", {}).get("type") == "array"]
    if media not in content:
        differ(f"{where}: {media} is not in the document")
    elif media == "application/json":
        for f in doc.faults(json.loads(text), content[media]["schema"], where):
            differ(f)
    elif media == "text/csv" and arrays:
        told = ask(method, path, {**query, "format": "json"})[2]
        check_csv(doc, arrays[0], text, json.loads(told), where)
    # an array comes as CSV, and nothing else does
    if "application/json" in content and \
            bool(arrays) != ("text/csv" in content):
        differ(f"{where}: an array without CSV, or CSV of no array")
    if method == "GET":
        check_fields(op, path, query, head, where)


def wrong_values(schema):
    """Values of a parameter that its schema does not allow."""
    if "enum" in schema:
        return ["no-such", ""]
    wrong = []
    types = schema["type"]
    if types in ("integer", "number"):
        wrong = ["x", "", "1x"] + ([] if types == "number" else ["1.5"])
    if "minimum" in schema:
        wrong.append(str(schema["minimum"] - 1))
    if "maximum" in schema:
        wrong.append(str(schema["maximum"] + 1))
    if "maxItems" in schema:
        wrong.append(["a:b"] * (schema["maxItems"] + 1))
    if "pattern" in schema or "pattern" in schema.get("items", {}):
        wrong.append("x")
    return wrong


def right_values(schema):
    """Values that are at the edge of what it allows."""
    return schema.get("enum", []) + [
        str(schema[k]) for k in ("minimum", "maximum") if k in schema]


def check_values(doc, method, path, op, always):
    """A value that the document does not allow is refused, one that it allows
    is not."""
    for p in [doc.get(p) for p in op.get("parameters", [])]:
        if p["in"] != "query":
            continue
        has_csv = "text/csv" in op["responses"]["200"]["content"]
        for value in wrong_values(p["schema"]):
            status, _, text = ask(method, path, {**always, p["name"]: value})
            if status != 400 or json.loads(text)["error"]["code"] != \
                    "bad_parameter":
                differ(f"{method} {path}: {p['name']}={value}: {status}")
        for value in right_values(p["schema"]):
            query = {**always, **WITH.get(p["name"], {}), p["name"]: value}
            if p["name"] == "baseline":
                query.pop("base", None)
            if p["name"] == "from" and int(value) >= 2000000000 or \
                    p["name"] == "to":
                query["from"] = "0"
            status, _, text = ask(method, path, query)
            if (status == 200) != (value != "csv" or has_csv):
                differ(f"{method} {path} {query}: {status} {text[:200]}")


def check_parameters(doc, method, path, op):
    """Those that the server tells when it is asked for one it has not."""
    told = {doc.get(p)["name"] for p in op.get("parameters", [])
            if doc.get(p)["in"] == "query"}
    status, _, text = ask(method, path, {"no-such": "1"},
                          b"{}" if method != "GET" else None)
    message = json.loads(text)["error"]["message"] if status == 400 else ""
    if not message.startswith('unknown parameter "no-such"'):
        differ(f"{method} {path}: takes an unknown parameter: {status}")
    known = set(message.partition("there are: ")[2].split())
    if known != told:
        differ(f"{method} {path}: the server knows {sorted(known)}, "
               f"the document {sorted(told)}")
    return told


def check(doc, method, path, op):
    told = check_parameters(doc, method, path, op)
    always = {"base": "last:old"} if path.endswith("/diff") else {}
    bodies = [b'{"note":"x"}', b'{"baseline":true}'] if method == "PATCH" \
        else [None]
    for run in RUNS if method == "GET" and "/last" in path else ["last"]:
        for body in bodies:
            check_answer(doc, method, path.replace("/last", "/" + run), op,
                         always, body)
    for name in sorted(told):
        query = {name: EXAMPLES[name]}
        query.update(WITH.get(name, {}))
        check_answer(doc, method, path, op, query if name == "baseline" else
                     {**always, **query})
    if "metric" in told:
        check_answer(doc, method, path, op, {"metric": "http_reqs"})
    check_values(doc, method, path, op, always)
    if "text/csv" in op["responses"]["200"]["content"] and "format" in told:
        check_answer(doc, method, path, op, {"format": "csv"})


def main():
    doc = Document(ask("GET", "/api/v1/openapi.json")[2])
    routes = {tuple(line.split()) for line in sys.stdin}
    errors = {r[1] for r in routes if r[0] == "error"}
    routes = {r for r in routes if r[0] != "error"}
    documented = {(m.upper(), p.replace("{id}", "*"))
                  for p, ms in doc.all["paths"].items() for m in ms}
    for method, path in sorted(routes - documented):
        differ(f"{method} {path}: is not in the document")
    for method, path in sorted(documented - routes):
        differ(f"{method} {path}: the server has no such route")
    used = {p["$ref"].rsplit("/", 1)[1] for ms in doc.all["paths"].values()
            for op in ms.values() for p in op.get("parameters", [])}
    for name in set(doc.all["components"]["parameters"]) - used:
        differ(f"parameter {name} is never used")
    todo = [(m.upper(), p, op) for p, ms in doc.all["paths"].items()
            for m, op in ms.items()]
    check_errors(doc, errors)
    for method, path, op in sorted(todo, key=lambda t: t[0] == "DELETE"):
        check(doc, method, path.replace("{id}", "last"), op)
    for text in doc.unseen():
        differ(text)
    print("\n".join(differences))
    sys.exit(bool(differences))


main()
