#pragma once
#include <microhttpd.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

/// MHD_start_daemon without its variable arguments; `options` ends with MHD_OPTION_END.
static inline struct MHD_Daemon *hpc_mhd_start(unsigned int flags,
                                               MHD_AccessHandlerCallback handler, void *context,
                                               struct MHD_OptionItem *options) {
  return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options,
                          MHD_OPTION_END);
}

/// MHD_get_connection_info without its variable arguments.
static inline const union MHD_ConnectionInfo *hpc_mhd_info(struct MHD_Connection *connection,
                                                           enum MHD_ConnectionInfoType type) {
  return MHD_get_connection_info(connection, type);
}

/// A descriptor that becomes readable when the process ends (Linux 5.3); -1 with errno.
static inline int hpc_pidfd_open(pid_t process) {
  return (int)syscall(SYS_pidfd_open, process, 0);
}

/// A counter to wake a poll with; closed at exec, never blocking.
static inline int hpc_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Declared only for _GNU_SOURCE, which the importer does not define.
extern int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions, int folder);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
