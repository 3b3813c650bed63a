#!/usr/bin/env python3
"""Checks the bundle of a key ceremony a second time, without keyrite.

Written from docs/audit-log.md and docs/bundle.md alone, with Python's library and the program openssl. It checks the evidence:
every byte of the log in both its stores, chain, tree, checkpoints, and what the log binds: script, artifacts, signatures, pages;
of a redacted copy, what it shows. It does not judge the ceremony: whether steps, people and calls are right is keyrite-verify's part.
Exit: 0 all holds, 1 something does not, 2 wrong use."""
import argparse, base64, contextlib, datetime, functools, hashlib, itertools, json, os, pathlib, re, sqlite3, subprocess, sys, tempfile

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[1] / "audit-log.schema.json").read_bytes())

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

class Wrong(ValueError):
    """Something is not what it must be; in an entry from the byte at offset on."""
    def __init__(self, what, offset=-1):
        super().__init__(f"byte {offset}: want {what}" if offset >= 0 else what)
        self.offset = offset
class NotMade(Exception): """A check needs an entry that is hidden, so it is not made."""
class HiddenData(dict):
    """Data of a hidden entry: whoever asks for a member finds that his check cannot be made."""
    def __missing__(self, name): raise NotMade

# Canonical JSON: docs/audit-log.md, "Canonical JSON".
ESCAPES = {c: f"\\u{c:04x}" for c in range(32)} | {ord(c): "\\" + e for e, c in zip('"\\btnfr', '"\\\b\t\n\f\r')}
NUMBER = re.compile(rb"-?([0-9]*)")
STRING = re.compile(rb"""(?:[\x20!#-\[\]-\x7f]|\\["\\btnfr]|\\u00(?:0[0-7bef]|1[0-9a-f])|[\xc2-\xdf][\x80-\xbf]
    |\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}
    |[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*""", re.X)

class Scanner:
    """Reads canonical JSON. Of the outermost object it keeps every member: offset of the name, name, offset of the value, end."""
    def __init__(self, b):
        self.b, self.i, self.depth, self.members = b, 0, 0, []
    def next(self, n=1): return self.b[self.i:self.i + n]
    def expect(self, text, want):
        for c in text:
            if self.next() != bytes([c]): raise Wrong(want, self.i)
            self.i += 1
    def value(self):
        c = self.next()
        if c == b'"': return self.string()
        if c == b"{": return self.items(b"}", {}, self.member)
        if c == b"[": return self.items(b"]", [], lambda out: out.append(self.value()))
        if c and c in b"-0123456789": return self.number()
        for word, v in ((b"true", True), (b"false", False), (b"null", None)):
            if c == word[:1]: return self.expect(word, word.decode()) or v
        raise Wrong("a value", self.i)
    def items(self, end, out, one):
        if self.depth == 32: raise Wrong("at most 32 levels", self.i)
        self.depth, self.i = self.depth + 1, self.i + 1
        if self.next() != end:
            one(out)
            while self.next() == b",":
                self.i += 1
                one(out)
        self.expect(end, "a comma or the closing bracket")
        self.depth -= 1
        return out
    def member(self, out):
        at, before = self.i, next(reversed(out), None)
        if self.next() != b'"': raise Wrong("a member's name", at)
        name = self.string()
        if before is not None and name.encode("utf-16-be") <= before.encode("utf-16-be"): raise Wrong("names in the order of UTF-16 code units", at)
        self.expect(b":", "a colon")
        start, out[name] = self.i, self.value()
        if self.depth == 1: self.members.append((at, name, start, self.i))
    def number(self):
        m, at = NUMBER.match(self.b, self.i), self.i
        self.i, digits = m.end(), m[1]
        if digits[:1] == b"0" and len(digits) > 1: raise Wrong("no leading zero", m.start(1))
        if digits and int(digits[:17]) >= 2 ** 53: raise Wrong("a number below 2^53", at)
        if not digits or self.next() in (b".", b"e", b"E"): raise Wrong("an integer", self.i)
        if m[0] == b"-0": raise Wrong("0 without a sign", at)
        return int(m[0])
    def string(self):
        at = self.i
        self.i = STRING.match(self.b, self.i + 1).end()
        self.expect(b'"', "a character in its one form: UTF-8, or the shortest escape")
        return json.loads(self.b[at:self.i])

# Entries: docs/audit-log.md, "Entry", and the schema beside it.
EMPTY = {"string": "", "integer": 0, "boolean": False, "array": [], "object": {}}
KINDS = "|".join(SCHEMA["properties"]["kind"]["enum"]).encode()
FORMS = ((2, rb'"[0-9a-f]{64}"'), (3, rb'"[0-9a-f]{32}"'), (4, rb"[0-9]+"), (5, rb'".*"'),
         (6, rb'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{9}Z"'), (1, b'"(' + KINDS + b')"'))

def written(schema, v):
    """What the format writes for a value: the members of the schema and no others; those that must be there
    are empty if they are missing or of another type, the others are there only if not empty."""
    if "$ref" in schema: schema = SCHEMA["$defs"][schema["$ref"].split("/")[-1]]
    empty = EMPTY[schema["type"]]
    v = v if type(v) is type(empty) else empty
    if schema["type"] == "array": return b"[" + b",".join(written(schema["items"], x) for x in v) + b"]"
    if schema["type"] == "object":  # its names are ASCII, and in order
        return b"{" + b",".join(b'"%s":%s' % (name.encode(), written(s, v.get(name))) for name, s in schema["properties"].items()
                                if name in schema["required"] or (isinstance(v.get(name), dict) if "$ref" in s else v.get(name))) + b"}"
    return b'"' + v.translate(ESCAPES).encode() + b'"' if schema["type"] == "string" else str(v).lower().encode()

@functools.lru_cache(maxsize=20000)
def parse_entry(b):
    """The members of an entry."""
    if len(b) > 65536: raise Wrong(f"{len(b)} bytes, at most 65,536")
    s = Scanner(b)
    if b[:1] != b"{": raise Wrong("an object", 0)
    e = s.value()
    if s.i < len(b): raise Wrong("the end", s.i)
    for name, m in itertools.zip_longest(["data", "kind", "prev", "salt", "seq", "step", "time"], s.members):
        if not m or m[1] != name: raise Wrong(f"member {name}", m[0] if m else len(b) - 1)
    for i, form in FORMS:
        _, name, start, end = s.members[i]
        good = False
        with contextlib.suppress(ValueError):
            good = re.fullmatch(form, b[start:end], re.DOTALL) and (name != "time" or datetime.datetime.fromisoformat(e["time"][:19]))
        if not good: raise Wrong(f"a value as {name} has it", start)
    start, end = s.members[0][2:]
    again = written(SCHEMA["$defs"][e["kind"]], e["data"])
    if b[start:end] != again: raise Wrong(f"data as the kind {e['kind']} has it", start + len(os.path.commonprefix([b[start:end], again])))
    return e

def read_line(b, before):
    """An entry and its hash, given the hash before: one that is hidden stands by what its hash is said to be."""
    m = re.fullmatch(rb'\{"hidden":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,15})\}', b)
    if not m: return parse_entry(b), sha256(b"\0", b)
    return {"kind": "hidden", "data": HiddenData(), "seq": int(m[2]), "prev": before.hex()}, bytes.fromhex(m[1].decode())

# Signatures: docs/audit-log.md, "Checkpoint", "Log keys and segments", "Cosignature".
@functools.lru_cache(maxsize=None)
def verifies(key, message, signature, *options):
    """Whether openssl finds a signature over a message to be by a key, the DER of a SubjectPublicKeyInfo."""
    with tempfile.TemporaryDirectory() as d:
        for name, content in (("key", key), ("message", message), ("signature", signature)): pathlib.Path(d, name).write_bytes(content)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature"
        return subprocess.run([*command.split(), *options], cwd=d, capture_output=True).returncode == 0

def unbase64(text):
    b = base64.b64decode(text, validate=True)
    if base64.b64encode(b).decode() != text: raise Wrong(f"not base64 in its one form: {text!r}")
    return b

def parse_key(vkey, kind):
    """Name, key ID and public key of NAME+ID+BASE64, whose type is 1 for a log key and 4 for a witness's."""
    name, key_id, text = (vkey.split("+", 2) + ["", ""])[:3]
    b = unbase64(text)
    if len(b) != 33 or b[0] != kind or sha256(name.encode(), b"\n", b)[:4].hex() != key_id: raise Wrong(f"not a verifier key of type {kind}: {vkey!r}")
    return name, bytes.fromhex(key_id), bytes.fromhex("302a300506032b6570032100") + b[1:]

def for_notes(vkey):
    """A witness's or approver's key in its form for notes, type 1."""
    name, plain = parse_key(vkey, 4)[0], b"\1" + parse_key(vkey, 4)[2][-32:]
    return f"{name}+{sha256(name.encode(), bytes([10]), plain)[:4].hex()}+{base64.b64encode(plain).decode()}"

def read_note(b):
    """Text of a signed note, and its signature lines as (name, key ID, signature)."""
    whole = b.decode()
    text, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n") or re.search("[\0-\x09\x0b-\x1f]", whole): raise Wrong("not a signed note")
    lines = [re.fullmatch(r"— ([^\s+]+) (\S+)", line) for line in below[:-1].split("\n")]
    if not all(lines): raise Wrong("a line below the note's text is no signature")
    return text + "\n", [(m[1], unbase64(m[2])[:4], unbase64(m[2])[4:]) for m in lines]

def open_note(b, vkey, kind=1):
    """Text of a note that a key signed: a log key, or a witness's, whose signature has a time in front."""
    text, lines = read_note(b)
    name, key_id, public = parse_key(vkey, kind)
    mine = [sig for n, i, sig in lines if (n, i) == (name, key_id)]
    time, sig = (mine[0][:8], mine[0][8:]) if kind == 4 and mine else (b"", b"".join(mine[:1]))
    header = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") if time else b""
    if len(mine) != 1 or not verifies(public, header + text.encode(), sig): raise Wrong(f"not signed, once, by {vkey}")
    return text

def parse_checkpoint(text):
    m = re.fullmatch(r"([^\s+\x00-\x1f\x7f-\x9f]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]+)\n", text)
    if not m or int(m[2]) >= 2 ** 53 or len(unbase64(m[3])) != 32: raise Wrong(f"not a checkpoint: {text!r}")
    return m[1], int(m[2]), unbase64(m[3])

@contextlib.contextmanager
def reporting(report, *where):
    """Reports what goes wrong inside."""
    try:
        with contextlib.suppress(NotMade): yield
    except (LookupError, ValueError, sqlite3.Error) as w:
        report(*where, str(w) if isinstance(w, Wrong) else repr(w), getattr(w, "offset", -1))

# The log: docs/audit-log.md, "Checking a log".
class Log:
    """Entries in their order, the keys that they name, and the root at every size."""
    def __init__(self, bodies, report):
        self.entries, self.leaves, self.segments, self.witnesses, self.origin, self.mode, place, before = [], [], [], {}, None, None, 0, bytes(32)
        for n, b in enumerate(bodies):
            e, leaf = {"kind": None, "data": {}}, sha256(b"\0", b)
            with reporting(report, n):
                e, leaf = read_line(b, before)
                if e["seq"] != place: report(n, f"it says that it is entry {e['seq']}")
                elif e["prev"] != before.hex(): report(n, f"prev is {e['prev']}, but the entry before has the hash {before.hex()}")
                place = e["seq"]
                self.course(n, e["kind"], e["data"])
            self.entries.append(e)
            self.leaves.append(leaf)
            place, before = place + 1, leaf
        self.hidden = [n for n, e in enumerate(self.entries) if e["kind"] == "hidden"]
        if not self.entries or self.entries[-1]["kind"] != "close": report(-1, "the log was not closed")
    @functools.lru_cache(maxsize=None)
    def root(self, size, first=0):
        """The root over so many entries from the first on: RFC 6962 section 2.1."""
        if size < 2: return self.leaves[first] if size else sha256()
        k = 1 << (size - 1).bit_length() - 1
        return sha256(b"\1", self.root(k, first), self.root(size - k, first + k))
    def course(self, n, kind, d):
        """What must hold of the entries that open and close a log or a segment."""
        if (kind == "log-open") != (n == 0): raise Wrong("log-open is the first entry and only that")
        if n and self.entries[-1]["kind"] == "close" or kind == "close" and d["size"] != n + 1:
            raise Wrong("something after the close, or the close of a log of another size")
        if kind == "hidden" and self.entries[-1]["kind"] == "pause": raise Wrong("what follows a pause, the next segment, is hidden")
        if kind == "log-open":
            self.origin, self.mode = d["origin"], d["mode"]
            m = re.fullmatch("keyrite.ceremony/(production|rehearsal)/[0-9a-f]{32}", self.origin)
            if d["format"] != 1 or not m or m[1] != self.mode: raise Wrong("another format version than 1, or origin and mode disagree")
        if kind == "segment-open":
            if d["segment"] != len(self.segments) or d["log_key"] in dict(self.segments).values(): raise Wrong("its number or key was there before")
            self.check_checkpoint(d["checkpoint"].encode(), n)
        if kind == "witness-key": self.witnesses[d["person"]] = d["key"]
        if kind in ("log-open", "segment-open"):
            if d["log_key"].split("+")[0] != self.origin: raise Wrong("the log key is named after another log")
            self.segments.append((n, d["log_key"]))
    def check_checkpoint(self, b, size, witnesses=()):
        """Checks a signed checkpoint for a size: its log key, and the witnesses that must have cosigned it."""
        (text, lines), (origin, says, root) = read_note(b), parse_checkpoint(read_note(b)[0])
        if (origin, says) != (self.origin, size) or size > len(self.leaves) or root != self.root(size):
            raise Wrong(f"the checkpoint of size {says} and root {root.hex()} of {origin} is not this log's at {size}")
        open_note(b, self.key_at(size))
        known = {parse_key(k, 4)[:2]: k for k in {*self.witnesses.values(), *witnesses}}
        others = [line for line in lines if line[:2] != parse_key(self.key_at(size), 1)[:2]]
        if {len(sig) for _, _, sig in others} - {72} or len({line[:2] for line in others}) != len(lines) - 1:
            raise Wrong("the checkpoint has a further line that is no cosignature, or two by one key")
        for vkey in {*witnesses, *(known[line[:2]] for line in others if line[:2] in known)}: open_note(b, vkey, 4)
    def known(self, table, name):
        """What entries say of a name; if none does, one that is hidden may."""
        if name not in table and self.hidden: raise NotMade
        return table[name]
    def key_at(self, size): return [key for first, key in self.segments if first < size][-1]  # of the last entry's segment

SCHEMA_SQL = [f"CREATE TABLE {t} BLOB NOT NULL) STRICT" for t in (
    "entry(seq INTEGER PRIMARY KEY, body", "checkpoint(size INTEGER PRIMARY KEY, note", "head(id INTEGER PRIMARY KEY CHECK(id=0), note")]

def read_database(path, report):
    """Entries, kept checkpoints and head of audit.db: docs/audit-log.md, "The store"."""
    if path.read_bytes()[18:20] != b"\1\1": report(-1, "the database is not closed, or it is none")
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        if [sql for sql, in db.execute("SELECT sql FROM sqlite_schema ORDER BY rowid")] != SCHEMA_SQL: raise Wrong("other tables than a log has")
        for pragma, want in (("application_id", 0x6b797274), ("user_version", 1), ("page_size", 4096), ("auto_vacuum", 0), ("encoding", "UTF-8"),
                             ("freelist_count", 0), ("page_count", path.stat().st_size / 4096), ("integrity_check", "ok")):
            if (found := db.execute(f"PRAGMA {pragma}").fetchone()[0]) != want: report(-1, f"{pragma} is {found}, want {want}")
        entries, kept, head = [list(db.execute(f"SELECT * FROM {t} ORDER BY 1")) for t in ("entry", "checkpoint", "head")]
    if not all(type(b) is bytes for _, b in entries + kept + head) or [n for n, _ in entries] != list(range(len(entries))):
        raise Wrong("rows that are no bytes, or are not numbered from 0 without a gap")
    return [b for _, b in entries], kept, head

def check_log(jsonl, checkpoint, database, report, witnesses=()):
    """Checks the two stores and their checkpoints, and returns the log."""
    bodies = jsonl.split(b"\n")
    if bodies.pop() != b"": report("log.jsonl", -1, "the last line does not end")
    log, from_database = Log(bodies, functools.partial(report, "log.jsonl")), functools.partial(report, "audit.db")
    with reporting(from_database, -1):
        entries, kept, head = read_database(database, from_database) if database else (bodies, [], [(0, checkpoint)])
        if entries != bodies: from_database(len(os.path.commonprefix([entries, bodies])), "the first entry that differs in log.jsonl and audit.db")
        if head != [(0, checkpoint)]: from_database(-1, "the head is not the file checkpoint")
        for size, note in kept:
            with reporting(from_database, size - 1): log.check_checkpoint(note, size)
    with reporting(report, "checkpoint", -1): log.check_checkpoint(checkpoint, len(bodies), witnesses)
    return log

# The bundle: docs/bundle.md.
PLACES = re.compile(r"(script\.yaml|audit\.db|log\.jsonl|checkpoint|transcript\.pdf|SHA256SUMS|manifest|redacted"
                    r"|keys/(log-[0-9]+|witness-[A-Za-z0-9._-]+)\.vkey|approvals/[A-Za-z0-9._-]+\.note|(artifacts|after)/[A-Za-z0-9_][A-Za-z0-9._-]{0,127})", re.ASCII)

def check_bundle(folder, log_keys=(), heads=(), script=None, witnesses=()):
    """Checks a bundle. Returns its log and what does not hold, each as (file, entry, what, offset)."""
    found, content = [], {}
    report = lambda file, entry, what, offset=-1: found.append((file, entry, what, offset))
    for path, name in ((p, p.relative_to(folder).as_posix()) for p in sorted(pathlib.Path(folder).rglob("*"))):
        if PLACES.fullmatch(name) and path.is_file() and not path.is_symlink(): content[name] = path.read_bytes()
        elif name not in ("keys", "artifacts", "after", "approvals") or not path.is_dir(): report(name, -1, "no bundle has such a file")
    file = lambda name: content.get(name, b"")
    log = check_log(file("log.jsonl"), file("checkpoint"), pathlib.Path(folder, "audit.db") if "audit.db" in content else None, report, witnesses)
    left_out = check_redacted(log, content, report)
    sums = file("SHA256SUMS").decode("latin-1")
    original = {n: d for d, n in re.findall("^([0-9a-f]{64})  (.*)$", sums, re.M) if "redacted" in content and n in ("audit.db", "log.jsonl", *left_out)}
    summed = sorted(n for n in {*content, *left_out} if n not in ("SHA256SUMS", "manifest", "redacted") and not n.startswith("after/"))
    if sums != "".join(f"{original.get(n) or sha256(file(n)).hex()}  {n}\n" for n in summed):
        report("SHA256SUMS", -1, "not the SHA-256 of each file, one a line")
    if "manifest" in content:
        size, root, digest = len(log.entries), log.root(len(log.entries)).hex(), sha256(file("SHA256SUMS")).hex()
        want = f"keyrite manifest v1\norigin {log.origin}\nsize {size}\nroot {root}\nsums {digest}\n"
        with reporting(report, "manifest", -1):
            if open_note(content["manifest"], log.segments[-1][1]) != want or len(read_note(content["manifest"])[1]) != 1:
                raise Wrong("it speaks of another bundle, or others signed it")
    keys = {f"keys/log-{i}.vkey": key for i, (_, key) in enumerate(log.segments)} | {f"keys/witness-{p}.vkey": k for p, k in log.witnesses.items()}
    if {n: c.decode() for n, c in content.items() if n[:5] == "keys/"} != {n: key + "\n" for n, key in keys.items()}:
        report("keys/", -1, "not one file with the key of each segment and of each witness who brought one")
    paged = "transcript" in [e["kind"] for e in log.entries]
    if {"audit.db", *["transcript.pdf"] * paged} - {*content}: report("audit.db, transcript.pdf", -1, "one of them is missing")
    check_bound(log, content, report)
    exposed = {e["data"]["key"] for e in log.entries if e["kind"] == "witness-key-exposed"}
    for what, given, ours in (("script", [script] if script else [], {sha256(file("script.yaml")).hex()}), ("unexposed witness key", witnesses, {*witnesses} - exposed),
                              ("head", heads, {log.root(len(log.entries)).hex()}), ("log key", log_keys, {key for _, key in log.segments})):
        if set(given) - ours or what == "log key" and given and not heads and ours - set(given):
            report("given from outside", -1, f"{what}: the bundle has {ours}")
    return log, found

def check_redacted(log, content, report):
    """Holds the file redacted to what is hidden, and returns the files that it says are left out: docs/bundle.md, "Redacted copies"."""
    text = content["redacted"].decode("latin-1") if "redacted" in content else None
    left_out, hidden = re.findall("^left-out (.*)$", text or "", re.M), set(log.hidden)
    runs = zip((n for n in log.hidden if n - 1 not in hidden), (n for n in log.hidden if n + 1 not in hidden))
    want = (f"keyrite redacted v1\norigin {log.origin}\n" + "".join(f"hidden {a}-{b}\n" if a < b else f"hidden {a}\n" for a, b in runs)
            + "replaced audit.db\nreplaced log.jsonl\n" + "".join(f"left-out {n}\n" for n in sorted(set(left_out))))
    wrong = [n for n in left_out if n in content or not PLACES.fullmatch(n) or not re.match("transcript.pdf|artifacts/|approvals/|keys/witness-|after/", n)]
    if text != (want if hidden else None) or wrong:
        report("redacted", -1, f"it does not name, in its one form, the {len(hidden)} entries that are hidden, or left-out files {wrong}")
    return left_out

def check_bound(log, content, report):
    """Checks what entries say of files, heads, signatures and pages."""
    named, signed = set(), set()
    for n, e in enumerate(log.entries):
        kind, d = e["kind"], e["data"]
        with reporting(report, "log.jsonl", n):
            for f in [d[m] for m in ("script", "tbs", "file") if kind in ("log-open", "to-be-signed", "artifact", "csr") and m in d]:
                named.add(f["name"])
                if (sha256(content.get(f["name"], b"")).hex(), len(content.get(f["name"], b""))) != (f["sha256"], f["size"]):
                    report(f["name"], n, "not the file that the log binds")
            if "head" in d and (d["size"] > n or log.root(d["size"]).hex() != d["head"]): raise Wrong("it speaks of a head that the log did not have")
            if kind == "cosignature":
                text = f"{log.origin}\n{d['size']}\n{base64.b64encode(log.root(d['size'])).decode()}\n\n{d['note_line']}\n"
                open_note(text.encode(), log.known(log.witnesses, d["person"]), 4)
            if kind in ("verdict", "approval") and "note" in d: check_signed(log, e, d)
            if kind == "script-approval" and "note" in d: check_approval(d, content, named)
            if kind == "hsm-outcome" and d["function"] == "C_Sign" and d["rv"] == "CKR_OK": explain(log, n, d, content, signed)
            for number, page in enumerate(d["pages"] if kind == "transcript" else [], d.get("first", 0)):
                text = f"keyrite page v1\norigin {log.origin}\nmode {log.mode}\npage {number} of {d['of']}\ndigest {page['digest']}\nlog {d['size']} {d['head']}\n"
                if not verifies(parse_key(log.key_at(n), 1)[2], text.encode(), bytes.fromhex(page["signature"])): raise Wrong(f"page {number} is not signed")
    for name in content:
        if name.startswith(("artifacts/", "approvals/")) and name not in named and not name.endswith(".tbs"): report(name, -1, "the log knows nothing of it")

def check_signed(log, e, d):
    """Checks that a witness or an approver signed what the entry says: a verdict, or the approval of an act."""
    said = "agree\n" if d.get("agree") else f"do not agree\nbecause {d.get('because')}\n"
    act, after = ("", f"witness {d['person']}\nverdict {said}") if e["kind"] == "verdict" else (f"act {d['act']}\n", f"approver {d['person']}\n")
    want = f"keyrite {e['kind']} v1\norigin {log.origin}\nstep {e['step']}\n{act}size {d['size']}\nroot {d['head']}\n{after}"
    if open_note(d["note"].encode(), for_notes(log.known(log.witnesses, d["person"]))) != want: raise Wrong("the note says something else than the entry")

def check_approval(d, content, named):
    """Checks that an approver signed this script, with one of the keys that stand in it: docs/approval.md."""
    name, note, script = f"approvals/{d['person']}.note", d["note"].encode(), content["script.yaml"]
    named.add(name)
    by, keys = read_note(note)[1][0][:2], [for_notes(k) for k in re.findall(r"[^\s\"']+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", script.decode())]
    text = "".join({open_note(note, k) for k in keys if parse_key(k, 1)[:2] == by})
    if content.get(name, note if "redacted" in content else b"") != note or not text.startswith(f"keyrite script approval v1\nscript {sha256(script).hex()}\n"):
        raise Wrong(f"{name} is another note, approves another script, or is by none of its keys")

def explain(log, seq, outcome, content, signed):
    """Explains one C_Sign by one to-be-signed entry, its bytes, the key, and the artifact that it became."""
    intent = log.entries[outcome["intent"]]["data"]
    t = log.entries[intent["for"]]["data"]
    tbs, digest = content[t["tbs"]["name"]], t["digest"].replace("-", "").lower()
    want, n = hashlib.new(digest, tbs).hexdigest(), hashlib.new(digest).digest_size
    if t["mechanism"] == "CKM_RSA_PKCS":  # DigestInfo, RFC 8017 section 9.2, note 1
        want = f"30{17 + n:02x}300d06096086480165030402{n // 16 - 1:02x}050004{n:02x}" + want
    if not intent["data"] == t["input"] == want or intent["for"] in signed or intent["for"] > seq:
        raise Wrong("C_Sign did not get the digest of the bytes that were announced, once")
    signed.add(intent["for"])
    signature = bytes.fromhex(outcome["signature"])
    if t["mechanism"] == "CKM_ECDSA":  # r and s, half the length each; in a certificate a DER SEQUENCE of two INTEGERs
        der = lambda tag, body: bytes([tag, len(body)] if len(body) < 128 else [tag, 0x81, len(body)]) + body
        ints = [int.from_bytes(x, "big") for x in (signature[:len(signature) // 2], signature[len(signature) // 2:])]
        signature = der(0x30, b"".join(der(2, x.to_bytes(x.bit_length() // 8 + 1, "big")) for x in ints))
    for a in [e["data"] for e in log.entries if e["kind"] == "artifact" and e["data"].get("signed") == seq]:
        made, alone = content[a["file"]["name"]], a["object"] == "signature"  # of a file, which stands beside it
        if not alone: made = unbase64("".join(made.decode("ascii").split("\n")[1:-2]))
        if a["file"]["name"] != t["for"] or (made != signature if alone else made.find(tbs) not in (2, 3, 4) or not made.endswith(b"\0" + signature)):
            raise Wrong(f"{a['file']['name']} does not hold what was signed and the signature")
    key = bytes.fromhex(log.known({e["data"]["name"]: e["data"]["spki"] for e in log.entries if e["kind"] == "key"}, t["key"]))
    if not verifies(key, tbs, signature, "-digest", digest): raise Wrong(f"the signature is not one of key {t['key']} over the announced bytes")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, what in (("log-key", "a segment's key, as read aloud"), ("head", "the final root, hex"), ("witness-key", "who must have cosigned")):
        parser.add_argument("--" + option, action="append", default=[], help=what)
    for option, what in (("--script-sha256", "SHA-256 of the script that was agreed"), ("bundle", "its folder")): parser.add_argument(option, help=what)
    o = parser.parse_args()
    os.path.isdir(o.bundle) or parser.error(f"no folder {o.bundle!r}")
    log, found = check_bundle(o.bundle, o.log_key, o.head, o.script_sha256, o.witness_key)
    for file, entry, what, _ in found: print(f"{file}: " + (f"entry {entry}: " if entry >= 0 else "") + what)
    if log.hidden: print(f"redacted: {len(log.hidden)} entries are hidden, and checks that need them could not be made")
    holds = ("what is shown" if log.hidden else "all") + " holds" + ("" if o.log_key or o.head else ", but nothing from outside vouches for it")
    print(f"{len(log.entries)} entries, head {log.root(len(log.entries)).hex()}: " + (f"{len(found)} things do not hold" if found else holds))
    sys.exit(1 if found else 0)
