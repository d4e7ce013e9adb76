/* tests/fuzz/fuzz_object.c - any bytes as an object, a key, a name: no crash, no read past the end,
 * nothing taken for ours that does not come back the same. */
#include "backup/repository/frame.h"
#include "backup/repository/key_record.h"
#include "tests/fuzz/replay.h"

static void read_frames(const uint8_t *data, size_t size, const struct object_header *h)
{
    static const uint8_t key[AEAD_KEY_BYTES] = {0};
    STAY_AUTO(frame_codec_drop) struct frame_codec *codec = frame_codec_new(3);
    uint8_t *plain = stay_malloc(FRAME_PLAIN_MAX);
    for (size_t at = h->length; size - at >= FRAME_HEADER_BYTES;) {
        struct frame_header f;
        if (frame_header_decode(data + at, h, &f, NULL) != STAY_OK)
            break;
        size_t sealed = (size_t)f.sealed_length + AEAD_TAG_BYTES;
        at += FRAME_HEADER_BYTES;
        if (size - at < sealed)
            break;
        if (frame_open(codec, key, h, &f, (struct span){data + at, sealed}, plain, NULL) == STAY_OK)
            must(f.plain_length <= h->frame_max);
        at += sealed;
    }
    free(plain);
}

static void read_object(const uint8_t *data, size_t size)
{
    struct object_header h = {0};
    struct object_end end;
    size_t needed = 0;
    enum stay_rc rc = object_header_decode(data, size, &h, &needed, NULL);
    must(rc != STAY_ELIMIT || (needed > size && needed <= OBJECT_HEADER_MAX));
    if (rc == STAY_OK) {
        STAY_AUTO(str_clear) struct str again = {.max = OBJECT_HEADER_MAX};
        must(h.length <= size);
        read_frames(data, size, &h);
        object_header_encode(&h, &again);
        must(again.length == needed);
    }
    if (size >= OBJECT_END_BYTES &&
        object_end_decode(data + size - OBJECT_END_BYTES, size, &end, NULL) == STAY_OK)
        must(end.index_offset + (uint64_t)end.frame_count * FRAME_INDEX_BYTES + OBJECT_END_BYTES ==
             size);
    object_header_clear(&h);
}

/* The same with a right sum, or nothing behind the sum is ever reached. */
static void read_with_sum(const uint8_t *data, size_t size)
{
    if (size < OBJECT_HEADER_MIN)
        return;
    size_t length = (size_t)data[12] | (size_t)data[13] << 8 | (size_t)data[14] << 16;
    if (length < OBJECT_HEADER_MIN || length > size)
        return;
    uint8_t *copy = stay_malloc(size);
    memcpy(copy, data, size);
    sha256_of(copy, length - SHA256_BYTES, copy + length - SHA256_BYTES);
    read_object(copy, size);
    free(copy);
}

static void read_name(const char *text)
{
    char again[OBJECT_NAME_MAX], shown[64];
    object_name_escape(shown, sizeof shown, text);
    for (const char *p = shown; *p != '\0'; p++)
        must(*p >= ' ' && *p < 127);
    struct object_name name = object_name_parse(text);
    if (name.place == PLACE_UNKNOWN || name.place == PLACE_TMP)
        return;
    must(object_name_is_permitted(text));
    object_name_format(&name, again);
    must(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct master_key master;
    STAY_AUTO(key_record_clear) struct key_record record = {0};
    static const uint8_t zero[AEAD_KEY_BYTES] = {0};
    char *text = stay_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    read_object(data, size);
    read_with_sum(data, size);
    read_name(text);
    master_key_init(&master, zero);
    if (key_record_decode(text, size, NULL, &record, NULL) == STAY_OK)
        must(record.generation >= 1);
    (void)!key_record_decode(text, size, &master, &record, NULL);
    free(text);
    return 0;
}
