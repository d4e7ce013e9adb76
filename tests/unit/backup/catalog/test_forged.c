/* tests/unit/backup/catalog/test_forged.c - whoever may write to the store and has no key: nothing
 * he makes is believed by a reader that has one. */
#include "backup/catalog/catalog.h"
#include "backup/catalog/erasure.h"
#include "backup/repository/frame.h"
#include "backup/repository/sealed_document.h"
#include "tests/unit/backup/repository/repository_samples.h"
#include <openssl/evp.h>

static struct sample s;

static int make(void **state)
{
    (void)state;
    sample_repository(&s);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    return 0;
}

/* Everything of an object that needs no key: sums, index, end are right; the seals are noise. */
static void forge(struct object_header *h, const struct frame_header *frames, size_t count,
                  struct str *out)
{
    static const uint8_t key[AEAD_KEY_BYTES] = {0};
    STAY_AUTO(frame_codec_drop) struct frame_codec *codec = frame_codec_new(3);
    STAY_AUTO(str_clear) struct str index = {0};
    struct object_end end = {.frame_count = (uint32_t)count};
    object_header_encode(h, out);
    for (size_t i = 0; i < count; i++) {
        struct frame_header f = frames[i];
        struct frame_place place = {.offset = out->length, .key = f.key, .type = f.type};
        f.number = i;
        frame_seal(codec, key, h, &f, (struct span){"", 0}, out);
        place.flags = f.flags;
        frame_place_encode(&place, &index);
    }
    end.index_offset = out->length;
    end.index_crc = frame_index_crc(index.text, index.length);
    str_add_bytes(out, index.text, index.length);
    sha256_of(out->text, out->length, end.hash);
    object_end_encode(&end, out);
}

static void forge_document(const char *name, const uint8_t domain[DOMAIN_BYTES],
                           uint32_t generation)
{
    struct object_key key = {.generation = generation};
    struct object_header h = {.kind = OBJECT_DOCUMENT, .frame_max = 4096, .key_count = 1};
    const struct frame_header last = {.flags = FRAME_LAST};
    STAY_AUTO(str_clear) struct str sealed = {0};
    uint8_t sum[SHA256_BYTES];
    char hex[65];
    STAY_AUTO(stay_free_charp)
    char *line = stay_sprintf("{\"about\":{\"engine\":\"forged\"},\"format\":\"mainstay-document\","
                              "\"kind\":\"lineage\",\"name\":\"%s\",\"repo\":\"%s\",\"version\":1,"
                              "\"written_wall_us\":1}",
                              name, s.repo->id_text);
    sha256_of(line, strlen(line), sum);
    hex_format(sum, sizeof sum, hex);
    memcpy(key.domain, domain, DOMAIN_BYTES);
    memcpy(h.repo, s.repo->id, REPO_ID_BYTES);
    (void)stay_copy(h.name, sizeof h.name, name);
    h.keys = &key;
    h.about = stay_sprintf("{\"stub_sha256\":\"%s\"}", hex);
    forge(&h, &last, 1, &sealed);
    free(h.about);
    STAY_AUTO(stay_free_charp) char *base64 = stay_malloc(sealed.length * 2);
    (void)EVP_EncodeBlock((uint8_t *)base64, (uint8_t *)sealed.text, (int)sealed.length);
    STAY_AUTO(stay_free_charp) char *text = stay_sprintf("%s\n\"%s\"\n", line, base64);
    assert_done(object_put(s.repo->store, name, text, strlen(text), err));
}

#define LINEAGE(digit) "c/shop/l/000000000000000" digit "/lineage.json"

static void a_forged_document_is_not_believed(void **state)
{
    struct document d = {0};
    uint8_t shop[DOMAIN_BYTES], acme[DOMAIN_BYTES], other[DOMAIN_BYTES];
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    STAY_AUTO(catalog_clear) struct catalog c = {0};
    uint32_t generation = 0;
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", NULL, shop, err));
    assert_done(repository_domain_ready(s.repo, "shop", "acme", acme, err));
    assert_done(repository_domain_ready(s.repo, "other", NULL, other, err));
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    assert_done(key_ring_current(s.repo->ring, shop, &generation, err));
    forge_document(LINEAGE("1"), shop, 9999);       /* a generation that is not there */
    forge_document(LINEAGE("2"), acme, 1);          /* a domain that was destroyed */
    forge_document(LINEAGE("3"), shop, generation); /* with noise for a data key */
    forge_document(LINEAGE("4"), other, 1);
    assert_fault(REPO_FAULT_KEY_MISSING, document_read(s.repo, LINEAGE("1"), &d, err));
    assert_fault(REPO_FAULT_FOREIGN, document_read(s.repo, LINEAGE("2"), &d, err));
    assert_fault(REPO_FAULT_CORRUPT, document_read(s.repo, LINEAGE("3"), &d, err));
    assert_fault(REPO_FAULT_KEY_MISSING, document_read(s.repo, LINEAGE("4"), &d, err));
    assert_done(catalog_load(s.repo, "shop", NULL, NULL, &c, err));
    assert_int_equal(c.lineage_count, 0);
    assert_int_equal(c.unreadable, 4);
}

/* Of two domains, the second destroyed: its frames are passed over, so that one of them must not be
 * the proof of the end. */
static void an_object_cut_behind_a_destroyed_domain_is_seen(void **state)
{
    uint8_t domains[2][DOMAIN_BYTES];
    struct object_writer *w = NULL;
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", NULL, domains[0], err));
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domains[1], err));
    const struct object_spec spec = {.name = SAMPLE_DATA,
                                     .kind = OBJECT_DATA,
                                     .about = "",
                                     .domain_count = 2,
                                     .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    assert_done(object_writer_begin(s.repo, &spec, &w, err));
    assert_done(object_writer_frame(w, 0, 1, "skeleton", 8, err));
    assert_done(object_writer_frame(w, 1, 2, "payload", 7, err));
    assert_done(object_writer_frame(w, 0, 1, "more", 4, err));
    assert_done(object_writer_finish(w, NULL, err));
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    assert_done(object_verify(s.repo, SAMPLE_DATA, NULL, err));
    /* The header as it is, then only a last frame that says it is of the second domain. */
    STAY_AUTO(str_clear) struct str whole = {0};
    STAY_AUTO(object_header_clear) struct object_header h = {0};
    STAY_AUTO(str_clear) struct str cut = {0};
    const struct frame_header last = {.flags = FRAME_LAST, .key = 1};
    size_t needed;
    assert_done(object_read_all(s.repo->store, SAMPLE_DATA, 1U << 20, &whole, err));
    assert_done(object_header_decode(whole.text, whole.length, &h, &needed, err));
    forge(&h, &last, 1, &cut);
    assert_done(object_delete(s.repo->store, SAMPLE_DATA, err));
    assert_done(object_put(s.repo->store, SAMPLE_DATA, cut.text, cut.length, err));
    assert_fault(REPO_FAULT_CORRUPT, object_verify(s.repo, SAMPLE_DATA, NULL, err));
}

static void nothing_of_others_reaches_the_terminal(void **state)
{
    static const char line[] =
        "{\"about\":{},\"format\":\"mainstay-document\",\"kind\":\"lineage\","
        "\"name\":\"\\u001b]0;x\\u0007\",\"repo\":\"%s\",\"version\":1,"
        "\"written_wall_us\":1}\n\"AAAA\"\n";
    struct document d = {0};
    struct stay_error why = {0};
    STAY_AUTO(stay_free_charp) char *text = NULL;
    (void)state;
    const char *id = strstr(line, "%s");
    text = stay_sprintf("%.*s%s%s", (int)(id - line), line, s.repo->id_text, id + 2);
    assert_done(object_put(s.repo->store, LINEAGE("1"), text, strlen(text), err));
    assert_int_not_equal(document_read(s.repo, LINEAGE("1"), &d, &why), STAY_OK);
    for (const char *p = why.text; *p != '\0'; p++)
        assert_true(*p >= ' ' && *p <= '~');
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(a_forged_document_is_not_believed),
        IN(an_object_cut_behind_a_destroyed_domain_is_seen),
        IN(nothing_of_others_reaches_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
