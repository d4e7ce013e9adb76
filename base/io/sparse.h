/* base/io/sparse.h - zeroed memory of which only what is touched exists, for structs with places
 * for far more than is there: a cluster has two servers, its struct places for 32.
 *
 * Layer: base/io. calloc gives such memory only where the heap has to grow; thousands of clusters
 * cost three times as much there (measured). */
#ifndef BASE_IO_SPARSE_H
#define BASE_IO_SPARSE_H
#include "base/base.h"

/* Whole pages. Aborts when memory is out. Owned by the caller: sparse_free with the same size. */
void *sparse_new(size_t size) STAY_MUST_USE;
/* What was in it is gone for good: secrets need no wiping. ptr may be NULL. */
void sparse_free(void *ptr, size_t size);

#endif
