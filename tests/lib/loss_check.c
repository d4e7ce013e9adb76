/* The loss checker: sets are sorted arrays, joined once. */
#include "tests/lib/loss_check.h"

void ledger_add(struct ledger *ledger, unsigned client, uint64_t seq)
{
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity == 0 ? 4096 : ledger->capacity * 2;
        ledger->rows = stay_realloc(ledger->rows, ledger->capacity, sizeof *ledger->rows);
    }
    ledger->rows[ledger->count++] = (struct ledger_row){.client = client, .seq = seq};
}

void ledger_clear(struct ledger *ledger)
{
    free(ledger->rows);
    *ledger = (struct ledger){0};
}

static int compare_keys(unsigned ca, uint64_t sa, unsigned cb, uint64_t sb)
{
    if (ca != cb)
        return ca < cb ? -1 : 1;
    return sa == sb ? 0 : sa < sb ? -1 : 1;
}

static int by_key(const void *a, const void *b)
{
    const struct load_attempt *x = a, *y = b;
    return compare_keys(x->client, x->seq, y->client, y->seq);
}

static int by_end(const void *a, const void *b)
{
    const struct load_attempt *x = a, *y = b;
    return x->end_us == y->end_us ? by_key(a, b) : x->end_us < y->end_us ? -1 : 1;
}

static int rows_by_key(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;
    return compare_keys(x->client, x->seq, y->client, y->seq);
}

static void sort_rows(struct ledger_row *rows, size_t count)
{
    if (count > 1)
        qsort(rows, count, sizeof *rows, rows_by_key);
}

static void sort_attempts(struct load_record *record, int (*order)(const void *, const void *))
{
    if (record->count > 1)
        qsort(record->attempts, record->count, sizeof *record->attempts, order);
}

/* Acknowledged attempts sorted by key; caller frees. */
static struct load_attempt *acked_by_key(const struct load_record *record, size_t *ret_count)
{
    struct load_attempt *acked = stay_calloc(record->count + 1, sizeof *acked);
    size_t count = 0;
    for (size_t i = 0; i < record->count; i++)
        if (record->attempts[i].outcome == LOAD_OK)
            acked[count++] = record->attempts[i];
    if (count > 1)
        qsort(acked, count, sizeof *acked, by_key);
    *ret_count = count;
    return acked;
}

size_t loss_plant(struct ledger *ledger, const struct load_record *record, size_t n)
{
    size_t acks = 0, matching = 0, seen = 0, kept = 0, taken = 0;
    struct load_attempt *acked = acked_by_key(record, &acks);
    bool *is_acked = stay_calloc(ledger->count + 1, sizeof *is_acked);
    for (size_t i = 0; acks > 0 && i < ledger->count; i++) {
        struct load_attempt key = {.client = ledger->rows[i].client, .seq = ledger->rows[i].seq};
        is_acked[i] = bsearch(&key, acked, acks, sizeof key, by_key) != NULL;
        matching += is_acked[i];
    }
    n = n < matching ? n : matching;
    for (size_t i = 0; i < ledger->count; i++) {
        bool take = matching > 0 && is_acked[i] && (seen + 1) * n / matching > seen * n / matching;
        seen += is_acked[i];
        taken += take;
        if (!take)
            ledger->rows[kept++] = ledger->rows[i];
    }
    ledger->count = kept;
    free(is_acked);
    free(acked);
    return taken;
}

/* Order of one client's rows by id must be the order it wrote them in. */
static size_t count_order(const struct ledger *ledger)
{
    size_t violations = 0, clients = 0;
    for (size_t i = 0; i < ledger->count; i++)
        clients = ledger->rows[i].client >= clients ? ledger->rows[i].client + 1 : clients;
    if (clients > 65536)
        return ledger->count; /* no load has so many writers: the rows are not ours */
    uint64_t *last = stay_calloc(clients + 1, sizeof *last);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        if (row->seq < last[row->client])
            violations++;
        last[row->client] = row->seq;
    }
    free(last);
    return violations;
}

static void count_missing(struct loss_report *r, const struct load_attempt *a)
{
    if (a->outcome == LOAD_UNKNOWN)
        r->unknown_missing++;
    if (a->outcome != LOAD_OK)
        return;
    if (r->lost++ == 0)
        r->first_lost = (struct ledger_row){.client = a->client, .seq = a->seq};
}

/* One pass over attempts and rows, both sorted by key. */
static void join(const struct load_record *record, const struct ledger_row *rows, size_t count,
                 struct loss_report *r)
{
    size_t j = 0;
    for (size_t i = 0; i < record->count; i++) {
        const struct load_attempt *a = &record->attempts[i];
        while (j < count && compare_keys(rows[j].client, rows[j].seq, a->client, a->seq) < 0) {
            r->unexpected++;
            j++;
        }
        size_t copies = 0;
        while (j < count && compare_keys(rows[j].client, rows[j].seq, a->client, a->seq) == 0) {
            copies++;
            j++;
        }
        r->duplicates += copies > 1 ? copies - 1 : 0;
        if (copies == 0)
            count_missing(r, a);
        else if (a->outcome == LOAD_FAIL)
            r->unexpected++;
        else if (a->outcome == LOAD_UNKNOWN)
            r->unknown_found++;
    }
    r->unexpected += count - j;
}

static void count_outcomes(const struct load_record *record, int64_t fault_us,
                           struct loss_report *r)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct load_attempt *a = &record->attempts[i];
        r->acked += a->outcome == LOAD_OK;
        r->failed += a->outcome == LOAD_FAIL;
        r->unknown += a->outcome == LOAD_UNKNOWN;
        r->waiting_at_fault += fault_us > 0 && a->start_us < fault_us && a->end_us > fault_us;
    }
    r->attempts = record->count;
    r->connect_failures = record->connect_failures;
}

/* The record is sorted by end time here. */
static void find_runs(const struct load_record *record, struct loss_report *r)
{
    struct ack_run now = {0}, before = {0};
    int64_t before_last_us = INT64_MIN;
    for (size_t i = 0; i <= record->count; i++) {
        const struct load_attempt *a = i < record->count ? &record->attempts[i] : NULL;
        if (a != NULL && a->outcome != LOAD_OK)
            continue;
        if (a != NULL && now.acks > 0 && a->server_id == now.server_id) {
            now.acks++;
            now.last_ack_us = a->end_us;
            now.first_start_us =
                a->start_us < now.first_start_us ? a->start_us : now.first_start_us;
            continue;
        }
        if (now.acks > 0) {
            r->switches += before.acks > 0;
            r->overlaps += before.acks > 0 && now.first_start_us < before_last_us;
            if (r->runs_count < LOSS_RUNS_MAX)
                r->runs[r->runs_count++] = now;
            before = now;
            before_last_us = now.last_ack_us;
        }
        if (a != NULL)
            now = (struct ack_run){.server_id = a->server_id,
                                   .acks = 1,
                                   .first_start_us = a->start_us,
                                   .first_ack_us = a->end_us,
                                   .last_ack_us = a->end_us};
    }
}

static void find_outage(const struct load_record *record, int64_t fault_us, struct loss_report *r)
{
    int64_t last_us = 0, first_us = 0, until_us = 0;
    size_t before = 0;
    for (size_t i = 0; i < record->count; i++) {
        const struct load_attempt *a = &record->attempts[i];
        if (a->outcome != LOAD_OK)
            continue;
        first_us = first_us == 0 ? a->end_us : first_us;
        if (fault_us == 0 || a->end_us <= fault_us) {
            before++;
            until_us = a->end_us;
        }
        r->recovered |= a->end_us > fault_us;
        if (last_us != 0 && a->end_us > fault_us && a->end_us - last_us > r->outage_us) {
            r->outage_us = a->end_us - last_us;
            r->outage_from_us = last_us;
            r->outage_to_us = a->end_us;
        }
        last_us = a->end_us;
    }
    /* Nothing acknowledged from the last one to the end of the record counts as well. */
    int64_t end_us = record->count > 0 ? record->attempts[record->count - 1].end_us : 0;
    end_us = record->ended_us > end_us ? record->ended_us : end_us;
    if (last_us != 0 && fault_us > 0 && end_us - last_us > r->outage_us) {
        r->outage_us = end_us - last_us;
        r->outage_from_us = last_us;
        r->outage_to_us = end_us;
        r->recovered = false;
    }
    if (until_us > first_us)
        r->acked_per_second = (double)before * 1e6 / (double)(until_us - first_us);
}

size_t loss_take_later(struct load_record *record, const struct load_record *later,
                       const struct ledger *ledger)
{
    size_t known = record->count, without = 0;
    struct load_attempt *attempts = stay_calloc(later->count + 1, sizeof *attempts);
    if (later->count > 0)
        memcpy(attempts, later->attempts, later->count * sizeof *attempts);
    if (known < later->count)
        qsort(attempts + known, later->count - known, sizeof *attempts, by_key);
    if (known > 1)
        qsort(attempts, known, sizeof *attempts, by_key);
    for (size_t i = 0; i < ledger->count; i++) {
        struct load_attempt key = {.client = ledger->rows[i].client, .seq = ledger->rows[i].seq};
        if (bsearch(&key, attempts, known, sizeof key, by_key) != NULL)
            continue;
        struct load_attempt *found =
            known >= later->count
                ? NULL
                : bsearch(&key, attempts + known, later->count - known, sizeof key, by_key);
        without += found == NULL;
        if (found != NULL && found->outcome != LOAD_NONE) {
            load_record_add(record, found);
            found->outcome = LOAD_NONE; /* a duplicate row has one attempt */
        }
    }
    free(attempts);
    return without;
}

void loss_check(struct load_record *record, const struct ledger *ledger, int64_t fault_us,
                struct loss_report *ret)
{
    struct loss_report r = {0};
    struct ledger_row *rows = stay_calloc(ledger->count + 1, sizeof *rows);
    if (ledger->count > 0)
        memcpy(rows, ledger->rows, ledger->count * sizeof *rows);
    sort_rows(rows, ledger->count);
    sort_attempts(record, by_key);
    join(record, rows, ledger->count, &r);
    free(rows);
    sort_attempts(record, by_end);
    count_outcomes(record, fault_us, &r);
    find_runs(record, &r);
    find_outage(record, fault_us, &r);
    r.order_violations = count_order(ledger);
    *ret = r;
}

bool loss_report_is_clean(const struct loss_report *r)
{
    return r->lost == 0 && r->unexpected == 0 && r->duplicates == 0 && r->order_violations == 0 &&
           r->overlaps == 0;
}

static json_t *runs_json(const struct loss_report *r)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < r->runs_count; i++)
        json_array_append_new(runs, json_pack("{s:i, s:I, s:I, s:I}", "server_id",
                                              (int)r->runs[i].server_id, "acks",
                                              (json_int_t)r->runs[i].acks, "first_ack_us",
                                              (json_int_t)r->runs[i].first_ack_us, "last_ack_us",
                                              (json_int_t)r->runs[i].last_ack_us));
    return runs;
}

json_t *loss_report_json(const struct loss_report *r)
{
    const struct {
        const char *name;
        size_t value;
    } counts[] = {{"attempts", r->attempts},
                  {"acked", r->acked},
                  {"failed", r->failed},
                  {"unknown", r->unknown},
                  {"connect_failures", r->connect_failures},
                  {"lost", r->lost},
                  {"unexpected", r->unexpected},
                  {"duplicates", r->duplicates},
                  {"order_violations", r->order_violations},
                  {"unknown_found", r->unknown_found},
                  {"unknown_missing", r->unknown_missing},
                  {"overlaps", r->overlaps},
                  {"switches", r->switches},
                  {"waiting_at_fault", r->waiting_at_fault},
                  {"planted", r->planted}};
    json_t *root = json_object();
    for (size_t i = 0; i < STAY_COUNT(counts); i++)
        json_object_set_new(root, counts[i].name, json_integer((json_int_t)counts[i].value));
    json_object_set_new(root, "outage_ms", json_real((double)r->outage_us / 1000.0));
    json_object_set_new(root, "outage_from_us", json_integer((json_int_t)r->outage_from_us));
    json_object_set_new(root, "outage_to_us", json_integer((json_int_t)r->outage_to_us));
    json_object_set_new(root, "recovered", json_boolean(r->recovered));
    json_object_set_new(root, "acked_per_second", json_real(r->acked_per_second));
    json_object_set_new(root, "clean", json_boolean(loss_report_is_clean(r)));
    if (r->lost > 0)
        json_object_set_new(root, "first_lost",
                            json_pack("{s:i, s:I}", "client", (int)r->first_lost.client, "seq",
                                      (json_int_t)r->first_lost.seq));
    json_object_set_new(root, "runs", runs_json(r));
    return root;
}
