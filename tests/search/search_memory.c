/* The arena: this program's own malloc (the linker's --wrap sends its calls here), at one address,
 * so that a copy of the bytes in use, put back, is the world as it was, pointers and all. The
 * program's static variables go with it: the simulator keeps scratch sets in them. Libraries use
 * the C library's malloc as ever; nothing of theirs outlives an event. */
#include "tests/search/search.h"
#include <sys/mman.h>

#define ARENA_SIZE ((size_t)16 << 20)
#define CLASSES    80 /* four to a doubling, from 32 bytes */
#define HOLES_MAX  4

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t count, size_t size);
void __wrap_free(void *ptr);

extern char __data_start[], _end[];

struct block {
    uint32_t class, pad;
    struct block *next; /* while free */
};
struct arena {
    size_t used;
    struct block *free[CLASSES];
};
struct hole {
    size_t begin, end;
};

static struct arena *arena;
static struct hole holes[HOLES_MAX];
static size_t hole_count;

void *memory_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    must(p != MAP_FAILED);
    return p;
}

void memory_begin(void)
{
    must(!arena);
    arena = memory_map(ARENA_SIZE);
    arena->used = (sizeof *arena + 15) & ~(size_t)15;
}

static bool is_ours(const void *ptr)
{
    return arena && (const char *)ptr >= (const char *)arena &&
           (const char *)ptr < (const char *)arena + ARENA_SIZE;
}

static size_t class_size(uint32_t class)
{
    return ((size_t)4 + class % 4) << (class / 4 + 3) & ~(size_t)15;
}

void *__wrap_malloc(size_t size)
{
    if (!arena)
        return __real_malloc(size);
    uint32_t class = 0;
    while (class_size(class) < size + 16)
        class ++;
    must(class < CLASSES);
    struct block *b = arena->free[class];
    if (b) {
        arena->free[class] = b->next;
    } else {
        b = (struct block *)((char *)arena + arena->used);
        arena->used += class_size(class);
        must(arena->used <= ARENA_SIZE);
    }
    b->class = class;
    return (char *)b + 16;
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (!arena)
        return __real_calloc(count, size);
    void *p = __wrap_malloc(count * size);
    memset(p, 0, count * size);
    return p;
}

static struct block *block_of(void *ptr)
{
    return (struct block *)((char *)ptr - 16);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return __wrap_malloc(size);
    if (!is_ours(ptr))
        return __real_realloc(ptr, size);
    size_t has = class_size(block_of(ptr)->class) - 16;
    if (size <= has)
        return ptr;
    void *grown = __wrap_malloc(size);
    memcpy(grown, ptr, has);
    __wrap_free(ptr);
    return grown;
}

void *__wrap_reallocarray(void *ptr, size_t count, size_t size)
{
    return __wrap_realloc(ptr, count * size);
}

void __wrap_free(void *ptr)
{
    if (!is_ours(ptr)) {
        __real_free(ptr);
        return;
    }
    struct block *b = block_of(ptr);
    b->next = arena->free[b->class];
    arena->free[b->class] = b;
}

void memory_leave_out(const void *begin, size_t size)
{
    must(hole_count < HOLES_MAX && is_ours(begin));
    size_t at = (size_t)((const char *)begin - (const char *)arena);
    must(hole_count == 0 || holes[hole_count - 1].end <= at);
    holes[hole_count++] = (struct hole){at, at + size};
}

static size_t statics_size(void)
{
    return (size_t)(_end - __data_start);
}

size_t memory_size(void)
{
    size_t n = sizeof(size_t) + statics_size() + arena->used;
    for (size_t i = 0; i < hole_count; i++)
        n -= holes[i].end - holes[i].begin;
    return n;
}

/* Calls for each piece of the arena that is copied. */
static size_t copy_pieces(char *snapshot, size_t used, bool put)
{
    size_t from = 0, n = 0;
    for (size_t i = 0; i <= hole_count; i++) {
        size_t to = i < hole_count ? holes[i].begin : used;
        if (put)
            memcpy((char *)arena + from, snapshot + n, to - from);
        else
            memcpy(snapshot + n, (char *)arena + from, to - from);
        n += to - from;
        from = i < hole_count ? holes[i].end : used;
    }
    return n;
}

size_t memory_take(void *snapshot, size_t size)
{
    if (memory_size() > size)
        return 0;
    char *p = snapshot;
    memcpy(p, &arena->used, sizeof arena->used);
    memcpy(p + sizeof(size_t), __data_start, statics_size());
    return copy_pieces(p + sizeof(size_t) + statics_size(), arena->used, false) + sizeof(size_t) +
           statics_size();
}

void memory_put(const void *snapshot)
{
    size_t used;
    const char *p = snapshot;
    memcpy(&used, p, sizeof used);
    memcpy(__data_start, p + sizeof(size_t), statics_size());
    (void)copy_pieces((char *)(size_t)(p + sizeof(size_t) + statics_size()), used, true);
}
