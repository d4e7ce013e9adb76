/* A mapping each; under the address sanitizer the heap, which it can look into. */
#include "base/io/sparse.h"

#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
void *sparse_new(size_t size)
{
    return stay_calloc(1, size);
}

void sparse_free(void *ptr, size_t size)
{
    (void)size;
    free(ptr);
}
#else
void *sparse_new(size_t size)
{
    void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(ptr != MAP_FAILED);
    return ptr;
}

void sparse_free(void *ptr, size_t size)
{
    if (ptr != NULL)
        must(munmap(ptr, size) == 0);
}
#endif
