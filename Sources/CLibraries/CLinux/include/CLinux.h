#ifndef CLINUX_H
#define CLINUX_H

// What Swift's Glibc module leaves out: epoll, eventfd, signalfd; and the calls that need
// _GNU_SOURCE or are variadic or macros.

#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>

int clinux_accept(int listener, struct sockaddr *address, socklen_t *length);
int clinux_open_file(const char *path);

// Opens a pipe or terminal that is open for writing once more, non-blocking, and the first one stays
// as it is; -1 for other kinds of files, and where that cannot be done.
int clinux_reopen_nonblocking(int descriptor);

// Opens /dev/null in the place of those of 0, 1 and 2 that are closed.
int clinux_fill_standard_streams(void);

// Blocks SIGINT, SIGTERM, SIGHUP and SIGPIPE for every thread made from here on, and gives a
// descriptor that reports them.
int clinux_block_signals(void);

void clinux_name_thread(pthread_t thread, const char *name);

// How many cores the process may run on.
int clinux_core_count(void);

// epoll_ctl, whose event is a packed structure with a union in it.
int clinux_epoll_add(int epoll, int descriptor, uint32_t flags, uint64_t token);
int clinux_epoll_remove(int epoll, int descriptor);

// The two marks of an epoll entry that are enumerators of a type of their own in C.
static inline uint32_t clinux_edge_triggered(void) { return EPOLLET; }
static inline uint32_t clinux_exclusive(void) { return EPOLLEXCLUSIVE; }

#endif
