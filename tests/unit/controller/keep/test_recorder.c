/* The black box: what was added can be read back frame by frame; the ring is bounded; a torn tail
 * is found, and never hides what comes after a restart. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "controller/keep/recording.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

static struct loop loop;
static struct lane_pool *lane;
static char folder[64];

static int setup(void **state)
{
    (void)state;
    struct stay_error err;
    (void)snprintf(folder, sizeof folder, "/tmp/mainstay-recorder-XXXXXX");
    if (!mkdtemp(folder) || loop_init(&loop, &err) != STAY_OK)
        return -1;
    lane = lane_pool_new(&loop, &(struct lane_pool_options){.name = "files",
                                                            .lanes = 1,
                                                            .replace_after_us = 60 * STAY_SECOND});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)lane_pool_free(lane, STAY_SECOND);
    for (int i = 0; i < 5; i++)
        (void)loop_turn(&loop, 0);
    loop_close(&loop);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
    return rmdir(folder);
}

static struct recorder *open_recorder(size_t file_bytes, unsigned files)
{
    struct recorder *r = NULL;
    struct stay_error err;
    struct recorder_options options = {
        .folder = folder, .file_bytes = file_bytes, .files = files, .lane = lane};
    if (recorder_open(&options, &r, &err) != STAY_OK)
        fail_msg("%s", err.text);
    return r;
}

static void add(struct recorder *r, const char *text)
{
    uint64_t before = recorder_stats(r).written;
    recorder_add(r, "shop", 1700000000 * STAY_SECOND, stay_strdup(text),
                 real_clock_mono_us() + 10 * STAY_SECOND);
    for (int i = 0; i < 2000 && recorder_stats(r).written == before; i++)
        (void)loop_turn(&loop, 5 * STAY_MS);
    assert_int_equal(recorder_stats(r).written, before + 1);
}

static char *read_file(unsigned number, size_t *ret_length)
{
    char name[128], *bytes = NULL;
    struct stay_error err;
    (void)snprintf(name, sizeof name, "%s/decisions-%06u.txt", folder, number);
    if (file_read(name, 1 << 24, &bytes, ret_length, &err) != STAY_OK)
        return NULL;
    return bytes;
}

static void what_was_added_reads_back(void **state)
{
    (void)state;
    struct recorder *r = open_recorder(0, 0);
    add(r, "verdict=100\n");
    add(r, "verdict=120\n== mainstay decision 1 fake ==\n");
    recorder_close(r);
    size_t length = 0, offset = 0;
    STAY_AUTO(stay_free_charp) char *bytes = read_file(1, &length);
    struct recorder_frame frame;
    assert_non_null(bytes);
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_OK);
    assert_string_equal(frame.cluster, "shop");
    assert_memory_equal(frame.text, "verdict=100\n", frame.length);
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_OK);
    assert_int_equal(frame.sequence, 2);
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_ENOTFOUND);
}

static void torn_or_changed_frames_are_found(void **state)
{
    (void)state;
    struct recorder *r = open_recorder(0, 0);
    add(r, "one");
    add(r, "two");
    recorder_close(r);
    size_t length = 0, offset = 0;
    STAY_AUTO(stay_free_charp) char *bytes = read_file(1, &length);
    struct recorder_frame frame;
    assert_int_equal(recorder_frame_next(bytes, length - 2, &offset, &frame, NULL), STAY_OK);
    size_t second = offset;
    for (size_t cut = second + 1; cut < length; cut++) /* wherever the crash came */
        assert_int_equal(recorder_frame_next(bytes, cut, &offset, &frame, NULL), STAY_ELIMIT);
    assert_int_equal(offset, second);
    bytes[length - 2] ^= 1;
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_ECORRUPT);
    memset(bytes + length - 5, 0, 5); /* a power cut: length kept, bytes lost */
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_ELIMIT);
    memset(bytes + second, 0, length - second);
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_ELIMIT);
    bytes[second] = 'x';
    bytes[length - 1] = '\n';
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_ECORRUPT);
}

/* Each format is read as a frame; whether its text can be is for the reader to say. */
static void a_frame_names_its_format(void **state)
{
    (void)state;
    static const char old[] = "== mainstay decision 1 7 shop 2026-02-03T04:05:06.789Z 4 "
                              "0665195374548065 ==\nx=1\n\n";
    struct recorder *r = open_recorder(0, 0);
    add(r, "one");
    recorder_close(r);
    size_t length = 0, offset = 0;
    STAY_AUTO(stay_free_charp) char *bytes = read_file(1, &length);
    struct recorder_frame frame;
    assert_int_equal(recorder_frame_next(bytes, length, &offset, &frame, NULL), STAY_OK);
    assert_int_equal(frame.format, RECORDER_FORMAT);
    offset = 0;
    enum stay_rc rc = recorder_frame_next(old, sizeof old - 1, &offset, &frame, NULL);
    assert_int_equal(rc, STAY_OK);
    assert_int_equal(frame.format, 1);
}

static void a_folder_is_read_oldest_file_first(void **state)
{
    (void)state;
    struct stay_error err;
    struct recording reading;
    struct recorder_frame frame;
    static const char *const texts[] = {"one", "two", "three"};
    assert_int_equal(recording_open(&reading, folder, &err), STAY_ENOTFOUND);
    for (int i = 0; i < 3; i++) {
        struct recorder *r = open_recorder(0, 0);
        add(r, texts[i]);
        add(r, "torn, for its last byte is missing");
        recorder_close(r);
        char path[128];
        size_t length = 0;
        (void)snprintf(path, sizeof path, "%s/decisions-%06d.txt", folder, i + 1);
        STAY_AUTO(stay_free_charp) char *bytes = read_file((unsigned)i + 1, &length);
        assert_int_equal(truncate(path, (off_t)length - 1), 0);
    }
    char other[128];
    (void)snprintf(other, sizeof other, "%s/decisions-000001.txt.gz", folder);
    assert_int_equal(file_write_atomic(other, "x\n", 2, 0600, &err), STAY_OK);
    assert_int_equal(recording_open(&reading, folder, &err), STAY_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(recording_next(&reading, &frame, &err), STAY_OK);
        assert_memory_equal(frame.text, texts[i], frame.length);
        assert_int_equal(reading.line, 1);
    }
    assert_int_equal(recording_next(&reading, &frame, &err), STAY_ENOTFOUND);
    assert_int_equal(reading.files, 3);
    assert_int_equal(reading.torn, 3);
    assert_int_equal(reading.torn_line, 3);
    recording_close(&reading);
    assert_int_equal(recording_open(&reading, other, &err), STAY_OK);
    assert_int_equal(recording_next(&reading, &frame, &err), STAY_ECORRUPT);
    assert_int_equal(recording_next(&reading, &frame, &err), STAY_ENOTFOUND);
    recording_close(&reading);
    assert_int_equal(recording_open(&reading, "/no/such", &err), STAY_ENOTFOUND);
}

/* After a crash a new file begins, so a torn tail hides nothing. */
static void each_start_begins_a_new_file(void **state)
{
    (void)state;
    struct recorder *r = open_recorder(0, 0);
    add(r, "one");
    recorder_close(r);
    r = open_recorder(0, 0);
    add(r, "two");
    recorder_close(r);
    size_t length = 0;
    STAY_AUTO(stay_free_charp) char *bytes = read_file(2, &length);
    assert_non_null(bytes);
    assert_non_null(strstr(bytes, "two"));
}

static void ring_keeps_only_the_newest_files(void **state)
{
    (void)state;
    struct recorder *r = open_recorder(300, 3);
    for (int i = 0; i < 20; i++)
        add(r, "0123456789012345678901234567890123456789012345678901234567890123456789");
    recorder_close(r);
    unsigned count = 0, highest = 0;
    for (unsigned n = 1; n < 40; n++) {
        size_t length = 0;
        STAY_AUTO(stay_free_charp) char *bytes = read_file(n, &length);
        count += bytes != NULL;
        if (bytes)
            highest = n;
        assert_true(length <= 300);
    }
    assert_int_equal(count, 3);
    assert_int_equal(highest, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_added_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(torn_or_changed_frames_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_names_its_format, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_is_read_oldest_file_first, setup, teardown),
        cmocka_unit_test_setup_teardown(each_start_begins_a_new_file, setup, teardown),
        cmocka_unit_test_setup_teardown(ring_keeps_only_the_newest_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
