#!/usr/bin/env python3
"""Reads a repository of mainstay, written from mainstay-repository(5) alone; shares no code with it.

usage: repository_reader.py DIRECTORY MASTER_KEY_FILE [NAME]
Without NAME: a line for each object (name, plain bytes, their SHA-256), every sum and seal checked.
With NAME: the plain bytes of an object, or the clear line and the body of a document."""
import base64, ctypes, ctypes.util, hashlib, hmac, json, os, re, struct, sys, zlib

crypto, zstd = (ctypes.CDLL(ctypes.util.find_library(n)) for n in ("crypto", "zstd"))
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"):
    getattr(crypto, name).restype = ctypes.c_void_p
zstd.ZSTD_decompress.restype = ctypes.c_size_t


def open_sealed(key, nonce, also, sealed):
    """AES-256-GCM; the tag stands behind the sealed bytes."""
    context, n = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new()), ctypes.c_int()
    text, tag = sealed[:-16], sealed[-16:]
    out = ctypes.create_string_buffer(len(text) + 16)
    crypto.EVP_DecryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
    crypto.EVP_DecryptUpdate(context, None, ctypes.byref(n), also, len(also))
    crypto.EVP_DecryptUpdate(context, out, ctypes.byref(n), text, len(text))
    crypto.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, tag)
    good = crypto.EVP_DecryptFinal_ex(context, out, ctypes.byref(n)) == 1
    crypto.EVP_CIPHER_CTX_free(context)
    assert good, "another key, or other bytes than were written"
    return out.raw[: len(text)]


class Repository:
    def __init__(self, directory, key_file):
        self.directory = directory
        self.master = bytes.fromhex(open(key_file).read().strip())
        self.master_id = hmac.new(self.master, b"mainstay master key id", "sha256").hexdigest()[:16]
        self.about = json.loads(self.read("repo.json"))
        assert self.about["format"] == "mainstay-repository" and self.about["min_reader"] <= 1
        mac = self.about.pop("mac")
        text = json.dumps(self.about, sort_keys=True, separators=(",", ":")).encode()
        ours = hmac.new(self.key("0" * 32, 1), b"mainstay repo.json/" + text, "sha256")
        assert mac == ours.hexdigest(), "repo.json was changed"

    def read(self, name):
        part = r"[a-z0-9][a-z0-9._-]{0,63}"
        assert re.fullmatch(f"{part}(/{part})*", name) and len(name) < 256, "hostile name"
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    def key(self, domain, generation):
        r = json.loads(self.read(f"keys/{domain}/{generation:08x}.{self.master_id}.json"))
        label = f"mainstay key/{self.about['id']}/{domain}/{generation:08x}"
        sealed = bytes.fromhex(r["sealed"])
        return open_sealed(self.master, bytes.fromhex(r["nonce"]), label.encode(), sealed)[:32]

    def data_key(self, key, object_id):
        domain, generation = key[:16].hex(), struct.unpack("<I", key[16:20])[0]
        label = f"mainstay data key/{self.about['id']}/{object_id.hex()}/{domain}/{generation:08x}"
        try:
            return open_sealed(self.key(domain, generation), key[20:32], label.encode(), key[32:80])
        except FileNotFoundError:
            self.read(f"keys/{domain}/shredded.json")  # destroyed, not lost
            return None

    def frames(self, name, data):
        """Clear text of the object, then (type, plain bytes or None) of each frame."""
        magic, version, _, length, repo, object_id, _, keys, names, abouts = struct.unpack(
            "<8sHHI16s16sIHHI", data[:60])
        assert magic == b"MSTAYOBJ" and version == 1, "no object"
        digest = data[length - 32 : length]
        assert hashlib.sha256(data[: length - 32]).digest() == digest, "header changed"
        at = 96 + 80 * keys
        assert repo.hex() == self.about["id"] and data[at : at + names].decode() == name, "foreign"
        yield data[at + names : at + names + abouts].decode()
        opened = [self.data_key(data[96 + 80 * i : 176 + 80 * i], object_id) for i in range(keys)]
        at, number, offset, last, index = length, 0, 0, False, b""
        while not last:
            head = data[at : at + 32]
            sealed, plain, key, flags, kind, n, before, check = struct.unpack("<IIHBBQQI", head)
            assert check == zlib.crc32(digest + head[:28]) and (n, before) == (number, offset)
            assert not flags & 2 or (plain, key) == (0, 0), "another's last frame"
            last, body = bool(flags & 2), data[at + 32 : at + 48 + sealed]
            text = None
            if opened[key] is not None:
                nonce = bytes(4) + struct.pack(">Q", n)
                text = open_sealed(opened[key], nonce, digest + head, body)
                if flags & 1:
                    out = ctypes.create_string_buffer(plain)
                    assert zstd.ZSTD_decompress(out, ctypes.c_size_t(plain), text,
                                                ctypes.c_size_t(sealed)) == plain
                    text = out.raw
            index += struct.pack("<QQIIHBBI", at, before, sealed, plain, key, flags, kind, 0)
            at, number, offset = at + 48 + sealed, number + 1, offset + plain
            if not last:
                yield kind, text
        end = struct.pack("<QQIIQ", at, offset, number, zlib.crc32(index), 0)
        end += hashlib.sha256(data[: at + len(index)]).digest() + b"MSTAYEND"
        assert data[at:] == index + end, "truncated, or its end was changed"

    def plain(self, name):
        """(clear text, plain bytes) of an object or a document."""
        data = self.read(name)
        if not name.endswith(".json"):
            clear, *frames = self.frames(name, data)
            return clear, b"".join(text for _, text in frames if text is not None)
        line, body = data.split(b"\n")[:2]
        about, *frames = self.frames(name, base64.b64decode(json.loads(body)))
        assert json.loads(about)["stub_sha256"] == hashlib.sha256(line).hexdigest(), "changed"
        return line.decode(), b"".join(text for _, text in frames if text is not None)


if __name__ == "__main__":
    repository = Repository(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        clear, text = repository.plain(sys.argv[3])
        sys.stdout.buffer.write(text if not sys.argv[3].endswith(".json") else clear.encode() + b"\n" + text)
    for folder, _, files in sorted(os.walk(os.path.join(sys.argv[1], "c"))) if len(sys.argv) < 4 else []:
        for name in sorted(os.path.relpath(os.path.join(folder, f), sys.argv[1]) for f in files):
            text = repository.plain(name)[1]
            print(name, len(text), hashlib.sha256(text).hexdigest())
