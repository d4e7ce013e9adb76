/* tests/bench/fleet_config.c - see the header. */
#include "tests/bench/fleet_config.h"

#include <string.h>

static void write_accounts(FILE *file, const char *dir)
{
    static const char *const names[] = {"monitor", "canary", "operate", "replicate"};
    fprintf(file, "    accounts = {\n");
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        fprintf(
            file,
            "      %s = { user = \"mainstay_%s\"; password = { file = \"%s/secrets/%s\"; }; };\n",
            names[i], names[i], dir, names[i]);
    fprintf(file, "    };\n");
}

static void write_cluster(FILE *file, const struct probe_stage *stage, int cluster)
{
    char a[64], b[64];
    probe_stage_address(stage, 2 * cluster, a, sizeof a);
    probe_stage_address(stage, 2 * cluster + 1, b, sizeof b);
    fprintf(file,
            "  { name = \"c%d\"; engine = \"mariadb\";\n"
            "    nodes = ( { name = \"db1\"; address = \"%s\"; zone = \"a\"; },\n"
            "              { name = \"db2\"; address = \"%s\"; zone = \"b\"; } );\n",
            cluster, a, b);
    write_accounts(file, lab_dir(stage->lab));
    if (stage->tls)
        fprintf(file,
                "    tls = { ca = \"%s/tls/ca.pem\"; required = true;"
                " verify_name = false; };\n",
                lab_dir(stage->lab));
    fprintf(file, "    detection = { interval = \"1s\"; };\n  }");
}

void fleet_config_write(FILE *file, const struct probe_stage *stage, int first, int end)
{
    for (int i = first; i < end; i++) {
        write_cluster(file, stage, i);
        fprintf(file, "%s\n", i + 1 < end ? "," : "");
    }
}

bool fleet_config_join(struct lab *lab, const struct probe_stage *stage)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    must(file != NULL);
    fprintf(file, ",\n");
    fleet_config_write(file, stage, 0, stage->servers / 2);
    fprintf(file, ");\n");
    (void)fclose(file);
    bool ok = lab_edit_config(lab, "\n);\n", text);
    if (!ok)
        fprintf(stderr, "bench: %s\n", lab_error(lab));
    free(text);
    return ok;
}
