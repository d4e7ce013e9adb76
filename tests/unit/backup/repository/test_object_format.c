/* tests/unit/backup/repository/test_object_format.c - bytes of an object: what was written comes
 * back, and no changed, cut, moved or borrowed byte is taken for it. */
#include "backup/repository/frame.h"
#include "base/random.h"
#include "tests/unit/backup/repository/repository_samples.h"

/* The header of an object with two domains, ids that count, keys of 0x11. and 0x22. */
static void make_header(struct object_header *h)
{
    static const uint8_t nonce[AEAD_NONCE_BYTES] = {9};
    uint8_t key[AEAD_KEY_BYTES];
    *h = (struct object_header){.kind = OBJECT_SEGMENT, .frame_max = 4096, .key_count = 2};
    for (uint8_t i = 0; i < 16; i++) {
        h->repo[i] = i;
        h->object[i] = (uint8_t)(16 + i);
    }
    h->keys = stay_calloc(2, sizeof *h->keys);
    (void)stay_copy(h->name, sizeof h->name, "c/shop/x.msl");
    h->about = stay_strdup("{\"seq\":1}");
    for (uint8_t i = 0; i < 2; i++) {
        memset(h->keys[i].domain, 0x40 + i, DOMAIN_BYTES);
        h->keys[i].generation = 3U + i;
        memset(key, 0x11 * (i + 1), sizeof key);
        data_key_seal(key, h, nonce, key, &h->keys[i]);
    }
}

static void a_header_comes_back(void **state)
{
    STAY_AUTO(object_header_clear) struct object_header h;
    STAY_AUTO(object_header_clear) struct object_header back = {0};
    STAY_AUTO(str_clear) struct str out = {0};
    uint8_t key[AEAD_KEY_BYTES], want[AEAD_KEY_BYTES];
    size_t needed = 0;
    (void)state;
    make_header(&h);
    object_header_encode(&h, &out);
    assert_int_equal(out.length, h.length);
    assert_done(object_header_decode(out.text, out.length, &back, &needed, err));
    assert_int_equal(back.kind, OBJECT_SEGMENT);
    assert_string_equal(back.name, h.name);
    assert_string_equal(back.about, h.about);
    assert_memory_equal(back.hash, h.hash, SHA256_BYTES);
    assert_int_equal(back.keys[1].generation, 4);
    memset(want, 0x22, sizeof want);
    assert_true(data_key_open(want, &back, &back.keys[1], key));
    assert_memory_equal(key, want, sizeof key);
    assert_false(data_key_open(want, &back, &back.keys[0], key));
    back.object[0] ^= 1; /* a data key opens in its own object alone */
    assert_false(data_key_open(want, &back, &back.keys[1], key));
}

static void any_changed_bit_of_a_header_is_seen(void **state)
{
    STAY_AUTO(object_header_clear) struct object_header h;
    STAY_AUTO(str_clear) struct str out = {0};
    struct object_header back = {0};
    size_t needed;
    (void)state;
    make_header(&h);
    object_header_encode(&h, &out);
    for (size_t bit = 0; bit < out.length * 8; bit++) {
        out.text[bit / 8] ^= (char)(1 << bit % 8);
        enum stay_rc rc = object_header_decode(out.text, out.length, &back, &needed, NULL);
        if (rc == STAY_OK)
            fail_msg("bit %zu is not seen", bit);
        out.text[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t length = 0; length < out.length; length++) {
        struct stay_error err = {0};
        assert_int_equal(object_header_decode(out.text, length, &back, &needed, &err), STAY_ELIMIT);
        assert_true(needed > length && needed <= out.length);
        assert_int_equal(repo_fault_of(&err), REPO_FAULT_TRUNCATED);
    }
}

static void a_newer_version_is_named(void **state)
{
    STAY_AUTO(object_header_clear) struct object_header h;
    STAY_AUTO(str_clear) struct str out = {0};
    struct object_header back = {0};
    size_t needed;
    (void)state;
    make_header(&h);
    object_header_encode(&h, &out);
    out.text[8] = 2;
    assert_fault(REPO_FAULT_NEWER, object_header_decode(out.text, out.length, &back, &needed, err));
}

static struct frame_header seal(struct frame_codec *codec, const struct object_header *h,
                                uint64_t number, const char *text, size_t length, struct str *out)
{
    uint8_t key[AEAD_KEY_BYTES] = {5};
    struct frame_header f = {.key = 1, .type = 42, .number = number, .plain_offset = number * 10};
    frame_seal(codec, key, h, &f, (struct span){text, length}, out);
    return f;
}

static enum stay_rc open_frame(struct frame_codec *codec, const struct object_header *h,
                               const struct str *in, uint8_t first, uint8_t *plain,
                               struct frame_header *f, struct stay_error *err)
{
    uint8_t key[AEAD_KEY_BYTES] = {first};
    enum stay_rc rc = frame_header_decode((const uint8_t *)in->text, h, f, err);
    if (rc != STAY_OK)
        return rc;
    if (in->length != FRAME_OVERHEAD_BYTES + (size_t)f->sealed_length)
        return stay_error(err, STAY_ELIMIT, "another length");
    return frame_open(codec, key, h, f,
                      (struct span){in->text + FRAME_HEADER_BYTES, in->length - FRAME_HEADER_BYTES},
                      plain, err);
}

static void frames_of_every_kind_come_back(void **state)
{
    static char text[4096];
    uint8_t plain[4096];
    STAY_AUTO(object_header_clear) struct object_header h;
    STAY_AUTO(str_clear) struct str none = {0};
    STAY_AUTO(frame_codec_drop) struct frame_codec *codec = frame_codec_new(3);
    static const size_t lengths[] = {0, 1, 2, 100, 4095, 4096};
    struct random noise;
    (void)state;
    random_init(&noise, 1);
    make_header(&h);
    object_header_encode(&h, &none);
    for (size_t i = 0; i < 2 * STAY_COUNT(lengths); i++) {
        STAY_AUTO(str_clear) struct str out = {0};
        struct frame_header back;
        size_t length = lengths[i / 2];
        for (size_t j = 0; j < length; j++)
            text[j] = (char)(i % 2 == 0 ? 'a' : (int)(random_u64(&noise) & 255));
        struct frame_header f = seal(codec, &h, i, text, length, &out);
        bool shrinks = i % 2 == 0 && length >= 100;
        assert_int_equal(f.flags & FRAME_COMPRESSED, shrinks ? FRAME_COMPRESSED : 0);
        assert_done(open_frame(codec, &h, &out, 5, plain, &back, err));
        assert_int_equal(back.plain_length, length);
        assert_int_equal(back.type, 42);
        assert_int_equal(back.number, i);
        assert_int_equal(memcmp(plain, text, length), 0);
        assert_fault(REPO_FAULT_CORRUPT, open_frame(codec, &h, &out, 6, plain, &back, err));
    }
}

static void any_changed_bit_of_a_frame_is_seen(void **state)
{
    uint8_t plain[4096];
    STAY_AUTO(object_header_clear) struct object_header h;
    STAY_AUTO(str_clear) struct str none = {0};
    STAY_AUTO(str_clear) struct str out = {0};
    STAY_AUTO(frame_codec_drop) struct frame_codec *codec = frame_codec_new(3);
    struct frame_header back;
    (void)state;
    make_header(&h);
    object_header_encode(&h, &none);
    (void)seal(codec, &h, 7, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 60,
               &out);
    for (size_t bit = 0; bit < out.length * 8; bit++) {
        out.text[bit / 8] ^= (char)(1 << bit % 8);
        if (open_frame(codec, &h, &out, 5, plain, &back, NULL) == STAY_OK)
            fail_msg("bit %zu is not seen", bit);
        out.text[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_done(open_frame(codec, &h, &out, 5, plain, &back, err));
    h.hash[3] ^= 1; /* a frame opens in its own object alone */
    assert_fault(REPO_FAULT_CORRUPT, open_frame(codec, &h, &out, 5, plain, &back, err));
}

static void an_end_that_does_not_fit_is_refused(void **state)
{
    struct object_end end = {.index_offset = 1000, .frame_count = 2, .plain_length = 5}, back;
    STAY_AUTO(str_clear) struct str out = {0};
    (void)state;
    object_end_encode(&end, &out);
    assert_int_equal(out.length, OBJECT_END_BYTES);
    const uint8_t *bytes = (const uint8_t *)out.text;
    assert_done(object_end_decode(bytes, 1000 + 64 + 72, &back, err));
    assert_int_equal(back.plain_length, 5);
    assert_fault(REPO_FAULT_CORRUPT, object_end_decode(bytes, 1000 + 64 + 71, &back, err));
    assert_fault(REPO_FAULT_CORRUPT, object_end_decode(bytes, 72, &back, err));
    out.text[71] = 'x';
    assert_fault(REPO_FAULT_TRUNCATED, object_end_decode(bytes, 1136, &back, err));
}

/* SP 800-38D's test case 14 (AES-256, one zero block), RFC 4231's case 2, RFC 8032's test 1. */
static void the_cryptography_is_the_standards(void **state)
{
    uint8_t key[32] = {0}, nonce[12] = {0}, block[16] = {0}, out[32], sum[32], got[16];
    char hex[129];
    (void)state;
    aead_seal(key, nonce, NULL, 0, (struct span){block, 16}, out);
    hex_format(out, 32, hex);
    assert_string_equal(hex, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    assert_true(aead_open(key, nonce, NULL, 0, (struct span){out, 32}, got));
    out[31] ^= 1;
    assert_false(aead_open(key, nonce, NULL, 0, (struct span){out, 32}, got));
    assert_false(aead_open(key, nonce, NULL, 0, (struct span){out, 15}, got));
    sha256_of("abc", 3, sum);
    hex_format(sum, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    uint8_t seed[32], public_key[32], signature[64];
    assert_true(
        hex_parse("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32));
    signature_public(seed, public_key);
    hex_format(public_key, 32, hex);
    assert_string_equal(hex, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    signature_make(seed, (struct span){"x", 1}, signature);
    assert_true(signature_is_good(public_key, (struct span){"x", 1}, signature));
    assert_false(signature_is_good(public_key, (struct span){"y", 1}, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(any_changed_bit_of_a_header_is_seen),
        cmocka_unit_test(a_newer_version_is_named),
        cmocka_unit_test(frames_of_every_kind_come_back),
        cmocka_unit_test(any_changed_bit_of_a_frame_is_seen),
        cmocka_unit_test(an_end_that_does_not_fit_is_refused),
        cmocka_unit_test(the_cryptography_is_the_standards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
