// What runs at the root of a task, and what a task leaves: results, or an error that somebody is
// told of.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { FAILED_VALUE = 1, FAILED_TEXT, FAILED_TRACEBACK, FAILED_SHOWN };

// What a failed task leaves: as long as it is not settled, somebody has to be told. Its user values
// are FAILED_VALUE, FAILED_TEXT and FAILED_TRACEBACK.
typedef struct guard {
  lrt_runtime *rt;
  uint64_t number;  // failures before it
  bool settled;
} guard;

// ---- Roots ----------------------------------------------------------------------------------------

// The handler under tasks that others may join. It answers a string with the traceback behind it, as
// the handler of stock lua does: `load` hands that on when its reader fails. `cut_traceback` undoes it
// at the end.
static int keep_traceback(lua_State *L) {
  lrt_task *task = lrt_root_task(L);
  if (!task || task->stop) return 1;
  size_t size = 0;
  const char *message = lrt_bytes(L, 1, &size);
  lrt_push_task(L, task);
  luaL_traceback(L, L, message, 1);
  if (!message) {
    lua_setiuservalue(L, 2, OUTCOME_SLOT);
    lua_settop(L, 1);
    return 1;
  }
  lua_pushstring(L, lua_tostring(L, 3) + strlen(message) + 1);
  lua_setiuservalue(L, 2, OUTCOME_SLOT);
  if (size != strlen(message)) {
    lua_settop(L, 1);  // it holds a zero, where luaL_traceback stopped
  }
  return 1;
}

// The handler under programs and forms of a prompt, as stock lua's (lua.c, msghandler); what it made
// of which value is kept for whoever reports the failure.
static int foreground_handler(lua_State *L) {
  lrt_task *task = lrt_root_task(L);
  if (!task || task->stop) return 1;
  lua_settop(L, 1);
  lua_createtable(L, 4, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, FAILED_VALUE);
  bool alone = false;
  const char *message = lua_tostring(L, 1);
  if (message) {
    lua_pushstring(L, message);  // up to a zero, as stock lua
  } else {
    alone = luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING;
    lua_settop(L, alone ? 3 : 2);
    if (!alone) lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, NULL, 1);
  if (alone) {
    lua_pushvalue(L, 3);
    lua_pushstring(L, lua_tostring(L, 3));
    lua_replace(L, 3);
  } else {
    lua_pushfstring(L, "%s\n%s", lua_tostring(L, 3), lua_tostring(L, 4));
  }
  // Stack: value, table, text, traceback, what is shown.
  lua_replace(L, 1);
  lua_rawseti(L, 2, FAILED_TRACEBACK);
  lua_rawseti(L, 2, FAILED_TEXT);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, FAILED_SHOWN);
  lrt_push_task(L, task);
  lua_insert(L, 2);
  lua_setiuservalue(L, 2, OUTCOME_SLOT);
  lua_settop(L, 1);
  return 1;
}

// Replaces what `foreground_handler` has made, on top, by error value, text and traceback.
static void restore_error(lua_State *L) {
  int top = lua_gettop(L);
  if (lua_getiuservalue(L, 1, OUTCOME_SLOT) == LUA_TTABLE) {
    lua_rawgeti(L, -1, FAILED_SHOWN);
    if (lua_rawequal(L, -1, top)) {
      lua_rawgeti(L, top + 1, FAILED_VALUE);
      lua_rawgeti(L, top + 1, FAILED_TEXT);
      lua_rawgeti(L, top + 1, FAILED_TRACEBACK);
      lua_rotate(L, top, 3);
      lua_settop(L, top + 2);
      return;
    }
  }
  // Of another making: out of memory, or raised by the handler.
  lua_settop(L, top);
  lua_pushnil(L);
  lua_pushnil(L);
}

// Takes the traceback of the task at 1 off the error message on top.
static void cut_traceback(lua_State *L) {
  size_t size, rest;
  const char *message = lrt_bytes(L, -1, &size);
  lua_getiuservalue(L, 1, OUTCOME_SLOT);
  const char *traceback = lrt_bytes(L, -1, &rest);
  if (message && traceback && size > rest && !memcmp(message + size - rest, traceback, rest)) {
    lua_pushlstring(L, message, size - rest - 1);
    lua_replace(L, -3);
  }
  lua_pop(L, 1);
}

// Puts a guard for error value, text and traceback, which are popped, into the outcome of the task at
// `index`.
static void keep_error(lua_State *L, lrt_runtime *rt, int index) {
  guard *it = lua_newuserdatauv(L, sizeof *it, 3);
  it->rt = rt;
  it->number = rt->failed++;
  it->settled = false;
  lua_insert(L, -4);
  lua_setiuservalue(L, -4, FAILED_TRACEBACK);
  lua_setiuservalue(L, -3, FAILED_TEXT);
  lua_setiuservalue(L, -2, FAILED_VALUE);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->guards);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  // Nothing can fail any more: a guard that is not the outcome must not be reported.
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->guard_type);
  lua_setmetatable(L, -2);
  rt->failures++;
  lua_setiuservalue(L, index, OUTCOME_SLOT);
}

// Stack: the task, the handler, and `first` on results or an error value.
static int finish_body(lua_State *L, int status, lua_KContext first) {
  lrt_task *task = lrt_root_task(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    if (task->stop) return 0;
    if (task->flags & LRT_FOREGROUND) {
      restore_error(L);
    } else {
      cut_traceback(L);
      lua_pushnil(L);
      lua_getiuservalue(L, 1, OUTCOME_SLOT);
    }
    keep_error(L, task->rt, 1);
    task->state = LRT_FAILED;
    return 0;
  }
  int results = lua_gettop(L) - (int)first + 1;
  if (results > 1) {
    lua_createtable(L, results, 0);
    lua_insert(L, (int)first);
    for (int i = results; i >= 1; i--) lua_rawseti(L, (int)first, i);
  }
  task->arguments = results;
  if (results == 0) lua_pushnil(L);
  lua_setiuservalue(L, 1, OUTCOME_SLOT);
  task->state = LRT_DONE;
  return 0;
}

// Calls, one after the other on this coroutine, what the function at 3 answers; the same function
// goes on after each. Stack: the task, the handler, the function, the results of the last call.
static int run_program(lua_State *L, int status, lua_KContext first) {
  lrt_task *task = lrt_root_task(L);
  lrt_runtime *rt = task->rt;
  if (!lua_checkstack(L, 8)) lua_settop(L, LRT_PROGRAM_RESULTS - 1);
  lua_getupvalue(L, 3, 1);
  void *function = *(void **)lua_touserdata(L, -1);
  lua_pop(L, 1);
  while (status == LUA_OK || status == LUA_YIELD) {
    if (!lua_checkstack(L, 8)) lua_settop(L, LRT_PROGRAM_RESULTS - 1);
    lrt_to_swift(rt);
    int count = rt->callbacks.call(rt->context, L, function);
    lrt_to_lua(rt);
    if (count == 0) break;
    if (count < 0) {
      if (task->stop) return 0;
      lua_pushnil(L);
      lua_pushnil(L);
      keep_error(L, rt, 1);
      task->state = LRT_FAILED;
      return 0;
    }
    lua_rotate(L, LRT_PROGRAM_RESULTS, count);
    lua_settop(L, LRT_PROGRAM_RESULTS - 1 + count);
    status = lua_pcallk(L, count - 1, LUA_MULTRET, 2, first, run_program);
  }
  return finish_body(L, status, first);
}

// The root function of every task; below the main chunk a traceback shows it as `[C]: in ?`, as
// stock lua shows its own.
int lrt_body(lua_State *L) {
  int flags = lrt_root_task(L)->flags;
  lua_pushcfunction(L, flags & LRT_FOREGROUND ? foreground_handler : keep_traceback);
  lua_insert(L, 2);
  if (flags & LRT_PROGRAM) return run_program(L, LUA_OK, LRT_PROGRAM_RESULTS);
  int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, 3, finish_body);
  return finish_body(L, status, 3);
}

// Memory was too short to keep an error orderly, or the coroutine died otherwise.
static int keep_late_error(lua_State *L) {
  lua_settop(L, 4);
  keep_error(L, lrt_of(L), 1);
  return 0;
}

void lrt_fail_late(lrt_runtime *rt, lrt_task *task) {
  lua_State *L = rt->L;
  lua_pushcfunction(L, keep_late_error);
  lrt_push_task(L, task);
  lua_xmove(task->thread, L, 1);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

// ---- What a task left -------------------------------------------------------------------------

static int push_results(lua_State *L, lrt_task *task, int index) {
  lua_getiuservalue(L, index, OUTCOME_SLOT);
  int count = task->arguments;
  if (count == 1) return 1;
  luaL_checkstack(L, count + 1, "too many results");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, -i, i);
  lua_remove(L, -(count + 1));
  return count;
}

// Pushes error value, text and traceback and notes that somebody has been told.
static void push_failure(lua_State *L, lrt_runtime *rt, int index) {
  lua_getiuservalue(L, index, OUTCOME_SLOT);
  guard *it = lua_touserdata(L, -1);
  if (!it) {
    lua_pushnil(L);
    lua_pushnil(L);
    return;
  }
  if (!it->settled) rt->failures--;
  it->settled = true;
  lua_getiuservalue(L, -1, FAILED_VALUE);
  lua_getiuservalue(L, -2, FAILED_TEXT);
  lua_getiuservalue(L, -3, FAILED_TRACEBACK);
  lua_remove(L, -4);
}

void lrt_settle(lua_State *L, int index) {
  lrt_task *task = lua_touserdata(L, index);
  if (task->state != LRT_FAILED) return;
  int top = lua_gettop(L);
  push_failure(L, task->rt, index);
  lua_settop(L, top);
}

int lrt_deliver(lua_State *L, int index) {
  lrt_task *task = lua_touserdata(L, index);
  switch (task->state) {
    case LRT_DONE: return push_results(L, task, index);
    case LRT_FAILED:
      push_failure(L, task->rt, index);
      lua_pop(L, 2);
      return lua_error(L);
    default:
      return luaL_error(
          L, task->stop == LRT_STOP_CANCEL ? "the task was cancelled" : "the task was interrupted");
  }
}

static int outcome(lua_State *L) {
  lrt_task *task = lua_touserdata(L, 1);
  lua_settop(L, 1);
  if (task->state == LRT_DONE) return push_results(L, task, 1);
  if (task->state == LRT_FAILED) {
    push_failure(L, task->rt, 1);
    return 3;
  }
  lua_settop(L, 4);
  return 3;
}

int lrt_task_outcome(lrt_runtime *rt, lrt_task *task, int *count) {
  lua_State *L = rt->L;
  int top = lua_gettop(L);
  lua_pushcfunction(L, outcome);
  lrt_push_task(L, task);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  *count = lua_gettop(L) - top;
  return status;
}

static int collect_guard(lua_State *L) {
  guard *it = lua_touserdata(L, 1);
  if (it->settled || it->rt->closing) return 0;
  it->settled = true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, it->rt->unreported);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  return 0;
}

// Moves the guards of failures that could still be joined to the list as well.
static int collect_all_guards(lua_State *L) {
  lrt_runtime *rt = lrt_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->guards);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    guard *it = lua_touserdata(L, -1);
    if (it->settled) continue;
    it->settled = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, rt->unreported);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
  }
  return 0;
}

typedef struct place {
  uint64_t number;
  lua_Integer index;
} place;

static int by_number(const void *a, const void *b) {
  uint64_t first = ((const place *)a)->number, second = ((const place *)b)->number;
  return (first > second) - (first < second);
}

// Brings the list into the order in which tasks failed: the collector finds the latest first.
static int sort_unreported(lua_State *L) {
  lrt_runtime *rt = lrt_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->unreported);
  size_t count = (size_t)lua_rawlen(L, 1);
  if (count < 2) return 0;
  place *places = lua_newuserdatauv(L, count * sizeof *places, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    places[i] = (place){((guard *)lua_touserdata(L, -1))->number, (lua_Integer)i + 1};
    lua_pop(L, 1);
  }
  qsort(places, count, sizeof *places, by_number);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, places[i].index);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_rawseti(L, LUA_REGISTRYINDEX, rt->unreported);
  return 0;
}

bool lrt_has_failures(lrt_runtime *rt) { return rt->failures > 0; }

void lrt_report(lrt_runtime *rt, bool all) {
  if (!rt->failures) return;
  lua_State *L = rt->L;
  if (all) {
    lua_pushcfunction(L, collect_all_guards);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
  }
  lua_pushcfunction(L, sort_unreported);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->unreported);
  for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TUSERDATA; i++) {
    rt->failures--;
    lua_getiuservalue(L, -1, FAILED_VALUE);
    lua_getiuservalue(L, -2, FAILED_TRACEBACK);
    rt->callbacks.failed(rt->context, L);
    lua_pop(L, 3);
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
}

void lrt_open_outcomes(lua_State *L, lrt_runtime *rt) {
  lua_newtable(L);
  rt->unreported = luaL_ref(L, LUA_REGISTRYINDEX);

  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  rt->guards = luaL_ref(L, LUA_REGISTRYINDEX);

  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, collect_guard);
  lua_setfield(L, -2, "__gc");
  rt->guard_type = luaL_ref(L, LUA_REGISTRYINDEX);
}
