/* mainstay-repository(5): the format, so that a stranger can write a reader. Limits and faults come
 * from the code that runs; tests/reader/repository_reader.py was written from this page. */
#include "backup/catalog/segment.h"
#include "backup/repository/repo_fault.h"
#include "controller/run/man.h"

static const char layout[] =
    ".Sh DESCRIPTION\n"
    "A repository keeps the backups of any number of clusters, in a directory or under a prefix\n"
    "of an object store.\n"
    "It is made and looked at by the verbs\n.Cm repository\nof\n.Xr mainstay 1 .\n"
    "Nothing outside of it but its master key is needed to read it: no database, no\n"
    "controller, no local state.\n"
    ".Pp\n"
    "An object is created whole under its name and never changed.\n"
    "Names consist of the characters a-z 0-9 . _ - and /, no part of a name begins with\n"
    "a point, and a reader refuses every other name.\n"
    "Numbers in objects are stored least significant byte first.\n"
    "A value written\n.Ql HEX\nis lower-case hexadecimal.\n"
    "A position is a set of GTIDs as the server writes it, sorted.\n"
    "Times are microseconds since 1970 UTC.\n"
    ".Sh NAMES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa repo.json\nWhat the repository is; written last when it is made.\n"
    ".It Pa keys/DOMAIN/GENERATION.MASTER.json\nA generation of a domain's key.\n"
    "DOMAIN has 32 hexadecimal digits, GENERATION 8 (1 for the repository's own two, else the\n"
    "seconds since 2020 when it was made, so that none is given twice), MASTER is the id of the\n"
    "master key that it is sealed with, 16 digits.\n"
    ".It Pa keys/DOMAIN/shredded.json\nThe domain's keys were destroyed; none is made again.\n"
    ".It Pa c/CLUSTER/cluster.json\nDocument: what is known of the cluster.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/lineage.json\nDocument: one history of writes; LINEAGE has 16\n"
    "digits.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/closed.json\nDocument: nothing is added to the lineage any more.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/s/SNAPSHOT/data/DOMAIN/NNNNNN.mso\nObject: rows of a snapshot,\n"
    "sealed for DOMAIN.\nSNAPSHOT is like 20261120t103107z-1a2b3c4d.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/s/SNAPSHOT/manifest.json\nDocument: the snapshot exists when this\n"
    "exists.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/w/YYYYMMDDHH/EPOCH-SEQ.msl\nObject: a segment of the log.\n"
    "EPOCH has 8 digits, SEQ 16, both hexadecimal.\n"
    ".It Pa c/CLUSTER/l/LINEAGE/i/YYYYMMDD.json\nDerived, may be missing.\n"
    ".It Pa c/CLUSTER/g/ULID.json\nDocument: a gap in the log.\n"
    ".It Pa c/CLUSTER/e/ULID.json\nDocument: an event.\n"
    ".It Pa c/CLUSTER/hold/ULID.json\nDocument: a snapshot that must be kept.\n"
    ".It Pa c/CLUSTER/lease/NAME.json , trash/ULID.json\nFor writers.\n"
    ".It Pa tmp/*\nOnly in a directory: being written, or left by a crash; never read.\n"
    ".El\n"
    ".Pp\nOther permitted names are a later version's and are left alone.\n";

static const char keys[] =
    ".Sh KEYS\n"
    "All sealing is AES-256-GCM with a nonce of 12 bytes; the tag of 16 bytes stands behind the\n"
    "sealed bytes.\n"
    "Three levels of keys of 32 bytes each:\n"
    ".Bl -tag -width Ds\n"
    ".It the master key\n"
    "A file outside of the repository with 64 hexadecimal digits, as\n"
    ".Ql openssl rand -hex 32\nprints.\n"
    "Its id is the first 16 digits of HMAC-SHA256 with it over the text\n"
    ".Ql mainstay master key id .\n"
    ".It a domain's key\n"
    "Of a cluster, or of a tenant of a cluster, in generations: new objects are sealed with the\n"
    "highest, old ones stay as they are.\n"
    "The text of its object is a JSON object:\n.Ql format\nis mainstay-key,\n.Ql version\n1,\n"
    ".Ql repo ,\n.Ql domain\nand\n.Ql nonce\nare HEX,\n.Ql generation\nand\n.Ql created_wall_us\n"
    "numbers,\n.Ql master\nthe id of the master key, and\n.Ql sealed\nis HEX.\n"
    "It opens with the master key, the nonce, and as additional data the text\n"
    ".Ql mainstay key/REPO/DOMAIN/GENERATION ,\nthe generation as 8 hexadecimal digits.\n"
    "The plain text is the key of 32 bytes and then JSON:\n.Ql purpose\n"
    "(names, signing, cluster, tenant),\n.Ql cluster ,\n.Ql tenant .\n"
    ".It an object's data keys\n"
    "Random, one for each domain in an object, made for each attempt to write one; sealed in the\n"
    "object's header.\n"
    ".El\n"
    ".Pp\n"
    "The domain of 32 zeros is\n.Em names :\nits only generation makes the domains of all others.\n"
    "They are the first 16 bytes of HMAC-SHA256 with it over\n"
    ".Ql mainstay domain/cluster/CLUSTER\nor\n.Ql mainstay domain/tenant/CLUSTER/TENANT .\n"
    "The domain of 31 zeros and a one is\n.Em signing :\nthe seed of an Ed25519 key.\n"
    ".Pp\n"
    ".Pa repo.json\nis a JSON object:\n.Ql format\n(mainstay-repository),\n.Ql version ,\n"
    ".Ql min_reader\n(a reader of a lower version must refuse),\n.Ql id\n(HEX, 16 bytes),\n"
    ".Ql created_wall_us ,\n.Ql zone ,\n.Ql features ,\n.Ql store ,\n.Ql signing_key\n"
    "(HEX, public) and\n.Ql mac :\nHEX of HMAC-SHA256 with the key of names over\n"
    ".Ql mainstay repo.json/\nand then the object without mac as JSON with its keys sorted and no\n"
    "blanks.\n"
    ".Pp\n"
    "To seal the repository with another master key, every key object is written again with the\n"
    "new id in its name, then those with the old id are removed, that of names last.\n"
    "Data is never rewritten.\n"
    "Removing all generations of a domain makes what was sealed for it unreadable.\n";

static const char object_begin[] =
    ".Sh OBJECTS\n"
    "An object is a header, one or more frames, an index and an end.\n"
    ".Ss Header\n"
    ".Bl -column \"offset\" \"bytes\" \"what\"\n"
    ".It Sy offset Ta Sy bytes Ta Sy what\n"
    ".It 0 Ta 8 Ta MSTAYOBJ\n"
    ".It 8 Ta 2 Ta version, 1\n"
    ".It 10 Ta 2 Ta kind: 1 rows, 2 segment, 3 document\n"
    ".It 12 Ta 4 Ta length of the header, with its sum\n"
    ".It 16 Ta 16 Ta id of the repository\n"
    ".It 32 Ta 16 Ta random id of the object\n"
    ".It 48 Ta 4 Ta plain bytes of a frame at most\n"
    ".It 52 Ta 2 Ta number of keys K\n"
    ".It 54 Ta 2 Ta length of the name N\n"
    ".It 56 Ta 4 Ta length of the clear text A\n"
    ".It 60 Ta 36 Ta zeros\n"
    ".It 96 Ta 80 K Ta keys\n"
    ".It \"\" Ta N Ta the object's name\n"
    ".It \"\" Ta A Ta clear text, JSON or nothing\n"
    ".It \"\" Ta 32 Ta SHA-256 of all before it: the object's hash\n"
    ".El\n"
    ".Pp\n"
    "A key is the domain (16 bytes), the generation (4), a nonce (12) and the sealed data key "
    "(48).\n"
    "It opens with the domain's key of that generation and as additional data the text\n"
    ".Ql mainstay data key/REPO/OBJECT/DOMAIN/GENERATION ,\nids as hexadecimal digits, the\n"
    "generation as 8.\n"
    "A reader compares the id of the repository and the name with what it asked for.\n"
    ".Ss Frame\n"
    ".Bl -column \"offset\" \"bytes\" \"what\"\n"
    ".It Sy offset Ta Sy bytes Ta Sy what\n"
    ".It 0 Ta 4 Ta sealed bytes, without the tag\n"
    ".It 4 Ta 4 Ta plain bytes\n"
    ".It 8 Ta 2 Ta which of the header's keys, from 0\n"
    ".It 10 Ta 1 Ta flags: 1 compressed (zstd), 2 last frame\n"
    ".It 11 Ta 1 Ta type, by the object's kind\n"
    ".It 12 Ta 8 Ta number of the frame, from 0\n"
    ".It 20 Ta 8 Ta plain bytes of the frames before it\n"
    ".It 28 Ta 4 Ta CRC-32 of the object's hash and the 28 bytes before\n"
    ".El\n"
    ".Pp\n"
    "Then the sealed bytes and the tag.\n"
    "The nonce is four zeros and the number of the frame in 8 bytes,\n.Em most\n"
    "significant first; the additional data are the object's hash and the frame's 32 bytes of "
    "header.\n"
    "When compressed, the plain text is one zstd frame.\n"
    "The last frame is empty and of key 0; it proves that nothing was cut off, and nothing but the "
    "index follows it.\n"
    "A frame whose domain was destroyed (its shredded.json is there) is passed over; a key that "
    "is\n"
    "missing otherwise is an error.\n"
    ".Ss Index and end\n"
    "The index has 32 bytes for each frame: its offset in the object (8), plain bytes before it\n"
    "(8), sealed bytes (4), plain bytes (4), key (2), flags (1), type (1), zeros (4).\n"
    "The end is 72 bytes: offset of the index (8), plain bytes of all frames (8), number of "
    "frames\n"
    "(4), CRC-32 of the index (4), zeros (8), SHA-256 of everything before the end (32), MSTAYEND\n"
    "(8).\n";

static const char documents[] =
    ".Sh DOCUMENTS\n"
    "Two lines, each one JSON text.\n"
    "The first is clear:\n.Ql format\n(mainstay-document),\n.Ql version ,\n.Ql kind ,\n.Ql repo ,\n"
    ".Ql name ,\n.Ql written_wall_us\nand\n.Ql about ,\nan object.\n"
    "The second is a string: base64 of an object of kind 3 and the same name, sealed for the\n"
    "cluster, whose frames hold the body, a JSON text.\n"
    "The clear text of that object is\n.Ql {\\(dqstub_sha256\\(dq:\\(dqHEX\\(dq} ,\n"
    "the sum of the first line without its end: whoever has the key knows the clear line for\n"
    "true.\n"
    ".Bl -tag -width Ds\n"
    ".It manifest\nclear:\n.Ql id , lineage , kind , method , consistency , position ,\n"
    ".Ql started_wall_us , consistent_wall_us\nand\n.Ql objects ,\na list of\n"
    ".Ql name\n(behind the snapshot's own folder),\n.Ql stored_len , stored_sha256 .\n"
    "Sealed:\n.Ql objects\nwith\n.Ql name , plain_len , plain_sha256 , frames , key_gen ,\n"
    "and what the snapshot's method adds.\n"
    ".It lineage\nclear:\n.Ql engine , parent , parent_cut .\nSealed:\n.Ql servers .\n"
    ".It closed\nclear:\n.Ql position .\nSealed:\n.Ql reason .\n"
    ".It gap\nclear:\n.Ql lineage , after , before , heals .\nTransactions behind position after\n"
    "and up to before are in no segment; a gap with\n.Ql heals\nsays that those of the gap of "
    "that\n"
    "id were found.\n"
    ".It event\nclear:\n.Ql event\nand what it is about.\nAn event\n.Ql erase\nholds a\n"
    ".Ql certificate ;\nits\n.Ql signature\nis Ed25519 over the certificate without it as JSON "
    "with\n"
    "keys sorted and no blanks.\n"
    ".El\n";

static const char segments[] =
    ".Sh SEGMENTS\n"
    "The clear text of a segment is a JSON object:\n"
    ".Bl -tag -width Ds\n"
    ".It Cm lineage , epoch , seq\nAs in its name; seq grows by one.\n"
    ".It Cm prev\nThe SHA-256 in the end of segment seq - 1, null for the first of a lineage.\n"
    ".It Cm before , after\nPositions: what every segment before holds, and that with this one.\n"
    ".It Cm first_commit_us , last_commit_us\nWhen its transactions were committed; 0 for none.\n"
    ".It Cm transactions , source_id , skew_us\nHow many; the server id it was read from; that\n"
    "server's clock ahead of the reader's.\n"
    ".It Cm tail\nclean, or cut: it ends inside a transaction.\n"
    ".El\n"
    ".Pp\n"
    "A lineage's log is its segments by seq.\n"
    "Of several with one seq the one that segment seq + 1 names is the log, without such one that\n"
    "of the highest epoch.\n"
    "Where after of one is not before of the next, a gap must say so.\n"
    "Frames of type 1 hold events of the replication stream, byte for byte as the server sent\n"
    "them, one after the other; type 2 holds JSON of commit times.\n";

static void put_limits(struct str *out)
{
    str_addf(
        out,
        ".Sh LIMITS\nA header has at most %u bytes, %u keys and %u bytes of clear text, a frame\n"
        "%u plain bytes (%u in a segment), a name %d bytes, a part of a name 64.\n",
        OBJECT_HEADER_MAX, OBJECT_KEYS_MAX, OBJECT_ABOUT_MAX, FRAME_PLAIN_MAX, SEGMENT_FRAME_MAX,
        OBJECT_NAME_MAX - 1);
}

static void put_faults(struct str *out)
{
    str_add(out, ".Sh EXIT STATUS\nOf\n.Cm mainstay repository :\n0 for done, 1 to 5 as in\n"
                 ".Xr mainstay 1 ,\nand\n.Bl -tag -width Ds\n");
    for (int i = REPO_FAULT_NONE + 1; i < REPO_FAULT_COUNT; i++) {
        enum repo_fault fault = (enum repo_fault)i;
        str_addf(out, ".It %d Cm %s\n", repo_fault_exit(fault), repo_fault_name(fault));
        man_text(out, repo_fault_text(fault));
    }
    str_add(out, ".El\n.Pp\nWhen\n.Cm check\nfinds several, the first of this list.\n");
}

void man_repository(struct str *out)
{
    str_add(out, layout);
    str_add(out, keys);
    str_add(out, object_begin);
    str_add(out, documents);
    str_add(out, segments);
    put_limits(out);
    put_faults(out);
}
