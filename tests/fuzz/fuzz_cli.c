/* tests/fuzz/fuzz_cli.c - any words as a command line: no crash; what is accepted has a verb, and a
 * cluster where the verb needs one; what is refused was explained. */
#include "controller/run/cli.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = stay_malloc(size + 1), *rest = text, *argv[64], program[] = "mainstay",
         *said = NULL;
    size_t said_size = 0;
    int argc = 0;
    memcpy(text, data, size);
    text[size] = '\0';
    argv[argc++] = program;
    for (char *word; argc < 63 && (word = strsep(&rest, " \n")) != NULL;)
        if (*word != '\0')
            argv[argc++] = word;
    argv[argc] = NULL;
    FILE *out = open_memstream(&said, &said_size);
    must(out != NULL);
    struct cli cli = {.out = out, .err = out, .args = json_object()};
    bool good = cli_parse(&cli, argc, argv);
    fclose(out);
    must(good || said_size > 0);
    must(!good || cli.verb != NULL);
    must(!good || strncmp(cli.verb->usage, "CLUSTER", 7) != 0 || cli.cluster != NULL);
    json_decref(cli.args);
    free(said);
    free(text);
    return 0;
}
