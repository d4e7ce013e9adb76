/* tests/fuzz/fuzz_route.c - any bytes as a proxy's answer: no crash, and no server is believed open
 * that the answer does not hold. */
#include "controller/act/step_route.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cluster_config config = {
        .node_count = 3, .nodes = {{.name = "db1"}, {.name = "db2"}, {.name = "db3"}}};
    char *text = stay_malloc(size + 1);
    uint32_t ready = 0, known = 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (route_read_state(text, &config, "shop_rw", &ready, &known)) {
        must((ready & ~known) == 0 && known < 8);
        for (uint32_t i = 0; i < 3; i++)
            must((known >> i & 1) == 0 || strstr(text, config.nodes[i].name) != NULL);
    } else {
        must(ready == 0 && known == 0);
    }
    free(text);
    return 0;
}
