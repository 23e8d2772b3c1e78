#!/usr/bin/env python3
"""Checks receipts and their vectors, independently of the Rust code.

    python3 check.py                      check every vector beside this file
    python3 check.py RECEIPT...           check receipt files, and print what they say
    python3 check.py --explain RECEIPT    print a receipt file byte by byte

Written from docs/RECEIPT.md with nothing but the standard library: postcard, BLAKE3 and Ed25519 are all here. It is
meant to be read, and is slow. Exits with 0 if everything agrees, 1 if a vector does not, 2 for a bad receipt.
"""

import hashlib
import json
import pathlib
import re
import sys

# --- BLAKE3: one lane, no parallelism -------------------------------------------------------------------------------

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
MIXES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
         (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
CHUNK_START, CHUNK_END, PARENT, ROOT, CONTEXT, MATERIAL = 1, 2, 4, 8, 32, 64
MASK = 0xFFFFFFFF


def words(data):
    return [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]


def rotate(x, n):
    return (x >> n | x << (32 - n)) & MASK


def compress(cv, block, counter, length, flags):
    """The chaining value (or root hash) of one block of 16 words."""
    v = [*cv, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for _ in range(7):
        for i, (a, b, c, d) in enumerate(MIXES):
            v[a] = (v[a] + v[b] + block[2 * i]) & MASK
            v[d] = rotate(v[d] ^ v[a], 16)
            v[c] = (v[c] + v[d]) & MASK
            v[b] = rotate(v[b] ^ v[c], 12)
            v[a] = (v[a] + v[b] + block[2 * i + 1]) & MASK
            v[d] = rotate(v[d] ^ v[a], 8)
            v[c] = (v[c] + v[d]) & MASK
            v[b] = rotate(v[b] ^ v[c], 7)
        block = [block[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def blake3_node(data, key, flags, chunk, root):
    """The chaining value of the subtree over `data`, whose first chunk has the number `chunk`."""
    if len(data) > 1024:
        left = 1024 << (((len(data) - 1) // 1024).bit_length() - 1)
        block = (blake3_node(data[:left], key, flags, chunk, 0)
                 + blake3_node(data[left:], key, flags, chunk + left // 1024, 0))
        return compress(key, block, 0, 64, flags | PARENT | root)
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    cv = key
    for i, block in enumerate(blocks):
        start = CHUNK_START if i == 0 else 0
        end = CHUNK_END | root if i == len(blocks) - 1 else 0
        cv = compress(cv, words(block.ljust(64, b"\0")), chunk, len(block), flags | start | end)
    return cv


def unwords(cv):
    return b"".join(word.to_bytes(4, "little") for word in cv)


def blake3(data, key=IV, flags=0):
    return unwords(blake3_node(data, key, flags, 0, ROOT))


def blake3_derive_key(context, data):
    return blake3(data, words(blake3(context.encode(), IV, CONTEXT)), MATERIAL)


# --- Ed25519 (RFC 8032), strict -------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_mul(scalar, point):
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = point_add(total, point)
        point = point_add(point, point)
        scalar >>= 1
    return total


def is_identity(p):
    return p[0] % P == 0 and (p[1] - p[2]) % P == 0


def decompress(data):
    """The point that 32 bytes encode canonically, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != x2 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def point_bytes(p):
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def sha512_scalar(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def verifies(key, message, signature):
    a, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if is_identity(point_mul(8, a)) or is_identity(point_mul(8, r)):
        return False
    k = sha512_scalar(signature[:32], key, message) % L
    expected = point_add(point_mul(s, BASE), point_mul(L * 8 - k, a))
    return point_bytes(expected) == signature[:32]


def sign(secret, message):
    """The public key and the signature of a secret key over a message."""
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    key = point_bytes(point_mul(a, BASE))
    r = sha512_scalar(h[32:], message) % L
    big_r = point_bytes(point_mul(r, BASE))
    s = (r + sha512_scalar(big_r, key, message) * a) % L
    return key, big_r + s.to_bytes(32, "little")


# --- Canonical bytes ------------------------------------------------------------------------------------------------

MAGIC = b"SBRCPT\r\n"
ENCODED_BYTES_MAX = 1 << 21
JOB, OUTCOME, RECEIPT, CHAIN, PUBLICATION = (
    f"samebit 2026 {kind} v1" for kind in ("job", "outcome", "receipt", "chain entry", "publication"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
LIMITS = ("fuel", "memory_bytes", "table_elements", "instances", "gpu_memory_bytes", "dispatches", "loop_iterations",
          "output_bytes", "log_bytes")
LIMIT = ("fuel", "memory", "table", "instances", "gpu-memory", "dispatches", "loop-iterations", "output", "log")
TRAP = ("unreachable", "memory-out-of-bounds", "table-out-of-bounds", "indirect-call-to-null", "bad-signature",
        "integer-overflow", "integer-division-by-zero", "bad-conversion-to-integer", "stack-overflow",
        "broken-contract")
EMPTY = {"hash": blake3(b"").hex(), "size_bytes": 0}


class Refused(Exception):
    """The bytes are not what they should be. Its text is the class of the error."""


class Reader:
    """Reads values off bytes, and remembers for --explain what each byte was."""

    def __init__(self, data):
        self.data, self.at, self.canonical, self.rows = data, 0, True, []

    def take(self, count, what):
        if count > len(self.data) - self.at:
            raise Refused("malformed")
        taken = self.data[self.at:self.at + count]
        self.rows.append((self.at, taken, what))
        self.at += count
        return taken

    def varint(self, what, bits=64):
        start, value, shift = self.at, 0, 0
        while True:
            if self.at == len(self.data) or shift >= bits:
                raise Refused("malformed")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value >= 1 << bits:
            raise Refused("malformed")
        if byte == 0 and shift > 7:
            self.canonical = False
        self.rows.append((start, self.data[start:self.at], f"{what} = {value}"))
        return value

    def variant(self, what, names):
        index = self.varint(what, 32)
        if index >= len(names):
            raise Refused("malformed")
        self.rows[-1] = (*self.rows[-1][:2], f"{what}: {names[index]}")
        return names[index]

    def text(self, what):
        count = self.varint(f"{what}: length")
        try:
            text = self.take(count, what).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("malformed") from None
        self.rows[-1] = (*self.rows[-1][:2], f"{what}: {json.dumps(text)}")
        return text

    def option(self, what, read):
        return read(what) if self.varint_option(what) else None

    def varint_option(self, what):
        present = self.take(1, f"{what}: 0 absent, 1 present")[0]
        if present > 1:
            raise Refused("malformed")
        return present

    def blob(self, what):
        return {"hash": self.take(32, f"{what}: hash").hex(), "size_bytes": self.varint(f"{what}: size in bytes")}

    def named(self, what, read):
        found, last = {}, None
        for _ in range(self.varint(f"{what}s: count")):
            name = self.text(f"{what}'s name")
            if not NAME.match(name):
                raise Refused("malformed")
            if last is not None and name <= last:
                self.canonical = False
            last = name
            found[name] = read(f"{what} {name}")
        return found

    def blobs(self, what):
        return self.named(what, self.blob)

    def tolerance(self, what):
        kind = self.variant(what, ("absolute", "relative", "ulp", "compare"))
        return kind if kind == "compare" else {kind: self.varint(f"{what}: bound", 32)}


def read_job(reader):
    module = reader.blob("module")
    count = reader.varint("arguments: count")
    if count > 1024:
        raise Refused("malformed")
    return {
        "module": module,
        "args": [reader.text(f"argument {index}") for index in range(count)],
        "inputs": reader.blobs("input"),
        "limits": {limit: reader.varint(f"limit {limit}") for limit in LIMITS},
        "profile": reader.variant("profile", ("exact", "native")),
        "tolerances": reader.named("tolerance", reader.tolerance),
    }


def read_outcome(reader):
    status = reader.variant("status", ("ok", "failed", "exited", "trapped", "exceeded"))
    if status == "failed":
        status = {status: reader.text("message")}
    elif status == "exited":
        status = {status: reader.take(1, "exit code, one byte")[0]}
    elif status == "trapped":
        status = {status: reader.variant("trap", TRAP)}
    elif status == "exceeded":
        status = {status: reader.variant("limit", LIMIT)}
    return {"status": status, "outputs": reader.blobs("output"), "log": reader.blob("log"),
            "fuel": reader.varint("fuel spent")}


def read_measured(reader):
    numbers = ("started_unix_ms", "run_time_us", "memory_peak_bytes", "gpu_memory_peak_bytes", "dispatches")
    return {
        "program": reader.text("program"),
        **{number: reader.varint(number) for number in numbers},
        "device": reader.option("device", lambda what: {
            **{part: reader.text(f"{what} {part}") for part in ("name", "driver", "backend")},
            "battery": reader.option(f"{what} battery", lambda what: reader.take(32, what).hex())}),
        "energy_mj": reader.option("energy_mj", reader.varint),
    }


# The bits of binary32 infinity and of one, and the most ULP: each kind of tolerance is below, or at most, one of them.
BOUNDS = {"absolute": 0x7F800000 - 1, "relative": 0x3F800000 - 1, "ulp": 1 << 23}


def check_job(job):
    tolerances = [next(iter(tolerance.items())) for tolerance in job["tolerances"].values() if tolerance != "compare"]
    if ((job["profile"] == "exact" and job["tolerances"]) or len(job["tolerances"]) > 4096
            or any(bound > BOUNDS[kind] for kind, bound in tolerances)):
        raise Refused("invalid")
    if (sum(len(arg.encode()) for arg in job["args"]) > 65536
            or any("\0" in arg for arg in job["args"]) or len(job["inputs"]) > 4096
            or job["limits"]["loop_iterations"] >= 2**31):
        raise Refused("invalid")


def check_outcome(outcome):
    status, outputs = outcome["status"], outcome["outputs"]
    kind, detail = (status, None) if isinstance(status, str) else next(iter(status.items()))
    stopped = kind in ("trapped", "exceeded")
    overflow = detail == "stack-overflow" and kind == "trapped"
    if ((kind == "failed" and len(detail.encode()) > 4096) or (kind == "exited" and detail == 0)
            or (stopped and outputs) or len(outputs) > 4096
            or (overflow and (outcome["fuel"] != 0 or outcome["log"] != EMPTY))):
        raise Refused("invalid")


def check_measured(measured):
    device = measured["device"] or {}
    texts = [measured["program"], *(device[part] for part in ("name", "driver", "backend") if device)]
    if any(len(text.encode()) > 256 for text in texts):
        raise Refused("invalid")


def decode(data, read, reader=None):
    """Reads one value in its version enum, all of the bytes and no others."""
    reader = reader or Reader(data)
    if len(data) - reader.at > ENCODED_BYTES_MAX:
        raise Refused("too-long")
    if reader.at < len(data) and data[reader.at] != 0:
        raise Refused("unknown-version")
    reader.take(1, "version 1 is variant 0")
    value = read(reader)
    if reader.at != len(data):
        raise Refused("trailing")
    if not reader.canonical:
        raise Refused("not-canonical")
    return value


def decode_job(data):
    job = decode(data, read_job)
    check_job(job)
    return job, {"id": blake3_derive_key(JOB, data).hex()}


def decode_outcome(data):
    outcome = decode(data, read_outcome)
    check_outcome(outcome)
    return outcome, {"id": blake3_derive_key(OUTCOME, data).hex()}


def decode_receipt(data, reader=None):
    if not data.startswith(MAGIC):
        raise Refused("not-a-receipt")
    reader = reader or Reader(data)
    reader.take(len(MAGIC), "magic: \"SBRCPT\" CR LF")
    marks = []

    def mark(value):
        marks.append(reader.at)
        return value

    def read(reader):
        marks.append(reader.at)
        return {
            "job": mark(read_job(reader)),
            "outcome": mark(read_outcome(reader)),
            "measured": mark(read_measured(reader)),
            "host": reader.take(32, "host: public key").hex(),
            "signature": (reader.take(32, "signature: R") + reader.take(32, "signature: S")).hex(),
        }

    receipt = decode(data, read, reader)
    check_job(receipt["job"])
    check_outcome(receipt["outcome"])
    check_measured(receipt["measured"])
    job, outcome, measured = (data[start:end] for start, end in zip(marks, marks[1:]))
    job_id = blake3_derive_key(JOB, b"\0" + job)
    host = bytes.fromhex(receipt["host"])
    receipt_id = blake3_derive_key(RECEIPT, b"\0" + job_id + outcome + measured + host)
    if not verifies(host, receipt_id, bytes.fromhex(receipt["signature"])):
        raise Refused("bad-signature")
    outcome_id = blake3_derive_key(OUTCOME, b"\0" + outcome)
    return receipt, {"id": receipt_id.hex(), "job_id": job_id.hex(), "outcome_id": outcome_id.hex()}


def decode_signed(data, context, read):
    """A value that ends in a key (named last) and a signature of that key over all that comes before."""
    def read_all(reader):
        value = read(reader)
        mark.append(reader.at)
        return {**value, "signature": (reader.take(32, "signature: R") + reader.take(32, "signature: S")).hex()}

    mark = []
    value = decode(data, read_all)
    statement_id = blake3_derive_key(context, data[:mark[0]])
    key = value.get("host") or value["author"]
    if not verifies(bytes.fromhex(key), statement_id, bytes.fromhex(value["signature"])):
        raise Refused("bad-signature")
    return value, {"id": statement_id.hex()}


def decode_chain_entry(data):
    return decode_signed(data, CHAIN, lambda reader: {
        "sequence": reader.varint("sequence"),
        "previous": reader.take(32, "previous: entry id").hex(),
        "receipt": reader.take(32, "receipt: id").hex(),
        "file": reader.blob("file"),
        "host": reader.take(32, "host: public key").hex(),
    })


def decode_publication(data):
    return decode_signed(data, PUBLICATION, lambda reader: {
        "module": reader.blob("module"),
        "author": reader.take(32, "author: public key").hex(),
    })


def is_chain(vectors):
    """Whether the good entries follow one another, from the first on."""
    entries = [vector for vector in vectors if vector["expect"] == "ok"]
    before = [None, *entries]
    return all(
        entry["value"]["sequence"] == place
        and entry["value"]["previous"] == (last["id"] if last else "00" * 32)
        and entry["value"]["host"] == entries[0]["value"]["host"]
        for place, (last, entry) in enumerate(zip(before, entries)))


# --- What the command line asks for ---------------------------------------------------------------------------------


def disagreement(vector, read):
    """What is wrong with a vector, or None."""
    try:
        value, ids = read(bytes.fromhex(vector["bytes"]))
    except Refused as refused:
        if vector["expect"] != str(refused):
            return f"expected {vector['expect']}, got {refused}"
        if vector.get("releases") != "nothing" or "value" in vector or "id" in vector:
            return "a failing vector must say that it releases nothing, and hold no value"
        return None
    if vector["expect"] != "ok":
        return f"expected {vector['expect']}, but it is accepted"
    if vector["value"] != value:
        return f"reads as {json.dumps(value)}"
    for name, text in ids.items():
        if vector[name] != text:
            return f"{name} is {text}"
    if "secret_key" in vector:
        key, signature = sign(bytes.fromhex(vector["secret_key"]), bytes.fromhex(vector["id"]))
        if (key.hex(), signature.hex()) != (value.get("host") or value["author"], value["signature"]):
            return "the secret key signs otherwise"
    return None


def check_vectors(folder):
    wrong = count = 0
    kinds = (("jobs", decode_job), ("outcomes", decode_outcome), ("receipts", decode_receipt),
             ("chain", decode_chain_entry), ("publications", decode_publication))
    for file, read in kinds:
        vectors = json.loads((folder / f"{file}.json").read_text(encoding="utf-8"))["vectors"]
        if not {"ok"} < {vector["expect"] for vector in vectors}:
            print(f"{file}: good and bad vectors are needed")
            wrong += 1
        if file == "chain" and not is_chain(vectors):
            print("chain: the good entries do not follow one another")
            wrong += 1
        for vector in vectors:
            count += 1
            problem = disagreement(vector, read)
            if problem:
                print(f"{file}: {vector['name']}: {problem}")
                wrong += 1
    print(f"{count} vectors, {wrong} disagreements")
    return 1 if wrong else 0


def explain(rows):
    for start, data, what in rows:
        for at in range(0, len(data), 16):
            line = f"{start + at:4}  {data[at:at + 16].hex():32}  {what if at == 0 else ''}"
            print(line.rstrip())


def check_receipts(paths, explained):
    status = 0
    for path in paths:
        data = pathlib.Path(path).read_bytes()
        reader = Reader(data)
        try:
            receipt, ids = decode_receipt(data, reader)
        except Refused as refused:
            print(f"{path}: refused: {refused}")
            status = 2
            continue
        if explained:
            explain(reader.rows)
        else:
            print(json.dumps({**ids, **receipt}, indent=2, ensure_ascii=False))
    return status


def main(args):
    # RFC 8032's first test and BLAKE3's empty hash: a broken primitive should say so itself.
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert sign(secret, b"")[1].hex().startswith("e5564300c360ac729086e2cc806e828a")
    assert EMPTY["hash"] == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    if not args:
        return check_vectors(pathlib.Path(__file__).resolve().parent / "vectors")
    explained = args[0] == "--explain"
    return check_receipts(args[1:] if explained else args, explained)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
