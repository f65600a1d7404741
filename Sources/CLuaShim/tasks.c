// Tasks: coroutines that the loop runs. This file has their life; waiting for them is in waits.c.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { THREAD_SLOT = 1, OUTCOME_SLOT = 2, FIRST_STOP_COUNT = 2000 };

// What a failed task leaves: as long as it is not settled, somebody has to be told. Its user values
// are the error and the traceback.
typedef struct guard {
  lrt_runtime *rt;
  bool settled;
} guard;

static const char *const state_names[] = {"ready", "running", "waiting",
                                          "done",  "failed",  "cancelled"};

static bool ended(const lrt_task *task) { return task->state >= LRT_DONE; }

// Pushes the userdata of a task that is alive.
static void push_task(lua_State *L, lrt_task *task) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, task->rt->anchors);
  lua_rawgetp(L, -1, task);
  lua_remove(L, -2);
}

// ---- Timers: a binary heap --------------------------------------------------------------------

static void put(lrt_runtime *rt, uint32_t at, lrt_task *task) {
  rt->timers[at] = task;
  task->heap = at + 1;
}

static void sift_up(lrt_runtime *rt, uint32_t at, lrt_task *task) {
  while (at > 0) {
    uint32_t parent = (at - 1) / 2;
    if (rt->timers[parent]->wake_at <= task->wake_at) break;
    put(rt, at, rt->timers[parent]);
    at = parent;
  }
  put(rt, at, task);
}

static void sift_down(lrt_runtime *rt, uint32_t at, lrt_task *task) {
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= rt->timer_count) break;
    if (child + 1 < rt->timer_count &&
        rt->timers[child + 1]->wake_at < rt->timers[child]->wake_at) {
      child++;
    }
    if (task->wake_at <= rt->timers[child]->wake_at) break;
    put(rt, at, rt->timers[child]);
    at = child;
  }
  put(rt, at, task);
}

void lrt_sleep_until(lua_State *L, lrt_runtime *rt, lrt_task *task, uint64_t until) {
  if (rt->timer_count == rt->timer_space) {
    uint32_t space = rt->timer_space ? rt->timer_space * 2 : 64;
    lrt_task **grown = realloc(rt->timers, space * sizeof *grown);
    if (!grown) luaL_error(L, "not enough memory");
    rt->timers = grown;
    rt->timer_space = space;
  }
  task->wake_at = until;
  sift_up(rt, rt->timer_count++, task);
}

void lrt_forget_timer(lrt_runtime *rt, lrt_task *task) {
  if (!task->heap) return;
  uint32_t at = task->heap - 1;
  task->heap = 0;
  lrt_task *last = rt->timers[--rt->timer_count];
  if (last == task) return;
  if (at > 0 && last->wake_at < rt->timers[(at - 1) / 2]->wake_at) {
    sift_up(rt, at, last);
  } else {
    sift_down(rt, at, last);
  }
}

uint64_t lrt_next_timer(lrt_runtime *rt) {
  return rt->timer_count ? rt->timers[0]->wake_at : NEVER;
}

// ---- The queue of those that may run ----------------------------------------------------------

void lrt_make_ready(lrt_runtime *rt, lrt_task *task) {
  if (task->queued || ended(task)) return;
  task->state = LRT_READY;
  task->queued = true;
  task->next_ready = NULL;
  if (rt->ready_last) {
    rt->ready_last->next_ready = task;
  } else {
    rt->ready_first = task;
  }
  rt->ready_last = task;
}

static lrt_task *take_ready(lrt_runtime *rt) {
  lrt_task *task = rt->ready_first;
  if (!task) return NULL;
  rt->ready_first = task->next_ready;
  if (!rt->ready_first) rt->ready_last = NULL;
  task->queued = false;
  return task;
}

void lrt_wake(lrt_runtime *rt, lrt_task *task, uint64_t await) {
  if (task->await != await) return;
  task->await = 0;
  rt->outside_count--;
  lrt_make_ready(rt, task);
}

bool lrt_ready(lrt_runtime *rt) { return rt->ready_first != NULL; }

uint64_t lrt_alive(lrt_runtime *rt) { return rt->alive_count; }

uint64_t lrt_waiting_outside(lrt_runtime *rt) { return rt->outside_count; }

// ---- Birth and death --------------------------------------------------------------------------

// The handler under every task. It answers a string with the traceback behind it, as the handler of
// stock lua does: `load` hands that on when its reader fails. `cut_traceback` undoes it at the end.
static int keep_traceback(lua_State *L) {
  lrt_task *task = lrt_root_task(L);
  if (!task || task->stop) return 1;
  size_t size = 0;
  const char *message = lrt_bytes(L, 1, &size);
  push_task(L, task);
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

// Puts a guard for the error on top into the outcome of the task at `index`.
static void keep_error(lua_State *L, lrt_runtime *rt, int index) {
  guard *it = lua_newuserdatauv(L, sizeof *it, 2);
  it->rt = rt;
  it->settled = false;
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_getiuservalue(L, index, OUTCOME_SLOT);
  lua_setiuservalue(L, -2, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->guard_type);
  lua_setmetatable(L, -2);
  rt->failures++;
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->guards);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_setiuservalue(L, index, OUTCOME_SLOT);
}

// Stack: the task, the handler, and results or an error value.
static int finish_body(lua_State *L, int status, lua_KContext context) {
  (void)context;
  lrt_task *task = lrt_root_task(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    if (task->stop) return 0;
    cut_traceback(L);
    keep_error(L, task->rt, 1);
    task->state = LRT_FAILED;
    return 0;
  }
  int results = lua_gettop(L) - 2;
  if (results > 1) {
    lua_createtable(L, results, 0);
    lua_insert(L, 3);
    for (int i = results; i >= 1; i--) lua_rawseti(L, 3, i);
  }
  task->arguments = results;
  if (results == 0) lua_pushnil(L);
  lua_setiuservalue(L, 1, OUTCOME_SLOT);
  task->state = LRT_DONE;
  return 0;
}

// The root function of every task; below the main chunk a traceback shows it as `[C]: in ?`, as
// stock lua shows its own.
static int body(lua_State *L) {
  int arguments = lua_gettop(L) - 2;
  lua_pushcfunction(L, keep_traceback);
  lua_insert(L, 2);
  int status = lua_pcallk(L, arguments, LUA_MULTRET, 2, 0, finish_body);
  return finish_body(L, status, 0);
}

lrt_task *lrt_new_task(lua_State *L, int arguments, int flags, uint64_t token) {
  lrt_runtime *rt = lrt_of(L);
  lrt_task *task = lua_newuserdatauv(L, sizeof *task, 2);
  memset(task, 0, sizeof *task);
  task->rt = rt;
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->task_type);
  lua_setmetatable(L, -2);
  lua_State *thread = lua_newthread(L);
  lua_setiuservalue(L, -2, THREAD_SLOT);
  if (!lua_checkstack(thread, arguments + 8)) luaL_error(L, "too many arguments");
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->anchors);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, task);
  lua_pop(L, 1);

  lua_pushcfunction(thread, body);
  lua_pushvalue(L, -1);
  lua_xmove(L, thread, 1);
  lua_insert(L, -(arguments + 2));
  lua_xmove(L, thread, arguments + 1);
  *lrt_tagged(thread) = (uintptr_t)task | TAG_ROOT;

  task->thread = thread;
  task->arguments = arguments + 2;
  task->id = ++rt->last_id;
  task->token = token;
  task->flags = (uint8_t)flags;
  task->stop_count = FIRST_STOP_COUNT;
  task->next = rt->alive;
  if (rt->alive) rt->alive->previous = task;
  rt->alive = task;
  rt->alive_count++;
  if (flags & LRT_FOREGROUND) rt->foreground = task;
  lrt_make_ready(rt, task);
  return task;
}

static void end_task(lrt_runtime *rt, lrt_task *task, enum lrt_state state) {
  lua_State *L = rt->L;
  task->state = (uint8_t)state;
  *lrt_tagged(task->thread) = (uintptr_t)rt;
  task->thread = NULL;
  if (task->previous) task->previous->next = task->next;
  if (task->next) task->next->previous = task->previous;
  if (rt->alive == task) rt->alive = task->next;
  rt->alive_count--;
  if (rt->foreground == task) rt->foreground = NULL;

  push_task(L, task);
  lua_pushnil(L);
  lua_setiuservalue(L, -2, THREAD_SLOT);
  lrt_wake_waiters(rt, task);
  if (task->flags & LRT_NOTIFY) rt->callbacks.ended(rt->context, task, task->token);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->anchors);
  lua_pushnil(L);
  lua_rawsetp(L, -2, task);
  lua_pop(L, 2);
}

// Memory was too short to keep an error orderly, or the coroutine died otherwise.
static int keep_late_error(lua_State *L) {
  keep_error(L, lrt_of(L), 1);
  return 0;
}

static void fail_late(lrt_runtime *rt, lrt_task *task) {
  lua_State *L = rt->L;
  lua_pushcfunction(L, keep_late_error);
  push_task(L, task);
  lua_xmove(task->thread, L, 1);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static void run_task(lrt_runtime *rt, lrt_task *task) {
  if (!task->started && task->stop) {
    lua_settop(task->thread, 0);
    end_task(rt, task, LRT_CANCELLED);
    return;
  }
  int arguments = task->started ? 0 : task->arguments;
  task->started = true;
  task->state = LRT_RUNNING;
  *lrt_tagged(task->thread) &= ~TAG_AWAITS;
  rt->current = task;
  rt->attention = 0;
  if (task->stop || rt->signalled) rt->attention = 1;
  int results;
  int status = lrt_resume(rt, rt->L, task->thread, arguments, &results);
  rt->current = NULL;
  rt->hog_until = 0;
  rt->attention = rt->signalled != 0;

  if (status == LUA_YIELD && *lrt_tagged(task->thread) & TAG_AWAITS) return;
  if (status == LUA_OK && ended(task)) {
    end_task(rt, task, task->state);
  } else if (task->stop) {
    lua_settop(task->thread, 0);
    end_task(rt, task, LRT_CANCELLED);
  } else {
    if (status == LUA_YIELD) {
      // A C module yielded without asking whether there is a coroutine.
      lua_settop(task->thread, 0);
      lua_pushliteral(task->thread, "attempt to yield from outside a coroutine");
    }
    fail_late(rt, task);
    end_task(rt, task, LRT_FAILED);
  }
}

bool lrt_step(lrt_runtime *rt, uint64_t budget) {
  uint64_t now = lrt_now();
  while (rt->timer_count && rt->timers[0]->wake_at <= now) {
    lrt_task *task = rt->timers[0];
    lrt_forget_timer(rt, task);
    lrt_forget_wait(task);
    task->timed_out = true;
    lrt_make_ready(rt, task);
  }
  uint64_t end = now + budget;
  bool ran = false;
  lrt_task *task;
  while (!rt->signalled && (task = take_ready(rt))) {
    ran = true;
    run_task(rt, task);
    if (lrt_now() >= end) break;
  }
  return ran;
}

static int spawn_protected(lua_State *L) {
  lrt_task **task = lua_touserdata(L, 1);
  int flags = (int)lua_tointeger(L, 2);
  uint64_t token = (uint64_t)lua_tointeger(L, 3);
  *task = lrt_new_task(L, lua_gettop(L) - 4, flags, token);
  return 1;
}

int lrt_spawn(
    lrt_runtime *rt, lua_State *L, int arguments, int flags, uint64_t token, lrt_task **task) {
  (void)rt;
  if (!lua_checkstack(L, 6)) {
    lua_settop(L, -(arguments + 2));
    lua_pushnil(L);
    return LUA_ERRERR;
  }
  lua_pushcfunction(L, spawn_protected);
  lua_pushlightuserdata(L, task);
  lua_pushinteger(L, flags);
  lua_pushinteger(L, (lua_Integer)token);
  lua_rotate(L, -(arguments + 5), 4);
  return lua_pcall(L, arguments + 4, 1, 0);
}

void lrt_stop(lrt_runtime *rt, lrt_task *task, int why) {
  if (ended(task) || task->stop) return;
  task->stop = (uint8_t)why;
  if (task == rt->current) {
    rt->attention = 1;
    lrt_arm(lrt_running(rt), 1);
    return;
  }
  if (task->state != LRT_WAITING) return;
  lrt_forget_timer(rt, task);
  lrt_forget_wait(task);
  if (task->await) {
    uint64_t await = task->await;
    task->await = 0;
    rt->outside_count--;
    rt->callbacks.cancel(rt->context, await);
  }
  lrt_make_ready(rt, task);
}

void lrt_stop_all(lrt_runtime *rt, int why) {
  for (lrt_task *task = rt->alive; task; task = task->next) lrt_stop(rt, task, why);
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

// Pushes error and traceback and notes that somebody has been told.
static void push_failure(lua_State *L, lrt_runtime *rt, int index) {
  lua_getiuservalue(L, index, OUTCOME_SLOT);
  guard *it = lua_touserdata(L, -1);
  if (!it) {
    lua_pushnil(L);
    return;
  }
  if (!it->settled) rt->failures--;
  it->settled = true;
  lua_getiuservalue(L, -1, 1);
  lua_getiuservalue(L, -2, 2);
  lua_remove(L, -3);
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
      lua_pop(L, 1);
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
    return 2;
  }
  lua_pushnil(L);
  lua_pushnil(L);
  return 2;
}

int lrt_task_outcome(lrt_runtime *rt, lrt_task *task, int *count) {
  lua_State *L = rt->L;
  int top = lua_gettop(L);
  lua_pushcfunction(L, outcome);
  push_task(L, task);
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

bool lrt_has_failures(lrt_runtime *rt) { return rt->failures > 0; }

void lrt_report(lrt_runtime *rt, bool all) {
  if (!rt->failures) return;
  lua_State *L = rt->L;
  if (all) {
    lua_pushcfunction(L, collect_all_guards);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->unreported);
  for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TUSERDATA; i++) {
    rt->failures--;
    lua_getiuservalue(L, -1, 1);
    lua_getiuservalue(L, -2, 2);
    rt->callbacks.failed(rt->context, L);
    lua_pop(L, 3);
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
}

enum lrt_state lrt_task_state(lrt_task *task) { return task->state; }

int lrt_task_stop(lrt_task *task) { return task->stop; }


static bool is_task(lua_State *L, lrt_runtime *rt, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->task_type);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

lrt_task *lrt_to_task(lrt_runtime *rt, lua_State *L, int index) {
  return is_task(L, rt, index) ? lua_touserdata(L, index) : NULL;
}

lrt_task *lrt_check_task(lua_State *L, int index) {
  lrt_task *task = lrt_to_task(lrt_of(L), L, index);
  if (!task) luaL_typeerror(L, index, "Task");
  return task;
}

static int task_index(lua_State *L) {
  lrt_task *task = lrt_check_task(L, 1);
  size_t size;
  const char *key = lrt_bytes(L, 2, &size);
  if (key && !strcmp(key, "state")) {
    lua_pushstring(L, state_names[task->state]);
  } else if (key && !strcmp(key, "id")) {
    lua_pushinteger(L, (lua_Integer)task->id);
  } else {
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static int task_tostring(lua_State *L) {
  lrt_task *task = lrt_check_task(L, 1);
  lua_pushfstring(L, "Task %I (%s)", (LUAI_UACINT)task->id, state_names[task->state]);
  return 1;
}

void lrt_open_tasks(lua_State *L, lrt_runtime *rt) {
  lua_newtable(L);
  rt->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
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

  static const luaL_Reg methods[] = {{"join", lrt_f_join}, {"cancel", lrt_f_cancel}, {NULL, NULL}};
  static const luaL_Reg events[] = {
      {"__tostring", task_tostring}, {"__close", lrt_f_cancel}, {NULL, NULL}};
  luaL_newlib(L, events);
  lua_pushliteral(L, "Task");
  lua_setfield(L, -2, "__name");
  luaL_newlib(L, methods);
  lua_pushcclosure(L, task_index, 1);
  lua_setfield(L, -2, "__index");
  rt->task_type = luaL_ref(L, LUA_REGISTRYINDEX);
}
