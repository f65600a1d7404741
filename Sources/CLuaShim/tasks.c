// Tasks: coroutines that the loop runs. This file has their life; what they run and leave is in
// outcomes.c, waiting for them in waits.c.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_STOP_COUNT = 2000 };

static const char *const state_names[] = {"ready", "running", "waiting",
                                          "done",  "failed",  "cancelled"};

void lrt_push_task(lua_State *L, lrt_task *task) {
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
  if (task->queued || lrt_ended(task)) return;
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

  lua_pushcfunction(thread, lrt_body);
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
  if (flags & LRT_PROGRAM) {
    // C modules keep the state that they were opened in, or ask the registry for the main one: that
    // must be this coroutine, even when it has ended.
    lua_getiuservalue(L, -1, THREAD_SLOT);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  }
  lrt_make_ready(rt, task);
  return task;
}

static void end_task(lrt_runtime *rt, lrt_task *task, enum lrt_state state) {
  lua_State *L = rt->L;
  lrt_end_loads(L, rt, NULL, task);
  task->state = (uint8_t)state;
  *lrt_tagged(task->thread) = (uintptr_t)rt;
  task->thread = NULL;
  if (task->previous) task->previous->next = task->next;
  if (task->next) task->next->previous = task->previous;
  if (rt->alive == task) rt->alive = task->next;
  rt->alive_count--;
  if (rt->foreground == task) rt->foreground = NULL;

  lrt_push_task(L, task);
  lua_pushnil(L);
  lua_setiuservalue(L, -2, THREAD_SLOT);
  lrt_wake_waiters(rt, task);
  if (task->flags & LRT_NOTIFY) rt->callbacks.ended(rt->context, task, task->token);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->anchors);
  lua_pushnil(L);
  lua_rawsetp(L, -2, task);
  lua_pop(L, 2);
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
  lrt_to_lua(rt);
  int status = lrt_resume(rt, rt->L, task->thread, arguments, &results);
  lrt_to_swift(rt);
  rt->current = NULL;
  rt->hog_until = 0;
  rt->attention = rt->signalled != 0;

  if (status == LUA_YIELD && *lrt_tagged(task->thread) & TAG_AWAITS) return;
  if (status == LUA_OK && lrt_ended(task)) {
    end_task(rt, task, task->state);
  } else if (task->stop) {
    lua_settop(task->thread, 0);
    end_task(rt, task, LRT_CANCELLED);
  } else if (status == LUA_YIELD) {
    // A C module yielded without asking whether there is a coroutine: that is its caller's error.
    lua_pop(task->thread, results);
    task->stop = LRT_STOP_YIELD;
    lrt_make_ready(rt, task);
  } else {
    lrt_fail_late(rt, task);
    end_task(rt, task, LRT_FAILED);
  }
}

bool lrt_step(lrt_runtime *rt, uint64_t budget) {
  uint64_t now = lrt_now();
  while (rt->timer_count && rt->timers[0]->wake_at <= now) {
    lrt_task *task = rt->timers[0];
    lrt_forget_timer(rt, task);
    lrt_forget_wait(task);
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
  if (lrt_of(L)->closing) return luaL_error(L, "cannot start a task: the program has ended");
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
  if (lrt_ended(task) || task->stop) return;
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
    lrt_to_swift(rt);
    rt->callbacks.cancel(rt->context, await);
    if (rt->current) lrt_to_lua(rt);
  }
  lrt_make_ready(rt, task);
}

void lrt_unwind(lrt_runtime *rt) {
  rt->current = NULL;
  while (rt->alive) {
    lrt_task *task = rt->foreground ? rt->foreground : rt->alive;
    lrt_forget_timer(rt, task);
    lrt_forget_wait(task);
    if (task->await) rt->callbacks.cancel(rt->context, task->await);
    task->await = 0;
    // A closing method may itself ask for the exit, which then goes on with the variables that are
    // left; so the task stays on the list until all are closed.
    lrt_close_thread(rt, rt->L, task->thread);
    if (task->previous) task->previous->next = task->next;
    if (task->next) task->next->previous = task->previous;
    if (rt->alive == task) rt->alive = task->next;
    if (rt->foreground == task) rt->foreground = NULL;
  }
}

void lrt_stop_all(lrt_runtime *rt, int why) {
  for (lrt_task *task = rt->alive; task; task = task->next) lrt_stop(rt, task, why);
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
  lrt_open_outcomes(L, rt);

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
