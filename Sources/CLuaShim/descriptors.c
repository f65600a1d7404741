// Descriptors that files of Lua leave for connections, locks and the runtime: libdispatch, which Swift's
// tasks run on, ends the process where it cannot open /proc (swift-corelibs-libdispatch,
// _dispatch_workq_count_runnable_workers), and a lock file that cannot be opened is none.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <lualib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RESERVE = 64 };

// Whether the lowest free descriptor is among the last ones.
static bool are_short(void) {
  struct rlimit limit;
  int free = open("/", O_PATH | O_CLOEXEC);
  if (free < 0) return errno == EMFILE;
  close(free);
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY) return false;
  rlim_t reserve = limit.rlim_cur < 4 * RESERVE ? limit.rlim_cur / 4 : RESERVE;
  return (rlim_t)free >= limit.rlim_cur - reserve;
}

// A function of `io` that opens a file.
static int opens(lua_State *L) {
  if (!are_short()) return lrt_wrapped(L);
  errno = EMFILE;
  return luaL_fileresult(L, 0, lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL);
}

static int lines(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING && are_short())
    return luaL_error(L, "%s: %s", lua_tostring(L, 1), strerror(EMFILE));
  return lrt_wrapped(L);
}

void lrt_open_descriptors(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", opens}, {"popen", opens}, {"tmpfile", opens}, {"lines", lines}, {NULL, NULL}};
  for (const luaL_Reg *it = functions; it->name; it++) {
    lrt_wrap(L, LUA_IOLIBNAME, it->name, it->func);
  }
}
