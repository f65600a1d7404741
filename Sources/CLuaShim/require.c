// `require` as in Lua 5.4.4, except that a module's body may await: the loader is called with a
// continuation. While a module loads, other tasks that require it wait, so that it runs once.
#include "internal.h"

#include <string.h>

// Registry: name -> loading, of modules being loaded; those inside one of the same name by address.
static char loading_key;

typedef struct loading {
  lrt_runtime *rt;
  lrt_task *owner;
  lua_State *thread;      // whose stack the loader is on
  struct loading *outer;  // of the same module by the same task, around this one
  int depth;              // loads inside this one
  bool listed, waiters;
} loading;

enum { NAME_SLOT = 1, OUTER_SLOT = 2 };

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

// Ends the loading at an index of the stack, whether it went well or not.
static void end_loading(lua_State *L, int index) {
  loading *it = lua_touserdata(L, index);
  if (!it->listed) return;
  it->listed = false;
  it->rt->loads--;
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  if (it->outer) {
    it->outer->depth--;
    lua_pushnil(L);
    lua_rawsetp(L, -2, it);
  } else {
    lua_getiuservalue(L, index, NAME_SLOT);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  if (!it->waiters) return;
  for (lrt_task *task = it->rt->alive; task; task = task->next) {
    if (task->module != it) continue;
    task->module = NULL;
    lrt_make_ready(it->rt, task);
  }
}

static int close_loading(lua_State *L) {
  end_loading(L, 1);
  return 0;
}

// Lua closes nothing in a coroutine that dies of an error.
void lrt_end_loads(lua_State *L, lrt_runtime *rt, const lua_State *thread, const lrt_task *owner) {
  if (likely(!rt->loads)) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    loading *it = lua_touserdata(L, -1);
    if ((thread && it->thread == thread) || (owner && it->owner == owner)) end_loading(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

bool lrt_loads(lua_State *L, lrt_runtime *rt) {
  if (likely(!rt->loads)) return false;
  bool found = false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const loading *it = lua_touserdata(L, -1);
    if (it->thread == L) found = true;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
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
  loading *other = NULL;
  if (lua_rawget(L, 3) == LUA_TUSERDATA) {
    other = lua_touserdata(L, -1);
    if (other->depth >= DEEPEST_LOOP) {
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
  // Stack: name, LOADED, table of loadings, the other one or nil.
  loading *mine = lua_newuserdatauv(L, sizeof *mine, 2);
  *mine = (loading){.rt = rt, .owner = rt->current, .thread = L};
  lua_insert(L, 3);
  lua_setiuservalue(L, 3, OUTER_SLOT);
  lua_settop(L, 3);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, NAME_SLOT);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setmetatable(L, 3);
  find_loader(L, name);
  // Stack: name, LOADED, mine, …, loader, data. A searcher may await in place only: nobody else has
  // begun this module meanwhile.
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  if (other) {
    lua_pushvalue(L, 3);
    lua_rawsetp(L, -2, mine);
    mine->outer = other;
    other->depth++;
  } else {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  mine->listed = true;
  rt->loads++;
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
  lua_pushcfunction(L, close_loading);
  lua_setfield(L, -2, "__close");
  lua_pushcclosure(L, require, 2);
  lua_setglobal(L, "require");
}
