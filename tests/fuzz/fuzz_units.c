/* tests/fuzz/fuzz_units.c - any text as a duration, a size, a name or an address: no crash, results
 * in range, and what parses formats to text that parses to the same value. */
#include "base/names.h"
#include "base/units.h"
#include "tests/fuzz/replay.h"

static void check_units(const char *text)
{
    int64_t us, us_again;
    uint64_t bytes, bytes_again;
    struct stay_error err;
    char back[UNITS_TEXT_MAX];
    if (units_parse_duration(text, &us, &err) == STAY_OK) {
        must(us >= 0);
        units_format_duration_short(back, sizeof back, us);
        units_format_wall(back, sizeof back, us);
        units_format_duration(back, sizeof back, us);
        must(units_parse_duration(back, &us_again, &err) == STAY_OK && us == us_again);
    }
    if (units_parse_size(text, &bytes, &err) == STAY_OK) {
        units_format_size_short(back, sizeof back, bytes);
        units_format_size(back, sizeof back, bytes);
        must(units_parse_size(back, &bytes_again, &err) == STAY_OK && bytes == bytes_again);
    }
}

static void check_names(const char *text)
{
    struct names_address address, again;
    struct stay_error err;
    char back[NAMES_ADDRESS_MAX];
    must(!names_is_id(text) || names_is_schema(text));
    if (names_parse_address(text, 3306, &address, &err) == STAY_OK) {
        must(address.port >= 1);
        names_format_address(back, sizeof back, &address);
        must(names_parse_address(back, 0, &again, &err) == STAY_OK);
        must(names_address_equal(&address, &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = stay_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    check_units(text);
    check_names(text);
    free(text);
    return 0;
}
