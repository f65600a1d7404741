// `require` as in Lua 5.4.4, except that a module's body may await: the loader is called with a
// continuation. While a module loads, other tasks that require it wait, so that it runs once.
#include "internal.h"

#include <string.h>

static char loading_key;  // registry: name -> loading, of modules being loaded

typedef struct loading {
  lrt_runtime *rt;
  lrt_task *owner;
  int depth;  // loads of the same module by the same task, one inside the other
  bool waiters;
} loading;

// Where stock Lua's C stack would overflow.
enum { DEEPEST_LOOP = 150 };

static void find_loader(lua_State *L, const char *name) {
  if (unlikely(lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE)) {
    luaL_error(L, "'package.searchers' must be a table");
  }
  int searchers = lua_gettop(L);
  luaL_Buffer message;
  luaL_buffinit(L, &message);
  for (int i = 1;; i++) {
    luaL_addstring(&message, "\n\t");
    if (unlikely(lua_rawgeti(L, searchers, i) == LUA_TNIL)) {
      lua_pop(L, 1);
      luaL_buffsub(&message, 2);
      luaL_pushresult(&message);
      luaL_error(L, "module '%s' not found:%s", name, lua_tostring(L, -1));
    }
    lua_pushstring(L, name);
    lua_call(L, 1, 2);
    if (lua_isfunction(L, -2)) return;
    if (lua_isstring(L, -2)) {
      lua_pop(L, 1);
      luaL_addvalue(&message);
    } else {
      lua_pop(L, 2);
      luaL_buffsub(&message, 2);
    }
  }
}

// Ends a loading, whether it went well or not.
static int end_loading(lua_State *L) {
  loading *it = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TUSERDATA && lua_touserdata(L, -1) == it) {
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  if (!it->waiters) return 0;
  for (lrt_task *task = it->rt->alive; task; task = task->next) {
    if (task->module != it) continue;
    task->module = NULL;
    lrt_make_ready(it->rt, task);
  }
  return 0;
}

// Whether `task` waits, over however many modules, for one that the current task loads.
static bool waits_for_me(lrt_runtime *rt, const lrt_task *task) {
  for (int hops = 0; task && hops < 1000; hops++) {
    if (task == rt->current) return true;
    if (!task->module) return false;
    task = ((const loading *)task->module)->owner;
  }
  return false;
}

static int after_loader(lua_State *L, int status, lua_KContext context);
static int load(lua_State *L);

static int after_wait(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lrt_check_stop(L, lrt_of(L));
  lua_settop(L, 2);
  return load(L);
}

// Stack: name, LOADED.
static int load(lua_State *L) {
  const char *name = lua_tostring(L, 1);
  lua_getfield(L, 2, name);
  if (lua_toboolean(L, -1)) return 1;
  lua_settop(L, 2);
  lrt_runtime *rt = lrt_of(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushvalue(L, 1);
  int depth = 0;
  if (lua_rawget(L, 3) == LUA_TUSERDATA) {
    loading *other = lua_touserdata(L, -1);
    depth = other->depth + 1;
    if (depth > DEEPEST_LOOP) {
      return luaL_error(L, "module '%s' requires itself, directly or through others", name);
    }
    if (other->owner && other->owner != rt->current) {
      if (waits_for_me(rt, other->owner)) {
        return luaL_error(
            L, "module '%s' is being loaded by a task that waits for a module of this one", name);
      }
      if (lrt_await_mode(rt, L) == LRT_BLOCK) {
        return luaL_error(
            L, "module '%s' is being loaded by another task, which cannot go on while this "
               "caller must not yield", name);
      }
      lrt_need_yield(L, rt);
      other->waiters = true;
      rt->current->module = other;
      rt->current->state = LRT_WAITING;
      return lrt_suspend(L, 0, after_wait);
    }
  }
  lua_settop(L, 2);
  loading *mine = lua_newuserdatauv(L, sizeof *mine, 1);
  mine->rt = rt;
  mine->owner = rt->current;
  mine->depth = depth;
  mine->waiters = false;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setmetatable(L, 3);
  find_loader(L, name);
  // Stack: name, LOADED, mine, …, loader, data. A searcher may await in place only: nobody else has
  // begun this module meanwhile.
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_toclose(L, 3);
  lua_rotate(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -3);
  // Stack: …, data, loader, name, data.
  lua_callk(L, 2, 1, 0, after_loader);
  return after_loader(L, LUA_OK, 0);
}

static int after_loader(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  const char *name = lua_tostring(L, 1);
  // Stack: …, data, result.
  if (!lua_isnil(L, -1)) {
    lua_setfield(L, 2, name);
  } else {
    lua_pop(L, 1);
  }
  if (lua_getfield(L, 2, name) == LUA_TNIL) {
    lua_pushboolean(L, 1);
    lua_copy(L, -1, -2);
    lua_setfield(L, 2, name);
  }
  lua_rotate(L, -2, 1);
  return 2;
}

static int require(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  return load(L);
}

void lrt_open_require(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_getglobal(L, "package");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, end_loading);
  lua_setfield(L, -2, "__close");
  lua_pushcclosure(L, require, 2);
  lua_setglobal(L, "require");
}
