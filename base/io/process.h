/* base/io/process.h - child processes with captured output and a deadline: hooks and jobs.
 *
 * Layer: base/io. Loop thread only. The child leads its own process group and session; at the
 * deadline or on cancel the whole group is killed (SIGKILL). Output beyond the maximum is read and
 * dropped. A child that exits while a grandchild keeps its output open is waited for no longer than
 * PROCESS_DRAIN_US. */
#ifndef BASE_IO_PROCESS_H
#define BASE_IO_PROCESS_H
#include "base/error.h"

#define PROCESS_DRAIN_US       (250 * STAY_MS)
#define PROCESS_OUTPUT_DEFAULT 65536

struct loop;
struct process;

struct process_result {
    enum stay_rc rc; /* OK: exited with 0; EFAILED: other status or signal; ETIMEDOUT; ECANCELED */
    int exit_status; /* valid when term_signal is 0 */
    int term_signal;
    const char *out; /* terminated; borrowed during the callback */
    size_t out_length;
    const char *err_out;
    size_t err_out_length;
    bool is_out_cut, is_err_out_cut;
    int64_t duration_us;
};

typedef void (*process_fn)(const struct process_result *result, void *arg);
/* A piece of the standard output as it comes, of any length; borrowed for the call. */
typedef void (*process_output_fn)(const char *bytes, size_t length, void *arg);

struct process_spec {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH; no shell */
    const char *const *env;  /* NULL-terminated "K=V"; NULL inherits ours */
    const char *cwd;         /* NULL: ours */
    const char *stdin_text;  /* NULL: empty standard input */
    size_t output_max;       /* bytes kept per stream; 0 means PROCESS_OUTPUT_DEFAULT */
    int64_t deadline_mono_us;
    process_fn done;
    process_output_fn output; /* may be NULL; the end's result holds the output as well */
    void *arg;
};

/* STAY_ENOTFOUND: no such program. STAY_EDENIED: not executable. On success done runs once;
 * *ret_process (may be NULL) is valid until then. */
enum stay_rc process_start(struct loop *loop, const struct process_spec *spec,
                           struct process **ret_process, struct stay_error *err) STAY_MUST_USE;
void process_cancel(struct process *process);
int process_pid(const struct process *process);

#endif
