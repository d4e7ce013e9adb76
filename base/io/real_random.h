/* base/io/real_random.h - randomness from the kernel (getrandom): secrets, tokens, seeds.
 *
 * Layer: base/io. Any thread. Cannot fail once the kernel has booted; aborts otherwise. */
#ifndef BASE_IO_REAL_RANDOM_H
#define BASE_IO_REAL_RANDOM_H
#include "base/random.h"

/* Fills dst; blocks until the kernel has entropy (early boot only). */
void real_random_bytes(void *dst, size_t length);
uint64_t real_random_seed(void);
void real_random_init(struct random *r); /* seeds r */

#endif
