// The coroutine library. It behaves as the stock one of Lua 5.4.4, with two differences: an await
// inside a coroutine goes up to the scheduler instead of to the resumer, and the root of a task
// looks like the main coroutine.
#include "internal.h"

enum status { RUNNING, DEAD, SUSPENDED, NORMAL };

static const char *const names[] = {"running", "dead", "suspended", "normal"};

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "thread");
  return co;
}

// Moves what `co` yielded or returned to `L`.
static int take_results(lua_State *L, lua_State *co, int status, int results) {
  if (likely(status == LUA_OK || status == LUA_YIELD)) {
    if (unlikely(!lua_checkstack(L, results + 1))) {
      lua_pop(co, results);
      lua_pushliteral(L, "too many results to resume");
      return -1;
    }
    lua_xmove(co, L, results);
    return results;
  }
  lrt_end_loads(L, lrt_of(L), co, NULL);
  lua_xmove(co, L, 1);
  return -1;
}

static bool awaits(lua_State *co, int status) {
  return unlikely(status == LUA_YIELD && *lrt_tagged(co) & TAG_AWAITS);
}

enum { AWAITS = -2 };

// Number of results on the stack of `L`, -1 and an error value there, or AWAITS.
static int resume(lua_State *L, lua_State *co, int arguments) {
  if (unlikely(!lua_checkstack(co, arguments))) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  // A task, or a coroutine that waits inside one, goes on by the scheduler only.
  if (unlikely(*lrt_tagged(co) & TAGS)) {
    lua_pushliteral(L, "cannot resume non-suspended coroutine");
    return -1;
  }
  lua_xmove(L, co, arguments);
  int results;
  int status = lrt_resume(lrt_of(L), L, co, arguments, &results);
  if (awaits(co, status)) return AWAITS;
  return take_results(L, co, status, results);
}

// Goes on with a coroutine whose await has ended.
static int resume_again(lua_State *L, lua_State *co) {
  *lrt_tagged(co) &= ~TAG_AWAITS;
  int results;
  int status = lrt_resume(lrt_of(L), L, co, 0, &results);
  if (awaits(co, status)) return AWAITS;
  return take_results(L, co, status, results);
}

static int after_resume(lua_State *L, int status, lua_KContext context);
static int after_wrap(lua_State *L, int status, lua_KContext context);

static int finish_resume(lua_State *L, int results) {
  if (unlikely(results == AWAITS)) return lrt_suspend(L, 0, after_resume);
  lua_pushboolean(L, results >= 0);
  if (results < 0) results = 1;
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int co_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return finish_resume(L, resume(L, co, lua_gettop(L) - 1));
}

static int after_resume(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return finish_resume(L, resume_again(L, lua_tothread(L, 1)));
}

int lrt_close_thread(lrt_runtime *rt, lua_State *L, lua_State *co) {
  lrt_frame frame;
  lrt_enter(rt, &frame, co);
  if (unlikely(rt->attention)) lrt_arm(co, 1);
  int status = lua_resetthread(co);
  rt->frame = frame.outer;
  if (unlikely(rt->attention)) lrt_arm(L, 1);
  return status;
}

static int finish_wrap(lua_State *L, lua_State *co, int results) {
  if (likely(results >= 0)) return results;
  if (results == AWAITS) return lrt_suspend(L, 0, after_wrap);
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    status = lrt_close_thread(lrt_of(L), L, co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrap(L, co, resume(L, co, lua_gettop(L)));
}

static int after_wrap(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrap(L, co, resume_again(L, co));
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int co_yield(lua_State *L) {
  if (unlikely(*lrt_tagged(L) & TAG_ROOT)) {
    lua_pushliteral(L, "attempt to yield from outside a coroutine");
    return lua_error(L);
  }
  // As in stock Lua, whose require is a C function that nothing yields across.
  if (unlikely(lrt_loads(L, lrt_of(L)))) {
    lua_pushliteral(L, "attempt to yield across a C-call boundary");
    return lua_error(L);
  }
  return lua_yield(L, lua_gettop(L));
}

static enum status status_of(lua_State *L, lua_State *co) {
  if (L == co) return RUNNING;
  switch (lua_status(co)) {
    case LUA_YIELD: return *lrt_tagged(co) & TAGS ? NORMAL : SUSPENDED;
    case LUA_OK: {
      lua_Debug frame;
      if (lua_getstack(co, 0, &frame)) return NORMAL;
      if (lua_gettop(co) == 0) return DEAD;
      return *lrt_tagged(co) & TAG_ROOT ? NORMAL : SUSPENDED;
    }
    default: return DEAD;
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, names[status_of(L, check_coroutine(L))]);
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L);
  lua_pushboolean(L, !(*lrt_tagged(co) & TAG_ROOT) && lua_isyieldable(co));
  return 1;
}

static int co_running(lua_State *L) {
  // Outside of tasks (finalizers at the end) the main coroutine is the one that the registry names.
  int main = lua_pushthread(L);
  if (main) lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_pushboolean(L, main || *lrt_tagged(L) & TAG_ROOT);
  return 2;
}

static int co_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  enum status status = status_of(L, co);
  if (status != DEAD && status != SUSPENDED) {
    return luaL_error(L, "cannot close a %s coroutine", names[status]);
  }
  if (lrt_close_thread(lrt_of(L), L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

void lrt_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", co_create}, {"resume", co_resume},   {"running", co_running},
      {"status", co_status}, {"wrap", co_wrap},       {"yield", co_yield},
      {"close", co_close},   {"isyieldable", co_isyieldable}, {NULL, NULL}};
  // Into the stock table, so that `package.loaded` and whoever holds it see the same.
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_getglobal(L, "xpcall");
  lrt_of(L)->xpcall = lua_tocfunction(L, -1);
  lua_pop(L, 2);
}
