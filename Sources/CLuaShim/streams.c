// What Swift needs of files and cannot name itself, and the one place where the loop sleeps.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int lrt_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void lrt_eventfd_signal(int fd) {
  uint64_t one = 1;
  ssize_t ignored = write(fd, &one, sizeof one);  // full means that it is set already
  (void)ignored;
}

void lrt_eventfd_clear(int fd) {
  uint64_t count;
  ssize_t ignored = read(fd, &count, sizeof count);  // empty means that it is clear already
  (void)ignored;
}

void lrt_close_fd(int fd) { close(fd); }

int lrt_poll(lrt_poll_entry *entries, size_t count, uint64_t until) {
  struct pollfd polled[count];
  for (size_t i = 0; i < count; i++) {
    polled[i].fd = entries[i].fd;
    polled[i].events =
        (short)((entries[i].read ? POLLIN : 0) | (entries[i].write ? POLLOUT : 0));
    polled[i].revents = 0;
  }
  struct timespec rest = {0, 0};
  if (until != NEVER) {
    uint64_t now = lrt_now();
    uint64_t left = until > now ? until - now : 0;
    rest.tv_sec = (time_t)(left / 1000000000u);
    rest.tv_nsec = (long)(left % 1000000000u);
  }
  int ready = ppoll(polled, count, until == NEVER ? NULL : &rest, NULL);
  for (size_t i = 0; i < count; i++) entries[i].ready = ready > 0 && polled[i].revents != 0;
  return ready;
}
