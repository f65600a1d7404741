// Values across the border: everything that may raise runs in a protected call.
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAXIMUM_DEPTH = 180 };

// Without stack space: what was to be used up goes, nil is the error value.
static int no_room(lua_State *L, int used) {
  lua_pop(L, used);
  lua_pushnil(L);
  return LUA_ERRERR;
}

// ---- Programs that build values ---------------------------------------------------------------

typedef struct builder {
  const uint8_t *at, *end;
  int depth;
  lrt_runtime *rt;
} builder;

#define OPERAND(type, name)               \
  type name;                              \
  memcpy(&name, b->at, sizeof name);      \
  b->at += sizeof name

static void push_string(lua_State *L, builder *b) {
  OPERAND(uint64_t, size);
  lua_pushlstring(L, (const char *)b->at, size);
  b->at += size;
}

static void push_builtin(lua_State *L, lrt_runtime *rt, int which) {
  switch (which) {
    case LRT_SPAWN: lua_pushcfunction(L, lrt_f_spawn); break;
    case LRT_SLEEP: lua_pushcfunction(L, lrt_f_sleep); break;
    case LRT_MAP: lua_pushcfunction(L, lrt_f_map); break;
    case LRT_ALL: lua_pushcfunction(L, lrt_f_all); break;
    case LRT_RACE: lua_pushcfunction(L, lrt_f_race); break;
    case LRT_TIMEOUT: lua_pushcfunction(L, lrt_f_timeout); break;
    case LRT_JSON_DECODE: lua_pushcfunction(L, lrt_json_decode); break;
    case LRT_JSON_ENCODE: lua_pushcfunction(L, lrt_json_encode); break;
    case LRT_JSON_ARRAY: lua_pushcfunction(L, lrt_json_array); break;
    case LRT_JSON_NULL: lua_rawgeti(L, LUA_REGISTRYINDEX, rt->null_value); break;
    default: luaL_error(L, "no builtin %d", which);
  }
}

static void push_value(lua_State *L, builder *b) {
  luaL_checkstack(L, 6, "value nested too deeply");
  if (++b->depth > MAXIMUM_DEPTH) luaL_error(L, "value nested too deeply");
  switch (*b->at++) {
    case LRT_OP_NIL: lua_pushnil(L); break;
    case LRT_OP_TRUE: lua_pushboolean(L, 1); break;
    case LRT_OP_FALSE: lua_pushboolean(L, 0); break;
    case LRT_OP_INTEGER: {
      OPERAND(int64_t, value);
      lua_pushinteger(L, value);
      break;
    }
    case LRT_OP_NUMBER: {
      OPERAND(double, value);
      lua_pushnumber(L, value);
      break;
    }
    case LRT_OP_STRING: push_string(L, b); break;
    case LRT_OP_ARRAY: {
      OPERAND(int32_t, metatable);
      OPERAND(uint32_t, count);
      lua_createtable(L, (int)count, 0);
      for (uint32_t i = 1; i <= count; i++) {
        push_value(L, b);
        lua_rawseti(L, -2, i);
      }
      if (metatable >= 0) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
        lua_setmetatable(L, -2);
      }
      break;
    }
    case LRT_OP_TABLE: {
      OPERAND(int32_t, metatable);
      OPERAND(uint32_t, count);
      lua_createtable(L, 0, (int)count);
      for (uint32_t i = 0; i < count; i++) {
        push_value(L, b);
        push_value(L, b);
        lua_rawset(L, -3);
      }
      if (metatable >= 0) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
        lua_setmetatable(L, -2);
      }
      break;
    }
    case LRT_OP_REFERENCE: {
      OPERAND(int32_t, reference);
      lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
      break;
    }
    case LRT_OP_STACK: {
      // The protected function has a stack frame of its own: its second argument on are copies.
      OPERAND(int32_t, index);
      lua_pushvalue(L, index + 1);
      break;
    }
    case LRT_OP_POINTER: {
      OPERAND(uint64_t, address);
      lua_pushlightuserdata(L, (void *)(uintptr_t)address);
      break;
    }
    case LRT_OP_BUILTIN: {
      OPERAND(uint8_t, which);
      push_builtin(L, b->rt, which);
      break;
    }
    case LRT_OP_JSON: {
      OPERAND(int32_t, list);
      OPERAND(int32_t, element);
      OPERAND(uint64_t, size);
      lrt_json_push(L, b->rt, (const char *)b->at, size, list, element);
      b->at += size;
      break;
    }
    default: luaL_error(L, "damaged value program");
  }
  b->depth--;
}

static int build(lua_State *L) {
  builder *b = lua_touserdata(L, 1);
  int first = lua_gettop(L);
  while (b->at < b->end) push_value(L, b);
  return lua_gettop(L) - first;
}

int lrt_build(
    lrt_runtime *rt, lua_State *L, const uint8_t *program, size_t size, bool uses_stack,
    int *count) {
  builder b = {.at = program, .end = program + size, .rt = rt};
  int top = lua_gettop(L);
  *count = 0;
  int copies = uses_stack ? top : 0;
  if (!lua_checkstack(L, copies + 4)) return no_room(L, 0);
  lua_pushcfunction(L, build);
  lua_pushlightuserdata(L, &b);
  for (int i = 1; i <= copies; i++) lua_pushvalue(L, i);
  int status = lua_pcall(L, copies + 1, LUA_MULTRET, 0);
  if (status == LUA_OK) *count = lua_gettop(L) - top;
  return status;
}

// ---- Single operations ------------------------------------------------------------------------

static int get(lua_State *L) {
  lua_gettable(L, 1);
  return 1;
}

int lrt_get(lua_State *L, int table) {
  table = lua_absindex(L, table);
  if (!lua_checkstack(L, 4)) return no_room(L, 1);
  lua_pushcfunction(L, get);
  lua_pushvalue(L, table);
  lua_rotate(L, -3, 2);
  return lua_pcall(L, 2, 1, 0);
}

static int set(lua_State *L) {
  lua_settable(L, 1);
  return 0;
}

static int raw_set(lua_State *L) {
  if (lua_isnil(L, 2)) return luaL_error(L, "index is nil");
  lua_rawset(L, 1);
  return 0;
}

static int set_with(lua_State *L, int table, lua_CFunction function) {
  table = lua_absindex(L, table);
  if (!lua_checkstack(L, 4)) return no_room(L, 2);
  lua_pushcfunction(L, function);
  lua_pushvalue(L, table);
  lua_rotate(L, -4, 2);
  return lua_pcall(L, 3, 0, 0);
}

int lrt_set(lua_State *L, int table) { return set_with(L, table, set); }

int lrt_rawset(lua_State *L, int table) { return set_with(L, table, raw_set); }

static int next(lua_State *L) {
  lua_settop(L, 2);
  return lua_next(L, 1) ? 2 : 0;
}

int lrt_next(lua_State *L, int table, bool *more) {
  table = lua_absindex(L, table);
  if (!lua_checkstack(L, 4)) return no_room(L, 1);
  int top = lua_gettop(L) - 1;
  lua_pushcfunction(L, next);
  lua_pushvalue(L, table);
  lua_rotate(L, -3, 2);
  int status = lua_pcall(L, 2, LUA_MULTRET, 0);
  *more = status == LUA_OK && lua_gettop(L) > top;
  return status;
}

static int reference(lua_State *L) {
  lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
  return 1;
}

int lrt_ref(lua_State *L, int *result) {
  if (!lua_checkstack(L, 4)) return no_room(L, 1);
  lua_pushcfunction(L, reference);
  lua_insert(L, -2);
  int status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_OK) {
    *result = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  return status;
}

void lrt_unref(lua_State *L, int key) {
  if (lua_checkstack(L, 4)) luaL_unref(L, LUA_REGISTRYINDEX, key);
}

void lrt_push_ref(lua_State *L, int key) { lua_rawgeti(L, LUA_REGISTRYINDEX, key); }

// A protected call that may run metamethods: called from outside of any task, the state is what an
// interrupt has to stop.
static int guarded_call(lua_State *L, int arguments, int results, int handler) {
  lrt_runtime *rt = lrt_of(L);
  lrt_frame frame;
  bool outermost = rt->frame == NULL;
  if (outermost) lrt_enter(rt, &frame, L);
  lrt_to_lua(rt);
  int status = lua_pcall(L, arguments, results, handler);
  lrt_to_swift(rt);
  if (outermost) rt->frame = NULL;
  return status;
}

static int on_value(lua_State *L, int index, lua_CFunction function) {
  index = lua_absindex(L, index);
  if (!lua_checkstack(L, 4)) return no_room(L, 0);
  lua_pushcfunction(L, function);
  lua_pushvalue(L, index);
  return guarded_call(L, 1, 1, 0);
}

static int to_string(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

int lrt_tostring(lua_State *L, int index) { return on_value(L, index, to_string); }

static int error_text(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) return 1;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    lua_tostring(L, 1);
  } else if (!luaL_callmeta(L, 1, "__tostring") || lua_type(L, -1) != LUA_TSTRING) {
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  return 1;
}

int lrt_error_text(lua_State *L, int index) { return on_value(L, index, error_text); }

static int type_name(lua_State *L) {
  if (luaL_getmetafield(L, 1, "__name") != LUA_TSTRING) lua_pushstring(L, luaL_typename(L, 1));
  return 1;
}

int lrt_type_name(lua_State *L, int index) { return on_value(L, index, type_name); }

static int set_metatable(lua_State *L) {
  lua_setmetatable(L, 1);
  return 0;
}

int lrt_set_metatable(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!lua_checkstack(L, 4)) return no_room(L, 1);
  lua_pushcfunction(L, set_metatable);
  lua_pushvalue(L, index);
  lua_rotate(L, -3, 2);
  return lua_pcall(L, 2, 0, 0);
}

static int length_of(lua_State *L) {
  lua_pushinteger(L, luaL_len(L, 1));
  return 1;
}

int lrt_length(lua_State *L, int index, lua_Integer *length) {
  int status = on_value(L, index, length_of);
  if (status == LUA_OK) {
    *length = lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  return status;
}

typedef struct chunk {
  const char *bytes, *name, *mode;
  size_t size;
} chunk;

static int load_chunk(lua_State *L) {
  chunk *it = lua_touserdata(L, 1);
  if (luaL_loadbufferx(L, it->bytes, it->size, it->name, it->mode) != LUA_OK) return lua_error(L);
  return 1;
}

int lrt_load(lua_State *L, const char *bytes, size_t size, const char *name, const char *mode) {
  chunk it = {bytes, name, mode, size};
  if (!lua_checkstack(L, 4)) return no_room(L, 0);
  lua_pushcfunction(L, load_chunk);
  lua_pushlightuserdata(L, &it);
  return lua_pcall(L, 1, 1, 0);
}

typedef struct input {
  size_t first;  // bytes at the start of the buffer that have been read and not handed on
  int error;
  char bytes[BUFSIZ];
} input;

// A reader of standard input that a signal can stop: the stock one tries again without end.
static const char *read_input(lua_State *L, void *data, size_t *size) {
  input *it = data;
  *size = it->first;
  it->first = 0;
  while (*size == 0) {
    if (lrt_of(L)->signalled) luaL_error(L, "interrupted!");
    errno = 0;
    *size = fread(it->bytes, 1, sizeof it->bytes, stdin);
    it->error = ferror(stdin) ? errno : 0;
    if (it->error == EINTR) {
      it->error = 0;
      clearerr(stdin);
    } else if (*size == 0) {
      return NULL;
    }
  }
  return it->bytes;
}

// Leaves out what luaL_loadfile does: a byte order mark, and the text of a first line that begins
// with #.
static void skip_comment(lua_State *L, input *it) {
  size_t size;
  if (!read_input(L, it, &size)) return;
  size_t start = size >= 3 && !memcmp(it->bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
  if (start < size && it->bytes[start] == '#') {
    char *end;
    while (!(end = memchr(it->bytes + start, '\n', size - start))) {
      start = 0;
      if (!read_input(L, it, &size)) return;
    }
    start = (size_t)(end - it->bytes);
    // A compiled program follows its comment directly.
    if (start + 1 < size && it->bytes[start + 1] == LUA_SIGNATURE[0]) start++;
  }
  it->first = size - start;
  memmove(it->bytes, it->bytes + start, it->first);
}

static int load_input(lua_State *L) {
  input it = {0};
  skip_comment(L, &it);
  int status = lua_load(L, read_input, &it, "=stdin", NULL);
  if (it.error) {
    lua_pushfstring(L, "cannot read stdin: %s", strerror(it.error));
    return lua_error(L);
  }
  return status == LUA_OK ? 1 : lua_error(L);
}

static int load_file(lua_State *L) {
  if (!lua_touserdata(L, 1)) return load_input(L);
  if (luaL_loadfile(L, lua_touserdata(L, 1)) != LUA_OK) return lua_error(L);
  return 1;
}

int lrt_load_file(lua_State *L, const char *path) {
  if (!lua_checkstack(L, 4)) return no_room(L, 0);
  lua_pushcfunction(L, load_file);
  lua_pushlightuserdata(L, (void *)path);
  return lua_pcall(L, 1, 1, 0);
}

// The handler of a protected call: answers the value and a traceback in one table-free pair, by
// leaving the traceback in the registry slot of the runtime.
static int with_traceback(lua_State *L) {
  luaL_traceback(L, L, NULL, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, (void *)with_traceback);
  lua_settop(L, 1);
  return 1;
}

int lrt_call(lrt_runtime *rt, lua_State *L, int arguments, int *results) {
  (void)rt;
  *results = 0;
  int base = lua_gettop(L) - arguments;  // the function
  if (!lua_checkstack(L, 4)) {
    lua_settop(L, base);
    lua_pushnil(L);
    return no_room(L, 1);
  }
  lua_pushcfunction(L, with_traceback);
  lua_insert(L, base);
  int status = guarded_call(L, arguments, LUA_MULTRET, base);
  lua_remove(L, base);
  if (status == LUA_OK) {
    *results = lua_gettop(L) - base + 1;
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, (void *)with_traceback);
  }
  return status;
}

const char *lrt_bytes(lua_State *L, int index, size_t *size) {
  return lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, size) : NULL;
}
