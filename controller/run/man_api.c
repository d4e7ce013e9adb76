/* mainstay-api(7) from the route table and the table of metrics. */
#include "controller/run/man.h"
#include "controller/serve/http.h"
#include "controller/serve/metrics.h"

void man_api(struct str *out)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);
    str_add(
        out,
        ".Sh DESCRIPTION\n.Xr mainstayd 8\nserves plain HTTP on the loopback addresses of\n"
        ".Cm controller.listen .\nEvery route only reads: actions need a login, which is not\n"
        "built yet; use\n.Xr mainstay 1\non the controller's host.\n"
        "Errors are application/problem+json.\nTimes that end in _wall_us are microseconds since\n"
        "1970, those that end in _us durations; unknown is null.\n"
        ".Sh ROUTES\n{c} is a cluster, {id} a plan.\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        str_addf(out, ".It Cm %s Ar ", routes[i].method);
        man_word(out, routes[i].pattern);
        if (routes[i].query != NULL) {
            str_add_char(out, '?');
            man_word(out, routes[i].query);
        }
        str_add_char(out, '\n');
        man_text(out, routes[i].help);
    }
    str_add(out,
            ".El\n.Pp\nThe routes under /health answer 200 or 503, and say why as JSON; they are\n"
            "for balancers that poll.\n.Sh METRICS\n.Bl -tag -width Ds\n");
    const struct metric_family *families = metric_families(&count);
    for (size_t i = 0; i < count; i++) {
        str_addf(out, ".It Cm mainstay_%s Pq %s\n", families[i].name, families[i].type);
        man_text(out, families[i].help);
    }
    str_add(out,
            ".El\n.Sh UNIX SOCKET\nOne JSON object a line:\n.Bd -literal\n"
            "{\"verb\":\"status\",\"cluster\":\"shop\",\"args\":{},\"dry_run\":false}\n.Ed\n.Pp\n"
            "answered by any number of lines with a key\n.Ql event\nand then one of\n.Bd -literal\n"
            "{\"ok\":true,\"exit\":0,\"data\":{}}\n"
            "{\"ok\":false,\"exit\":3,\"error\":\"...\",\"refused_by\":[\"cooldown\"]}\n.Ed\n.Pp\n"
            "where exit is what\n.Xr mainstay 1\nends with.\n");
}
