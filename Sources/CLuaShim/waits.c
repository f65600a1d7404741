// What tasks wait for: time, other tasks; and what is made of that: map, all, race, timeout.
#include "internal.h"

#include <math.h>
#include <string.h>

// ---- Waiting for tasks ------------------------------------------------------------------------

static void unlink_all(lrt_wait *wait) {
  for (uint32_t i = 0; i < wait->count; i++) {
    lrt_link *link = &wait->links[i];
    if (!link->target) continue;
    if (link->previous) {
      link->previous->next = link->next;
    } else {
      link->target->waiters = link->next;
    }
    if (link->next) link->next->previous = link->previous;
    link->target = NULL;
  }
}

void lrt_forget_wait(lrt_task *task) {
  task->module = NULL;
  if (!task->wait) return;
  unlink_all(task->wait);
  task->wait = NULL;
}

void lrt_wake_waiters(lrt_runtime *rt, lrt_task *task) {
  while (task->waiters) {
    lrt_link *link = task->waiters;
    lrt_wait *wait = link->wait;
    task->waiters = link->next;
    if (link->next) link->next->previous = NULL;
    link->target = NULL;
    wait->pending--;
    if (!wait->first && wait->pending > 0 && task->state == LRT_DONE) continue;
    lrt_task *waiter = wait->waiter;
    lrt_forget_timer(rt, waiter);
    lrt_forget_wait(waiter);
    lrt_make_ready(rt, waiter);
  }
}

static void add_link(lrt_wait *wait, lrt_task *target) {
  lrt_link *link = &wait->links[wait->count++];
  link->target = target;
  link->wait = wait;
  link->previous = NULL;
  link->next = target->waiters;
  if (link->next) link->next->previous = link;
  target->waiters = link;
  wait->pending++;
}

// Suspends the current task until the first of the tasks in the table at `list` has ended, or (not
// `first`) all have or one has failed. The caller has looked that this is not so already, and leaves
// the wait, which is pushed, on its stack.
static int wait_for(
    lua_State *L, int list, bool first, uint64_t until, lua_KContext context, lua_KFunction k) {
  lrt_runtime *rt = lrt_of(L);
  lrt_need_yield(L, rt);
  lrt_task *me = rt->current;
  size_t count = (size_t)lua_rawlen(L, list);
  lrt_wait *wait = lua_newuserdatauv(L, sizeof *wait + count * sizeof(lrt_link), 0);
  memset(wait, 0, sizeof *wait);
  wait->waiter = me;
  wait->first = first;
  if (until != NEVER) lrt_sleep_until(L, rt, me, until);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i);
    lrt_task *task = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!lrt_ended(task)) add_link(wait, task);
  }
  me->wait = wait;
  me->state = LRT_WAITING;
  return lrt_suspend(L, context, k);
}

static void refuse_self(lua_State *L, lrt_task *task) {
  if (task == task->rt->current) luaL_error(L, "a task cannot wait for itself");
}

static int after_join(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_check_stop(L, lrt_of(L));
  return lrt_deliver(L, 1);
}

int lrt_f_join(lua_State *L) {
  lrt_task *task = lrt_check_task(L, 1);
  lua_settop(L, 1);
  if (lrt_ended(task)) return lrt_deliver(L, 1);
  refuse_self(L, task);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  return wait_for(L, 2, true, NEVER, 0, after_join);
}

int lrt_f_cancel(lua_State *L) {
  lrt_task *task = lrt_check_task(L, 1);
  lrt_runtime *rt = lrt_of(L);
  lrt_stop(rt, task, LRT_STOP_CANCEL);
  if (task == rt->current) return lrt_raise_stop(L, task);
  return 0;
}

// ---- Time -------------------------------------------------------------------------------------

// A time to come, from seconds, a century ahead at the most. Nobody means infinity: it has divided by
// zero.
static uint64_t check_deadline(lua_State *L, int index) {
  lua_Number seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, !isnan(seconds), index, "seconds expected, got nan");
  luaL_argcheck(
      L, seconds >= 0 && !isinf(seconds), index, "seconds must be 0 or more and finite");
  return lrt_now() + (uint64_t)((seconds < 3.2e9 ? seconds : 3.2e9) * 1e9);
}

static int after_sleep(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_check_stop(L, lrt_of(L));
  return 0;
}

int lrt_f_sleep(lua_State *L) {
  uint64_t until = check_deadline(L, 1);
  lrt_runtime *rt = lrt_of(L);
  switch (lrt_await_mode(rt, L)) {
    case LRT_STOPPED: lrt_push_stop_message(rt, L);
      return rt->current ? lrt_raise_stop(L, rt->current) : lua_error(L);
    case LRT_REFUSE: return luaL_error(L, "cannot sleep in a finalizer");
    case LRT_BLOCK: {
      lrt_to_swift(rt);
      bool over = rt->callbacks.block(rt->context, L, until);
      lrt_to_lua(rt);
      if (over) return 0;
      if (rt->current) return lrt_raise_stop(L, rt->current);
      lrt_push_stop_message(rt, L);
      return lua_error(L);
    }
    default: break;
  }
  lrt_task *me = rt->current;
  lrt_sleep_until(L, rt, me, until);
  me->state = LRT_WAITING;
  return lrt_suspend(L, 0, after_sleep);
}

// ---- Starting tasks ---------------------------------------------------------------------------

int lrt_f_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lrt_new_task(L, lua_gettop(L) - 1, 0, 0);
  return 1;
}

static void cancel_list(lua_State *L, int list) {
  lrt_runtime *rt = lrt_of(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, list, i);
    lrt_task *task = lua_touserdata(L, -1);
    if (task != rt->current) lrt_stop(rt, task, LRT_STOP_CANCEL);
    lua_pop(L, 1);
  }
}

// Replaces the argument by a list of its own, so that nobody changes it while we wait.
static void copy_tasks(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer count = luaL_len(L, 1);
  lua_createtable(L, count < 1000000 ? (int)count : 0, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    lrt_task *task = lrt_to_task(lrt_of(L), L, -1);
    if (!task) {
      luaL_argerror(
          L, 1, lua_pushfstring(L, "a list of tasks expected, got %s at %I", luaL_typename(L, -1),
                                (LUAI_UACINT)i));
    }
    refuse_self(L, task);
    lua_rawseti(L, 2, i);
  }
  lua_replace(L, 1);
}

// The position of the first task in the list that has ended, by any means or by failing; 0: none.
static lua_Integer find_ended(lua_State *L, int list, bool failed) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  lua_Integer found = 0;
  for (lua_Integer i = 1; i <= count && !found; i++) {
    lua_rawgeti(L, list, i);
    lrt_task *task = lua_touserdata(L, -1);
    if (failed ? task->state > LRT_DONE : lrt_ended(task)) found = i;
    lua_pop(L, 1);
  }
  return found;
}

static int deliver_from(lua_State *L, int list, lua_Integer position) {
  lua_settop(L, list);
  lua_rawgeti(L, list, position);
  cancel_list(L, list);
  return lrt_deliver(L, list + 1);
}

static bool all_ended(lua_State *L, int list) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, list, i);
    bool yes = lrt_ended(lua_touserdata(L, -1));
    lua_pop(L, 1);
    if (!yes) return false;
  }
  return true;
}

// The tasks of the list at 1 have all ended well, or one has not: raises that, else the list of
// first results.
static int finish_all(lua_State *L) {
  lua_Integer failed = find_ended(L, 1, true);
  if (failed) return deliver_from(L, 1, failed);
  lua_settop(L, 1);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    if (lrt_deliver(L, 3) == 0) lua_pushnil(L);
    lua_settop(L, 4);
    lua_rawseti(L, 2, i);
    lua_settop(L, 2);
  }
  return 1;
}

static int after_all(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_check_stop(L, lrt_of(L));
  return finish_all(L);
}

int lrt_f_all(lua_State *L) {
  copy_tasks(L);
  if (find_ended(L, 1, true) || all_ended(L, 1)) return finish_all(L);
  return wait_for(L, 1, false, NEVER, 0, after_all);
}

static int after_race(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_check_stop(L, lrt_of(L));
  return deliver_from(L, 1, find_ended(L, 1, false));
}

int lrt_f_race(lua_State *L) {
  copy_tasks(L);
  luaL_argcheck(L, lua_rawlen(L, 1) > 0, 1, "no tasks");
  lua_Integer winner = find_ended(L, 1, false);
  if (winner) return deliver_from(L, 1, winner);
  return wait_for(L, 1, true, NEVER, 0, after_race);
}

// ---- Timeout ----------------------------------------------------------------------------------

// Stack: seconds, list of the one task.
static int after_timeout(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_runtime *rt = lrt_of(L);
  if (rt->current->stop) cancel_list(L, 2);
  lrt_check_stop(L, rt);
  if (find_ended(L, 2, false)) return deliver_from(L, 2, 1);
  cancel_list(L, 2);
  lua_settop(L, 1);
  luaL_where(L, 1);
  lua_pushfstring(L, "timeout: no result within %s s", luaL_tolstring(L, 1, NULL));
  lua_remove(L, -2);
  return lrt_raise_coded(L, "timeout");
}

int lrt_f_timeout(lua_State *L) {
  uint64_t until = check_deadline(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lrt_need_yield(L, lrt_of(L));
  lrt_new_task(L, lua_gettop(L) - 2, 0, 0);
  lua_createtable(L, 1, 0);
  lua_insert(L, 2);
  lua_rawseti(L, 2, 1);
  return wait_for(L, 2, true, until, 0, after_timeout);
}

// ---- Map --------------------------------------------------------------------------------------

// Workers take the next item until none is left; stack of each: list, function, results, shared.
typedef struct shared {
  lua_Integer next, count;
} shared;

static int map_worker(lua_State *L, int status, lua_KContext done) {
  (void)status;
  shared *work = lua_touserdata(L, 4);
  if (done) lua_seti(L, 3, done);
  while (work->next <= work->count) {
    lua_Integer item = work->next++;
    lua_pushvalue(L, 2);
    lua_geti(L, 1, item);
    // Nothing but the item: most functions take options second.
    lua_callk(L, 1, 1, item, map_worker);
    lua_seti(L, 3, item);
  }
  return 0;
}

static int start_worker(lua_State *L) { return map_worker(L, LUA_OK, 0); }

static void tell_dropped(lua_State *L, lrt_runtime *rt) {
  lua_pushvalue(L, 3);
  lrt_to_swift(rt);
  rt->callbacks.dropped(rt->context, L);
  lrt_to_lua(rt);
  lua_pop(L, 1);
}

// Stack: list, function, results, shared, workers.
static int after_map(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_runtime *rt = lrt_of(L);
  if (rt->current->stop) {
    tell_dropped(L, rt);
    cancel_list(L, 5);
  }
  lrt_check_stop(L, rt);
  lua_Integer failed = find_ended(L, 5, true);
  if (failed) {
    tell_dropped(L, rt);
    // One error speaks for all: a hundred calls may have met the same.
    for (lua_Integer i = 1, count = (lua_Integer)lua_rawlen(L, 5); i <= count; i++) {
      lua_rawgeti(L, 5, i);
      lrt_settle(L, -1);
      lua_pop(L, 1);
    }
    return deliver_from(L, 5, failed);
  }
  lua_settop(L, 3);
  return 1;
}

enum { DEFAULT_CONCURRENCY = 100 };

static lua_Integer check_concurrency(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return DEFAULT_CONCURRENCY;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    size_t size;
    const char *key = lrt_bytes(L, -1, &size);
    if (key && !strcmp(key, "concurrency")) continue;
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "unknown option '%s' (did you mean 'concurrency'?)",
                        luaL_tolstring(L, -1, NULL)));
  }
  if (lua_getfield(L, index, "concurrency") == LUA_TNIL) return DEFAULT_CONCURRENCY;
  int exact;
  lua_Integer concurrency = lua_tointegerx(L, -1, &exact);
  exact = exact && lua_type(L, -1) == LUA_TNUMBER;
  luaL_argcheck(L, exact && concurrency >= 1, index, "concurrency must be an integer of 1 or more");
  return concurrency;
}

int lrt_f_map(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_Integer concurrency = check_concurrency(L, 3);
  lua_settop(L, 2);
  lua_Integer count = luaL_len(L, 1);
  if (count < 0) count = 0;
  if (concurrency > count) concurrency = count;
  lua_createtable(L, count < 10000000 ? (int)count : 0, 0);
  if (count == 0) return 1;
  lrt_need_yield(L, lrt_of(L));
  shared *work = lua_newuserdatauv(L, sizeof *work, 0);
  work->next = 1;
  work->count = count;
  lua_createtable(L, (int)concurrency, 0);
  for (lua_Integer i = 1; i <= concurrency; i++) {
    lua_pushcfunction(L, start_worker);
    for (int argument = 1; argument <= 4; argument++) lua_pushvalue(L, argument);
    lrt_new_task(L, 4, 0, 0);
    lua_rawseti(L, 5, i);
  }
  return wait_for(L, 5, false, NEVER, 0, after_map);
}
