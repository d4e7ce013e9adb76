/* MySQL in the lab. */
#include "tests/lib/lab_private.h"

bool lab_mysql_template(struct lab *lab, char *template_dir, size_t size)
{
    (void)template_dir; (void)size;
    return lab_fail(lab, "MySQL is not in this lab yet");
}
void lab_mysql_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv)
{
    (void)lab; (void)server; (void)argv;
}
bool lab_mysql_replicate(struct lab *lab)
{
    return lab_fail(lab, "MySQL is not in this lab yet");
}
