"""Runs docs/examples/verify.py on many vectors and bundles in one process.

Standard input: {"vectors": [FILE, ...], "bundles": [{"dir": ..., "log_keys": [...], "heads": [...], ...}, ...]}.
Standard output: a line of JSON for each, in this order: a list of [file, entry, what, offset]."""
import json, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify


def vector(path):
    """What the second verifier finds in a vector: docs/vectors.md."""
    with open(path, "rb") as f:
        head, _, body = f.read().partition(b"\n\n")
    fields = {}
    for line in head.decode().split("\n")[1:]:
        name, _, value = line.partition(": ")
        fields.setdefault(name, []).append(value)
    one = lambda name: fields.get(name, [""])[0]
    found = []
    try:
        if one("input") == "entry":
            verify.parse_entry(body)
        elif one("input") == "entries":
            for b in body.split(b"\n")[:-1]:
                verify.parse_entry(b)
        elif one("input") == "checkpoint":
            if verify.parse_checkpoint(verify.open_note(body, one("log-key")))[0] != one("origin"):
                raise verify.Wrong("another origin")
            for key in fields.get("witness-key", []):
                verify.open_note(body, key, 4)
        else:
            n, database = int(one("lines")), one("database")
            database = pathlib.Path(path).with_name(database) if database else None
            log = verify.check_log(body[:n], body[n:], database, lambda file, entry, what, offset=-1: found.append((file, entry, what, offset)))
            found += [("log.jsonl", at, "hidden, though nothing says that this is a redacted copy", -1) for at in log.hidden]
    except ValueError as err:
        found.append(("", -1, str(err), getattr(err, "offset", -1)))
    return found


jobs = json.load(sys.stdin)
for path in jobs["vectors"] or []:
    print(json.dumps(vector(path)))
for job in jobs["bundles"] or []:
    print(json.dumps(verify.check_bundle(job["dir"], job["log_keys"] or [], job["heads"] or [], job["script"], job["witnesses"] or [])[1]))
