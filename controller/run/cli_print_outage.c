/* After a total outage: what each server holds, who is recommended, what to type. */
#include "controller/run/cli.h"

static void print_server(struct cli *cli, const json_t *server)
{
    char text[900];
    const char *name = cli_text(server, "name");
    const char *more = cli_text(server, "received_not_executed"),
               *lacks = cli_text(server, "lacks");
    if (!cli_true(server, "answers")) {
        snprintf(text, sizeof text, "%s: still missing%s%.300s%s", name,
                 cli_true(server, "known") ? "; when last read it held "
                                           : "; this controller never read it",
                 cli_true(server, "known") ? cli_text(server, "executed") : "",
                 cli_true(server, "acker")
                     ? "; it acknowledged commits: it may be the only one that holds the last"
                     : "; it may hold commits that no other server has");
        cli_wrap(cli, cli->out, 4, text);
        return;
    }
    snprintf(text, sizeof text, "%s: holds %.300s%s%.200s%s%.200s%s", name,
             cli_text(server, "executed"),
             more[0] == '\0' ? "" : "; received, not yet executed: ", more,
             lacks[0] == '\0' ? "" : "; lacks ", lacks,
             cli_true(server, "relay_log_unread")
                 ? "; its relay log may hold more: read and executed before one is chosen"
                 : "");
    cli_wrap(cli, cli->out, 4, text);
}

void cli_print_outage(struct cli *cli, const json_t *cluster)
{
    const json_t *outage = json_object_get(cluster, "outage");
    const json_t *certificate = json_object_get(outage, "certificate");
    const char *recommended = cli_text(outage, "recommended"),
               *kind = cli_text(certificate, "kind");
    char text[700];
    size_t i;
    json_t *server;
    if (!json_is_object(outage))
        return;
    fprintf(cli->out, "  %stotal outage%s\n", cli_color(cli, CLI_RED), cli_color_end(cli, CLI_RED));
    json_array_foreach(json_object_get(outage, "servers"), i, server) print_server(cli, server);
    if (recommended[0] == '\0')
        snprintf(text, sizeof text, "no server is recommended by what is known now");
    else
        snprintf(text, sizeof text, "recommended: %s, by what is known now; certificate %s%s%s",
                 recommended, kind, strcmp(kind, "LOSSLESS") == 0 ? "" : ": ",
                 strcmp(kind, "LOSSLESS") == 0 ? "" : cli_text(certificate, "reason"));
    cli_wrap(cli, cli->out, 4, text);
    cli_wrap(cli, cli->out, 4, cli_text(outage, "refused"));
    fprintf(cli->out, "    type: %s\n", cli_text(outage, "command"));
}
