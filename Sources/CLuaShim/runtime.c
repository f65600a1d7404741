// Opening and closing a state, and the bookkeeping around every resume.
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t lrt_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_state(lua_State *L) {
  lrt_runtime *rt = lua_touserdata(L, 1);
  if (lua_toboolean(L, 2)) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  lrt_open_coroutine(L);
  lrt_open_require(L);
  lrt_open_interrupts(L);
  lrt_open_descriptors(L);
  lrt_open_functions(L, rt);
  lrt_open_tasks(L, rt);
  lrt_open_json(L, rt);
  return 0;
}

lrt_runtime *lrt_open(const lrt_callbacks *callbacks, bool no_environment) {
  lrt_runtime *rt = calloc(1, sizeof *rt);
  if (!rt) return NULL;
  rt->callbacks = *callbacks;
  rt->event_fd = -1;
  rt->L = luaL_newstate();
  if (!rt->L) {
    free(rt);
    return NULL;
  }
  *lrt_tagged(rt->L) = (uintptr_t)rt;
  lrt_limit_memory(rt);
  lua_pushcfunction(rt->L, open_state);
  lua_pushlightuserdata(rt->L, rt);
  lua_pushboolean(rt->L, no_environment);
  if (lua_pcall(rt->L, 2, 0, 0) != LUA_OK) {
    lrt_close(rt);
    return NULL;
  }
  return rt;
}

void lrt_set_context(lrt_runtime *rt, void *context, int event_fd) {
  rt->context = context;
  rt->event_fd = event_fd;
}

void lrt_close(lrt_runtime *rt) {
  rt->closing = true;
  lrt_release_signals(rt);
  lua_close(rt->L);
  lrt_close_json(rt);
  lrt_close_encoder(rt);
  free(rt->timers);
  free(rt->reserve);
  free(rt);
}

void lrt_collect(lrt_runtime *rt) { lua_gc(rt->L, LUA_GCCOLLECT); }

lua_State *lrt_main(lrt_runtime *rt) { return rt->L; }

lua_State *lrt_running(lrt_runtime *rt) { return rt->frame ? rt->frame->L : rt->L; }

void lrt_set_detail(lrt_runtime *rt, uint64_t detail) { rt->detail = detail; }

lrt_task *lrt_foreground(lrt_runtime *rt) { return rt->foreground; }

lrt_task *lrt_current(lrt_runtime *rt) { return rt->current; }

// Whether an await may suspend everything from `L` down to the task: each coroutine on the way was
// resumed by us, and none stands in a C call that cannot yield.
static bool all_yieldable(lrt_runtime *rt, lua_State *L) {
  lrt_frame *frame = rt->frame;
  if (!rt->current || !frame || frame->L != L) return false;
  for (; frame; frame = frame->outer) {
    if (!lua_isyieldable(frame->L)) return false;
    if (!frame->outer) return lrt_root_task(frame->L) == rt->current;
  }
  return false;
}

int lrt_await_mode(lrt_runtime *rt, lua_State *L) {
  if (lrt_must_stop(rt)) return LRT_STOPPED;
  if (likely(all_yieldable(rt, L))) return LRT_YIELD;
  // The collector answers nothing (-1) while it runs a finalizer.
  if (rt->closing || lua_gc(L, LUA_GCCOUNT) < 0) return LRT_REFUSE;
  return LRT_BLOCK;
}

void lrt_need_yield(lua_State *L, lrt_runtime *rt) {
  int mode = lrt_await_mode(rt, L);
  if (likely(mode == LRT_YIELD)) return;
  if (mode == LRT_STOPPED && rt->current) lrt_raise_stop(L, rt->current);
  if (mode == LRT_REFUSE) luaL_error(L, "cannot wait for a task in a finalizer");
  if (!rt->current) luaL_error(L, "cannot wait for a task outside of tasks");
  luaL_error(
      L, "cannot wait for a task here: other Lua code does not run inside a comparator, a gsub "
         "callback, a metamethod called by C, or another C call");
}

int lrt_suspend(lua_State *L, lua_KContext context, lua_KFunction k) {
  *lrt_tagged(L) |= TAG_AWAITS;
  return lua_yieldk(L, 0, context, k);
}
