/* base/io/process.c - child processes with captured output and a deadline.
 *
 * Happy path: spawn, feed standard input, read both outputs to their ends, see the exit, close the
 * handles, call done after the last close.
 * Deadline or cancel: SIGKILL to the group, then as above.
 * Exit without end of output (a grandchild holds it), or a kill that does not end the child: after
 * PROCESS_DRAIN_US the handles are closed and done is called with what there is. */
#include "base/io/process.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/str.h"
#include <signal.h>

#define CHUNK 8192

struct stream {
    uv_pipe_t pipe;
    struct str text;
    bool is_at_end;
    char chunk[CHUNK];
};

struct process {
    struct loop *loop;
    uv_process_t handle;
    uv_pipe_t in;
    uv_write_t feed;
    char *in_text;
    struct stream out, err_out;
    struct timer *timer; /* the deadline, later the drain */
    unsigned open;       /* handles that will still call on_closed */
    bool has_exited, is_finishing;
    enum stay_rc rc; /* why it was killed; STAY_OK: it was not */
    int exit_status, term_signal;
    int64_t started_mono_us;
    process_fn done;
    process_output_fn output;
    void *arg;
};

static enum stay_rc result_rc(const struct process *p)
{
    if (p->rc != STAY_OK)
        return p->rc;
    return p->term_signal == 0 && p->exit_status == 0 ? STAY_OK : STAY_EFAILED;
}

static void report(struct process *p)
{
    p->done(&(struct process_result){.rc = result_rc(p),
                                     .exit_status = p->exit_status,
                                     .term_signal = p->term_signal,
                                     .out = str_text(&p->out.text),
                                     .out_length = p->out.text.length,
                                     .err_out = str_text(&p->err_out.text),
                                     .err_out_length = p->err_out.text.length,
                                     .is_out_cut = p->out.text.is_cut,
                                     .is_err_out_cut = p->err_out.text.is_cut,
                                     .duration_us = loop_now_mono_us(p->loop) - p->started_mono_us},
            p->arg);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *p = handle->data;
    if (--p->open > 0)
        return;
    if (p->done != NULL)
        report(p);
    str_clear(&p->out.text);
    str_clear(&p->err_out.text);
    if (p->in_text != NULL)
        explicit_bzero(p->in_text, strlen(p->in_text)); /* it may hold passwords */
    free(p->in_text);
    free(p);
}

static void finish(struct process *p)
{
    if (p->is_finishing)
        return;
    p->is_finishing = true;
    timer_free(p->timer);
    uv_close((uv_handle_t *)&p->handle, on_closed);
    if (!uv_is_closing((uv_handle_t *)&p->in)) /* on_fed may have been first */
        uv_close((uv_handle_t *)&p->in, on_closed);
    uv_close((uv_handle_t *)&p->out.pipe, on_closed);
    uv_close((uv_handle_t *)&p->err_out.pipe, on_closed);
}

static void finish_when_complete(struct process *p)
{
    if (p->has_exited && p->out.is_at_end && p->err_out.is_at_end)
        finish(p);
}

static void start_drain(struct process *p)
{
    timer_start(p->timer, loop_now_mono_us(p->loop) + PROCESS_DRAIN_US);
}

static void on_exited(uv_process_t *handle, int64_t exit_status, int term_signal)
{
    struct process *p = handle->data;
    p->has_exited = true;
    p->exit_status = (int)exit_status;
    p->term_signal = term_signal;
    if (!p->is_finishing)
        start_drain(p);
    finish_when_complete(p);
}

static void kill_group(struct process *p, enum stay_rc why)
{
    if (p->rc == STAY_OK)
        p->rc = why;
    (void)kill(-p->handle.pid, SIGKILL); /* ESRCH: it is gone already */
    start_drain(p);
}

static void on_timer(struct timer *timer, void *arg)
{
    struct process *p = arg;
    (void)timer;
    if (p->has_exited || p->rc != STAY_OK)
        finish(p); /* drained long enough */
    else
        kill_group(p, STAY_ETIMEDOUT);
}

void process_cancel(struct process *process)
{
    if (!process->is_finishing && !process->has_exited && process->rc == STAY_OK)
        kill_group(process, STAY_ECANCELED);
}

int process_pid(const struct process *process)
{
    return process->handle.pid;
}

static struct stream *stream_of(struct process *p, const void *handle)
{
    return handle == &p->out.pipe ? &p->out : &p->err_out;
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct stream *s = stream_of(handle->data, handle);
    (void)hint;
    *buf = uv_buf_init(s->chunk, sizeof s->chunk);
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct process *p = handle->data;
    struct stream *s = stream_of(p, handle);
    if (n > 0) {
        str_add_bytes(&s->text, buf->base, (size_t)n); /* beyond the maximum: dropped */
        if (p->output != NULL && s == &p->out)
            p->output(buf->base, (size_t)n, p->arg);
    } else if (n < 0) {
        s->is_at_end = true;
        (void)uv_read_stop(handle);
        finish_when_complete(p);
    }
}

/* The child must see the end of its input: close as soon as all is written. */
static void on_fed(uv_write_t *feed, int status)
{
    (void)status; /* a child that does not read its input is no error */
    if (!uv_is_closing((uv_handle_t *)feed->handle))
        uv_close((uv_handle_t *)feed->handle, on_closed);
}

static void init_stream(struct process *p, struct stream *s, size_t max)
{
    (void)uv_pipe_init(&p->loop->uv, &s->pipe, 0); /* cannot fail */
    s->pipe.data = p;
    str_init(&s->text, max == 0 ? PROCESS_OUTPUT_DEFAULT : max);
}

static enum stay_rc spawn(struct process *p, const struct process_spec *spec,
                          struct stay_error *err)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = spec->stdin_text == NULL ? UV_IGNORE : UV_CREATE_PIPE | UV_READABLE_PIPE,
         .data.stream = (uv_stream_t *)&p->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->out.pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&p->err_out.pipe},
    };
    uv_process_options_t options = {
        .file = spec->argv[0],
        .args = (char **)(uintptr_t)spec->argv, /* libuv does not write to them */
        .env = (char **)(uintptr_t)spec->env,
        .cwd = spec->cwd,
        .flags = UV_PROCESS_DETACHED, /* its own session: kill reaches grandchildren */
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_exited,
    };
    int rc = uv_spawn(&p->loop->uv, &p->handle, &options);
    return rc == 0 ? STAY_OK : loop_error(err, rc, "run '%s'", spec->argv[0]);
}

enum stay_rc process_start(struct loop *loop, const struct process_spec *spec,
                           struct process **ret_process, struct stay_error *err)
{
    struct process *p = stay_calloc(1, sizeof *p);
    p->loop = loop;
    p->open = 4;
    p->handle.data = p;
    p->started_mono_us = loop_now_mono_us(loop);
    (void)uv_pipe_init(&loop->uv, &p->in, 0); /* cannot fail */
    p->in.data = p;
    init_stream(p, &p->out, spec->output_max);
    init_stream(p, &p->err_out, spec->output_max);
    p->timer = timer_new(loop, on_timer, p);
    enum stay_rc rc = spawn(p, spec, err);
    if (rc != STAY_OK) {
        finish(p); /* done is not set: nobody is called */
        return rc;
    }
    p->done = spec->done;
    p->output = spec->output;
    p->arg = spec->arg;
    must(uv_read_start((uv_stream_t *)&p->out.pipe, on_alloc, on_read) == 0);
    must(uv_read_start((uv_stream_t *)&p->err_out.pipe, on_alloc, on_read) == 0);
    if (spec->stdin_text != NULL) {
        p->in_text = stay_strdup(spec->stdin_text);
        uv_buf_t buf = uv_buf_init(p->in_text, (unsigned)strlen(p->in_text));
        (void)uv_write(&p->feed, (uv_stream_t *)&p->in, &buf, 1, on_fed);
    }
    timer_start(p->timer, spec->deadline_mono_us);
    if (ret_process != NULL)
        *ret_process = p;
    return STAY_OK;
}
