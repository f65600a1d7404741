// The JSON functions' surroundings: registration, `null`, arrays that know what they are.
#include "json.h"

#include <string.h>

int json_protected(lua_State *L, bool *busy, lua_CFunction function, int arguments) {
  lua_pushcfunction(L, function);
  lua_insert(L, -(arguments + 1));
  *busy = true;
  int status = lua_pcall(L, arguments, 1, 0);
  *busy = false;
  return status;
}

static int null_tostring(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

int lrt_json_array(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, lrt_of(L)->array_type);
  lua_setmetatable(L, 1);
  return 1;
}

void lrt_open_json(lua_State *L, lrt_runtime *rt) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "json.null");
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  rt->null_value = luaL_ref(L, LUA_REGISTRYINDEX);

  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__jsontype");
  rt->array_type = luaL_ref(L, LUA_REGISTRYINDEX);
}
