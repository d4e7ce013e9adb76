/* One rule, for the controller and for the command. */
#include "controller/act/errant_dir.h"

char *errant_dir(const char *state_path, const char *cluster)
{
    const char *slash = strrchr(state_path, '/');
    int length = slash == NULL ? 1 : (int)(slash - state_path);
    return stay_sprintf("%.*s/errant%s%s", length, slash == NULL ? "." : state_path,
                        cluster == NULL ? "" : "/", cluster == NULL ? "" : cluster);
}
