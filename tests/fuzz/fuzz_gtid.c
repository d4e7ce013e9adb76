/* tests/fuzz/fuzz_gtid.c - any bytes as a GTID set of either flavor: no crash, and what parses
 * formats to text that parses to the same set; union, difference and containment keep their laws.
 */
#include "base/gtid.h"
#include "tests/fuzz/replay.h"

/* Splits the text in two at a ';', so that one input gives two sets to combine. */
static void check(enum gtid_flavor flavor, const char *first, const char *second)
{
    struct gtid_set a = {0}, b = {0}, both = {0}, again = {0};
    struct stay_error err;
    if (gtid_set_parse(flavor, first, &a, &err) == STAY_OK) {
        char *text = gtid_set_format(&a), *pos = gtid_set_format_mariadb_pos(&a);
        must(gtid_set_parse(flavor, text, &again, &err) == STAY_OK);
        must(gtid_set_equal(&a, &again));
        free(text);
        free(pos);
        if (gtid_set_parse(flavor, second, &b, &err) == STAY_OK) {
            gtid_set_copy(&both, &a);
            gtid_set_union(&both, &b);
            must(gtid_set_contains(&both, &a) && gtid_set_contains(&both, &b));
            gtid_set_subtract(&both, &b);
            must(gtid_set_contains(&a, &both));
            must(gtid_set_is_empty(&b) || !gtid_set_contains(&both, &b));
            gtid_set_union(&both, &b);
            must(gtid_set_contains(&both, &a));
            must(gtid_set_count(&both) >= gtid_set_count(&a));
        }
    }
    gtid_set_clear(&a);
    gtid_set_clear(&b);
    gtid_set_clear(&both);
    gtid_set_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = stay_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    char *split = strchr(text, ';');
    if (split != NULL)
        *split++ = '\0';
    check(GTID_MYSQL, text, split == NULL ? "" : split);
    check(GTID_MARIADB, text, split == NULL ? "" : split);
    free(text);
    return 0;
}
