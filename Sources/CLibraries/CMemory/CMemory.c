#include "CMemory.h"

__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

void cmemory_lock_acquired(const void *lock) {
    if (__tsan_acquire) __tsan_acquire((void *)lock);
}

void cmemory_lock_releasing(const void *lock) {
    if (__tsan_release) __tsan_release((void *)lock);
}
