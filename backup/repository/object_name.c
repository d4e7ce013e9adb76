/* backup/repository/object_name.c - names of objects: checked, parsed, made. */
#include "backup/repository/object_name.h"
#include "backup/repository/repo_fault.h"
#include "base/names.h"
#include <ctype.h>
#include <inttypes.h>

#define PART_MAX  64
#define PARTS_MAX 10

static bool is_part_char(char c, bool is_first)
{
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return plain || (!is_first && (c == '.' || c == '_' || c == '-'));
}

bool object_name_is_permitted(const char *text)
{
    size_t part = 0, length = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (++length >= OBJECT_NAME_MAX)
            return false;
        if (*p == '/') {
            if (part == 0)
                return false;
            part = 0;
        } else if (!is_part_char(*p, part == 0) || ++part > PART_MAX) {
            return false;
        }
    }
    return part > 0;
}

void object_name_escape(char *dst, size_t size, const char *text)
{
    size_t n = 0;
    must(size >= 8);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        bool plain = *p >= ' ' && *p < 127 && *p != '\\' && *p != '\'';
        if (n + 8 > size) {
            memcpy(dst + n, "...", 3);
            n += 3;
            break;
        }
        if (plain)
            dst[n++] = (char)*p;
        else
            n += (size_t)snprintf(dst + n, 5, "\\x%02x", *p);
    }
    dst[n] = '\0';
}

enum stay_rc object_name_check(const char *text, struct stay_error *err)
{
    char shown[120];
    if (object_name_is_permitted(text))
        return STAY_OK;
    object_name_escape(shown, sizeof shown, text);
    return repo_fault(err, REPO_FAULT_HOSTILE_NAME, "'%s' is no name of an object", shown);
}

void hex_format(const void *bytes, size_t length, char *dst)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < length; i++) {
        dst[2 * i] = digits[from[i] >> 4];
        dst[2 * i + 1] = digits[from[i] & 15];
    }
    dst[2 * length] = '\0';
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

bool hex_parse(const char *text, void *ret_bytes, size_t length)
{
    uint8_t *to = ret_bytes;
    if (text == NULL || strnlen(text, 2 * length + 1) != 2 * length)
        return false;
    for (size_t i = 0; i < 2 * length; i++)
        if (!is_hex_digit(text[i]))
            return false;
    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return true;
}

/* `count` characters of `kinds` ('x' hex, '9' decimal, 'u' ULID, others as they are), and no more.
 */
static bool fits(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        bool ok = *shape == *text;
        if (*shape == 'X')
            ok = is_hex_digit(*text);
        else if (*shape == '9')
            ok = *text >= '0' && *text <= '9';
        else if (*shape == 'U')
            ok = *text != '\0' && strchr("0123456789abcdefghjkmnpqrstvwxyz", *text) != NULL;
        if (!ok)
            return false;
    }
    return *text == '\0';
}

#define X8  "XXXXXXXX"
#define X16 X8 X8
#define U26 "UUUUUUUUUUUUUUUUUUUUUUUUUU"

static bool ends_json(const char *part, char *dst, size_t size)
{
    size_t n = strlen(part);
    if (n <= 5 || strcmp(part + n - 5, ".json") != 0 || n - 5 >= size)
        return false;
    memcpy(dst, part, n - 5);
    dst[n - 5] = '\0';
    return true;
}

static void parse_key(char parts[][PART_MAX + 1], size_t count, struct object_name *n)
{
    if (count != 3 || !fits(parts[1], X16 X16))
        return;
    (void)stay_copy(n->domain, sizeof n->domain, parts[1]);
    if (strcmp(parts[2], "shredded.json") == 0) {
        n->place = PLACE_SHREDDED;
    } else if (fits(parts[2], X8 "." X16 ".json")) {
        n->place = PLACE_KEY;
        n->generation = (uint32_t)strtoul(parts[2], NULL, 16);
        memcpy(n->master, parts[2] + 9, 16);
    }
}

static void parse_in_lineage(char parts[][PART_MAX + 1], size_t count, struct object_name *n)
{
    (void)stay_copy(n->lineage, sizeof n->lineage, parts[3]);
    if (count == 5 && strcmp(parts[4], "lineage.json") == 0) {
        n->place = PLACE_LINEAGE;
    } else if (count == 5 && strcmp(parts[4], "closed.json") == 0) {
        n->place = PLACE_CLOSED;
    } else if (count == 7 && strcmp(parts[4], "w") == 0 && fits(parts[5], "9999999999") &&
               fits(parts[6], X8 "-" X16 ".msl")) {
        n->place = PLACE_SEGMENT;
        (void)stay_copy(n->hour, sizeof n->hour, parts[5]);
        n->epoch = (uint32_t)strtoul(parts[6], NULL, 16);
        n->seq = strtoull(parts[6] + 9, NULL, 16);
    } else if (count == 6 && strcmp(parts[4], "i") == 0 && fits(parts[5], "99999999.json")) {
        n->place = PLACE_INDEX;
        memcpy(n->hour, parts[5], 8);
    } else if (count >= 7 && strcmp(parts[4], "s") == 0 && fits(parts[5], "99999999t999999z-" X8)) {
        (void)stay_copy(n->snapshot, sizeof n->snapshot, parts[5]);
        if (count == 7 && strcmp(parts[6], "manifest.json") == 0) {
            n->place = PLACE_MANIFEST;
        } else if (count == 9 && strcmp(parts[6], "data") == 0 && fits(parts[7], X16 X16) &&
                   fits(parts[8], "999999.mso")) {
            n->place = PLACE_DATA;
            (void)stay_copy(n->domain, sizeof n->domain, parts[7]);
            n->number = (uint32_t)strtoul(parts[8], NULL, 10);
        }
    }
}

static void parse_in_cluster(char parts[][PART_MAX + 1], size_t count, struct object_name *n)
{
    static const struct {
        const char *folder;
        enum object_place place;
    } lists[] = {{"g", PLACE_GAP}, {"e", PLACE_EVENT}, {"hold", PLACE_HOLD}};
    if (count < 3 || !names_is_id(parts[1]))
        return;
    (void)stay_copy(n->cluster, sizeof n->cluster, parts[1]);
    if (count == 3 && strcmp(parts[2], "cluster.json") == 0)
        n->place = PLACE_CLUSTER;
    else if (count >= 5 && strcmp(parts[2], "l") == 0 && fits(parts[3], X16))
        parse_in_lineage(parts, count, n);
    else if (count == 4 && strcmp(parts[2], "lease") == 0 &&
             ends_json(parts[3], n->id, sizeof n->id))
        n->place = PLACE_LEASE;
    for (size_t i = 0; count == 4 && i < STAY_COUNT(lists); i++)
        if (strcmp(parts[2], lists[i].folder) == 0 && fits(parts[3], U26 ".json") &&
            ends_json(parts[3], n->id, sizeof n->id))
            n->place = lists[i].place;
}

struct object_name object_name_parse(const char *text)
{
    char parts[PARTS_MAX][PART_MAX + 1];
    size_t count = 0;
    struct object_name n = {0};
    if (!object_name_is_permitted(text))
        return n;
    for (const char *p = text; count < PARTS_MAX; p++) {
        size_t length = strcspn(p, "/");
        memcpy(parts[count], p, length);
        parts[count++][length] = '\0';
        p += length;
        if (*p == '\0')
            break;
    }
    if (count == 1 && strcmp(parts[0], "repo.json") == 0)
        n.place = PLACE_REPO;
    else if (strcmp(parts[0], "tmp") == 0)
        n.place = PLACE_TMP;
    else if (strcmp(parts[0], "keys") == 0)
        parse_key(parts, count, &n);
    else if (strcmp(parts[0], "c") == 0)
        parse_in_cluster(parts, count, &n);
    else if (count == 2 && strcmp(parts[0], "trash") == 0 && fits(parts[1], U26 ".json") &&
             ends_json(parts[1], n.id, sizeof n.id))
        n.place = PLACE_TRASH;
    if (n.place == PLACE_UNKNOWN)
        n = (struct object_name){0};
    return n;
}

void object_name_format(const struct object_name *n, char dst[OBJECT_NAME_MAX])
{
    char in[96];
    int length = 0;
    (void)snprintf(in, sizeof in, "c/%s/l/%s", n->cluster, n->lineage);
    switch (n->place) {
    case PLACE_REPO:
        length = snprintf(dst, OBJECT_NAME_MAX, "repo.json");
        break;
    case PLACE_KEY:
        length = snprintf(dst, OBJECT_NAME_MAX, "keys/%s/%08" PRIx32 ".%s.json", n->domain,
                          n->generation, n->master);
        break;
    case PLACE_SHREDDED:
        length = snprintf(dst, OBJECT_NAME_MAX, "keys/%s/shredded.json", n->domain);
        break;
    case PLACE_CLUSTER:
        length = snprintf(dst, OBJECT_NAME_MAX, "c/%s/cluster.json", n->cluster);
        break;
    case PLACE_LINEAGE:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/lineage.json", in);
        break;
    case PLACE_CLOSED:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/closed.json", in);
        break;
    case PLACE_DATA:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/s/%s/data/%s/%06" PRIu32 ".mso", in,
                          n->snapshot, n->domain, n->number);
        break;
    case PLACE_MANIFEST:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/s/%s/manifest.json", in, n->snapshot);
        break;
    case PLACE_SEGMENT:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/w/%s/%08" PRIx32 "-%016" PRIx64 ".msl", in,
                          n->hour, n->epoch, n->seq);
        break;
    case PLACE_INDEX:
        length = snprintf(dst, OBJECT_NAME_MAX, "%s/i/%s.json", in, n->hour);
        break;
    case PLACE_GAP:
        length = snprintf(dst, OBJECT_NAME_MAX, "c/%s/g/%s.json", n->cluster, n->id);
        break;
    case PLACE_EVENT:
        length = snprintf(dst, OBJECT_NAME_MAX, "c/%s/e/%s.json", n->cluster, n->id);
        break;
    case PLACE_HOLD:
        length = snprintf(dst, OBJECT_NAME_MAX, "c/%s/hold/%s.json", n->cluster, n->id);
        break;
    case PLACE_LEASE:
        length = snprintf(dst, OBJECT_NAME_MAX, "c/%s/lease/%s.json", n->cluster, n->id);
        break;
    case PLACE_TRASH:
        length = snprintf(dst, OBJECT_NAME_MAX, "trash/%s.json", n->id);
        break;
    case PLACE_UNKNOWN:
    case PLACE_TMP:
    case PLACE_COUNT:
        break;
    }
    must(length > 0 && length < OBJECT_NAME_MAX);
}

const char *object_place_text(enum object_place place)
{
    static const char *const texts[PLACE_COUNT] = {
        [PLACE_UNKNOWN] = "unknown",   [PLACE_REPO] = "repository", [PLACE_KEY] = "key",
        [PLACE_SHREDDED] = "shredded", [PLACE_CLUSTER] = "cluster", [PLACE_LINEAGE] = "lineage",
        [PLACE_CLOSED] = "closed",     [PLACE_DATA] = "data",       [PLACE_MANIFEST] = "manifest",
        [PLACE_SEGMENT] = "segment",   [PLACE_INDEX] = "index",     [PLACE_GAP] = "gap",
        [PLACE_EVENT] = "event",       [PLACE_HOLD] = "hold",       [PLACE_LEASE] = "lease",
        [PLACE_TRASH] = "trash",       [PLACE_TMP] = "unfinished"};
    return texts[place];
}

void ulid_format(int64_t wall_us, const uint8_t random[10], char dst[ULID_TEXT])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t ms = (uint64_t)(wall_us / STAY_MS);
    for (int i = 9; i >= 0; i--, ms >>= 5)
        dst[i] = digits[ms & 31];
    uint64_t halves[2] = {0, 0};
    for (size_t i = 0; i < 10; i++)
        halves[i / 5] = halves[i / 5] << 8 | random[i];
    for (size_t half = 0; half < 2; half++)
        for (int i = 7; i >= 0; i--, halves[half] >>= 5)
            dst[10 + 8 * half + (size_t)i] = digits[halves[half] & 31];
    dst[26] = '\0';
}

static struct tm utc_of(int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / STAY_SECOND);
    struct tm tm;
    must(gmtime_r(&seconds, &tm) != NULL);
    return tm;
}

void snapshot_id_format(int64_t wall_us, uint32_t random, char dst[SNAPSHOT_ID_TEXT])
{
    struct tm tm = utc_of(wall_us);
    size_t n = strftime(dst, SNAPSHOT_ID_TEXT, "%Y%m%dt%H%M%Sz", &tm);
    (void)snprintf(dst + n, SNAPSHOT_ID_TEXT - n, "-%08" PRIx32, random);
}

void segment_hour_format(int64_t wall_us, char dst[11])
{
    struct tm tm = utc_of(wall_us);
    (void)strftime(dst, 11, "%Y%m%d%H", &tm);
}
