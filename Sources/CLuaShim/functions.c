// Swift functions as Lua functions, and Swift objects as userdata.
#include "internal.h"

#include <string.h>

typedef struct object {
  void *pointer;  // retained; NULL once released
} object;

// A table raised as an error remembers where: field `traceback`, unless it has one.
static void keep_traceback(lua_State *L) {
  if (lua_type(L, -1) != LUA_TTABLE) return;
  lua_pushliteral(L, "traceback");
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    luaL_traceback(L, L, NULL, 1);
    lua_rawset(L, -3);
  } else {
    lua_pop(L, 2);
  }
}

// The stack has the place at -2 and the message on top.
int lrt_raise_coded(lua_State *L, const char *code) {
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, lrt_of(L)->error_type) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_concat(L, 2);
    return lua_error(L);
  }
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  keep_traceback(L);
  return lua_error(L);
}

void lrt_set_error_type(lrt_runtime *rt, int key) { rt->error_type = key; }

// `bad argument` in the words of luaL_argerror, which knows the name of the call from the caller's
// code; where it does not (pcall(f, …)), the name that the function was registered under serves.
static int argument_error(lua_State *L, int argument, const char *message) {
  lua_Debug call;
  if (lua_getstack(L, 0, &call) && lua_getinfo(L, "n", &call) && !call.name &&
      lua_type(L, lua_upvalueindex(2)) == LUA_TSTRING) {
    return luaL_error(
        L, "bad argument #%d to '%s' (%s)", argument, lua_tostring(L, lua_upvalueindex(2)),
        message);
  }
  return luaL_argerror(L, argument, message);
}

static void push_type_name(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return;
  lua_pushstring(
      L, lua_type(L, index) == LUA_TLIGHTUSERDATA ? "light userdata" : luaL_typename(L, index));
}

static int after_call(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return lua_gettop(L) - (int)base;
}

static int after_await(lua_State *L, int status, lua_KContext await) {
  (void)status;
  lrt_runtime *rt = lrt_of(L);
  if (unlikely(rt->current->stop)) {
    rt->callbacks.cancel(rt->context, (uint64_t)await);
    return lrt_raise_stop(L, rt->current);
  }
  lrt_to_swift(rt);
  int code = rt->callbacks.resume(rt->context, L, (uint64_t)await);
  lrt_to_lua(rt);
  return lrt_finish(L, rt, code);
}

int lrt_finish(lua_State *L, lrt_runtime *rt, int code) {
  switch (code) {
    case LRT_RAISE:
      if (rt->current && rt->current->stop) lrt_check_stop(L, rt);
      keep_traceback(L);
      return lua_error(L);
    case LRT_RAISE_HERE:
      luaL_where(L, 1);
      lua_insert(L, -2);
      lua_concat(L, 2);
      return lua_error(L);
    case LRT_ARGUMENT: {
      return argument_error(L, (int)rt->detail, lua_tostring(L, -1));
    }
    case LRT_TYPE: {
      int argument = (int)rt->detail;
      if (argument < lua_gettop(L)) {
        push_type_name(L, argument);
      } else {
        lua_pushliteral(L, "no value");
      }
      lua_pushfstring(L, "%s expected, got %s", lua_tostring(L, -2), lua_tostring(L, -1));
      return argument_error(L, argument, lua_tostring(L, -1));
    }
    case LRT_AWAIT: {
      lrt_task *task = rt->current;
      task->await = rt->detail;
      task->state = LRT_WAITING;
      rt->outside_count++;
      return lrt_suspend(L, (lua_KContext)rt->detail, after_await);
    }
    case LRT_CALL: {
      int arguments = (int)rt->detail;
      lua_KContext base = lua_gettop(L) - arguments - 1;
      lua_callk(L, arguments, LUA_MULTRET, base, after_call);
      return after_call(L, LUA_OK, base);
    }
    case LRT_EXIT:
      lrt_unwind(rt);
      rt->callbacks.leave(rt->context);
      return 0;
    default: return code;
  }
}

static int call_function(lua_State *L) {
  lrt_runtime *rt = lrt_of(L);
  object *function = lua_touserdata(L, lua_upvalueindex(1));
  lrt_to_swift(rt);
  int code = rt->callbacks.call(rt->context, L, function->pointer);
  lrt_to_lua(rt);
  return lrt_finish(L, rt, code);
}

static int release_object(lua_State *L) {
  object *it = lua_touserdata(L, 1);
  if (it && it->pointer) {
    void *pointer = it->pointer;
    it->pointer = NULL;
    lrt_of(L)->callbacks.release(pointer);
  }
  return 0;
}

// Pushes a userdata that owns `*pointer`, with the metatable on top, which is popped. The
// ownership goes over at the very end, when nothing can raise any more.
static void push_object(lua_State *L, void *pointer, int *consumed) {
  object *it = lua_newuserdatauv(L, sizeof *it, 0);
  it->pointer = NULL;
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  it->pointer = pointer;
  ++*consumed;
}

typedef struct birth {
  void *pointer;
  const char *name;
  int type;
  int *consumed;
} birth;

static int new_function(lua_State *L) {
  birth *it = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, it->type);
  push_object(L, it->pointer, it->consumed);
  lua_pushstring(L, it->name);
  lua_pushcclosure(L, call_function, 2);
  return 1;
}

static int new_object(lua_State *L) {
  birth *it = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, it->type);
  push_object(L, it->pointer, it->consumed);
  return 1;
}

static int give_birth(lua_State *L, lua_CFunction how, birth it) {
  *it.consumed = 0;
  lua_pushcfunction(L, how);
  lua_pushlightuserdata(L, &it);
  return lua_pcall(L, 1, 1, 0);
}

int lrt_new_function(lua_State *L, void *function, const char *name, int *consumed) {
  birth it = {function, name, lrt_of(L)->function_type, consumed};
  return give_birth(L, new_function, it);
}

int lrt_new_object(lua_State *L, void *pointer, int type, int *consumed) {
  birth it = {pointer, NULL, type, consumed};
  return give_birth(L, new_object, it);
}

static int new_type(lua_State *L) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, lua_touserdata(L, 1));
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, release_object);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, release_object);
  lua_setfield(L, -2, "__close");
  return 1;
}

int lrt_new_type(lua_State *L, const char *name) {
  lua_pushcfunction(L, new_type);
  lua_pushlightuserdata(L, (void *)name);
  return lua_pcall(L, 1, 1, 0);
}

static object *to_object(lua_State *L, int index, int type) {
  object *it = lua_touserdata(L, index);
  if (!it || lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? it : NULL;
}

void *lrt_object(lua_State *L, int index, int type) {
  object *it = to_object(L, index, type);
  return it ? it->pointer : NULL;
}

bool lrt_release_object(lua_State *L, int index, int type) {
  object *it = to_object(L, index, type);
  if (!it || !it->pointer) return false;
  void *pointer = it->pointer;
  it->pointer = NULL;
  lrt_of(L)->callbacks.release(pointer);
  return true;
}

void lrt_open_functions(lua_State *L, lrt_runtime *rt) {
  lua_pushcfunction(L, new_type);
  lua_pushlightuserdata(L, "function");
  lua_call(L, 1, 1);
  // The boxes behind functions are reachable through debug.getupvalue; closing one would leave a
  // function without a body.
  lua_pushnil(L);
  lua_setfield(L, -2, "__close");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  rt->function_type = luaL_ref(L, LUA_REGISTRYINDEX);
}
