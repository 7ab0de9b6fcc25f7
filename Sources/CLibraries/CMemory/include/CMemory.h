#ifndef CMEMORY_H
#define CMEMORY_H

// ThreadSanitizer does not see the atomics inside the standard library's Mutex, because the
// library is not built with it, and reports false races on what the Mutex protects. These two
// tell it about the hand-over; without the sanitizer they are weak and absent, and cost nothing.
void cmemory_lock_acquired(const void *lock);
void cmemory_lock_releasing(const void *lock);

#endif
