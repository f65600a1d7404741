// JSON text straight into Lua tables, by simdjson's tape. null reads as nil; integers of 64 bits stay
// integers; arrays get a metatable that says so.
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "json.h"

using simdjson::dom::element;
using simdjson::dom::element_type;

namespace {

// Keys, and many values, repeat from object to object: the last ones lie on the Lua stack, which
// spares Lua the search in its table of strings.
struct string_cache {
  static constexpr int slots = 128;
  static constexpr size_t longest = 32;
  struct entry {
    const char *start;
    size_t size;
    uint64_t head, tail;  // first and last eight bytes; the whole of what is no longer than 16
  };
  entry entries[slots];
  int base;  // slot 0 on the stack

  static uint64_t word(const char *at) {
    uint64_t value;
    std::memcpy(&value, at, 8);
    return value;
  }

  void push(lua_State *L, std::string_view text) {
    size_t n = text.size();
    const char *start = text.data();
    if (n > longest) {
      lua_pushlstring(L, start, n);
      return;
    }
    uint64_t head = 0, tail = 0;
    if (n >= 8) {
      head = word(start);
      tail = word(start + n - 8);
    } else {
      for (size_t i = 0; i < n; i++) tail = tail << 8 | (unsigned char)start[i];
    }
    int slot = (int)(((head ^ (tail + n)) * 0x9E3779B97F4A7C15u) >> 57);
    entry &it = entries[slot];
    if (it.start && it.size == n && it.head == head && it.tail == tail &&
        (n <= 16 || !std::memcmp(it.start + 8, start + 8, n - 16))) {
      lua_pushvalue(L, base + slot);
      return;
    }
    lua_pushlstring(L, start, n);
    lua_copy(L, -1, base + slot);
    it = {start, n, head, tail};
  }
};

struct job {
  lrt_runtime *rt;
  const char *text;
  size_t size;
  json_types types;
  bool slowly;
};

struct builder {
  lua_State *L;
  json_types types;
  int array_index;  // of the metatable on the stack
  string_cache keys, values;
};

void push(builder *b, element value, int depth, int element_type_reference);

void push_array(builder *b, simdjson::dom::array array, int depth) {
  lua_State *L = b->L;
  bool top = depth == 0;
  lua_createtable(L, (int)array.size(), 0);
  lua_Integer index = 0;
  for (element item : array) {
    index++;
    bool typed = top && b->types.element >= 0;
    if (item.is_null()) {
      if (!typed) continue;
      lua_pushboolean(L, 0);  // a list of things that has none in a place must not look shorter
    } else {
      push(b, item, depth + 1, typed ? b->types.element : -1);
    }
    lua_rawseti(L, -2, index);
  }
  if (top && b->types.list >= 0) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->types.list);
  } else {
    lua_pushvalue(L, b->array_index);
  }
  lua_setmetatable(L, -2);
}

void push_object(builder *b, simdjson::dom::object object, int depth, int metatable) {
  lua_State *L = b->L;
  lua_createtable(L, 0, (int)object.size());
  for (auto field : object) {
    if (field.value.is_null()) continue;
    b->keys.push(L, field.key);
    push(b, field.value, depth + 1, -1);
    lua_rawset(L, -3);
  }
  if (metatable >= 0) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
    lua_setmetatable(L, -2);
  }
}

void push(builder *b, element value, int depth, int metatable) {
  lua_State *L = b->L;
  switch (value.type()) {
    case element_type::ARRAY:
      luaL_checkstack(L, 6, "JSON nested too deeply");
      push_array(b, value.get_array().value_unsafe(), depth);
      break;
    case element_type::OBJECT:
      luaL_checkstack(L, 6, "JSON nested too deeply");
      push_object(b, value.get_object().value_unsafe(), depth, metatable);
      break;
    case element_type::STRING: b->values.push(L, value.get_string().value_unsafe()); break;
    case element_type::INT64: lua_pushinteger(L, value.get_int64().value_unsafe()); break;
    case element_type::UINT64:
      lua_pushnumber(L, (lua_Number)value.get_uint64().value_unsafe());
      break;
    case element_type::DOUBLE: lua_pushnumber(L, value.get_double().value_unsafe()); break;
    case element_type::BOOL: lua_pushboolean(L, value.get_bool().value_unsafe()); break;
    case element_type::NULL_VALUE: lua_pushnil(L); break;
  }
}

simdjson::dom::parser *parser_of(lua_State *L, lrt_runtime *rt) {
  if (!rt->json) rt->json = new (std::nothrow) simdjson::dom::parser;
  if (!rt->json) luaL_error(L, "not enough memory");
  return (simdjson::dom::parser *)rt->json;
}

int decode(lua_State *L) {
  job *it = (job *)lua_touserdata(L, 1);
  if (it->slowly) {
    json_push_slowly(L, it->text, it->size, it->types);
    return 1;
  }
  simdjson::dom::parser *parser = parser_of(L, it->rt);
  element root;
  auto error = parser->parse((const uint8_t *)it->text, it->size, true).get(root);
  if (error == simdjson::MEMALLOC) return luaL_error(L, "not enough memory");
  if (error) {
    json_push_slowly(L, it->text, it->size, it->types);
    return 1;
  }
  luaL_checkstack(L, 2 * string_cache::slots + 10, nullptr);
  lua_rawgeti(L, LUA_REGISTRYINDEX, it->types.array);
  builder b;
  std::memset((void *)&b, 0, sizeof b);
  b.L = L;
  b.types = it->types;
  b.array_index = lua_gettop(L);
  b.keys.base = b.array_index + 1;
  b.values.base = b.keys.base + string_cache::slots;
  lua_settop(L, b.array_index + 2 * string_cache::slots);
  push(&b, root, 0, -1);
  return 1;
}

// A parser keeps the memory of its largest document; beyond this it is not kept.
constexpr size_t kept_capacity = 1 << 20;

// While a large text is decoded the collector rests: it would only mark, again and again, what has
// just been made. Lua forgets then how much was allocated, so that we ourselves have to collect
// when memory has doubled, before the next large text.
constexpr size_t large = 1 << 16;
constexpr int first_collection = 64 * 1024;  // kilobytes

bool rest(lua_State *L, lrt_runtime *rt) {
  if (lua_gc(L, LUA_GCISRUNNING) != 1) return false;
  if (!rt->collect_at) rt->collect_at = first_collection;
  if (lua_gc(L, LUA_GCCOUNT) > rt->collect_at) {
    lua_gc(L, LUA_GCCOLLECT);
    rt->collect_at = std::max(first_collection, 2 * lua_gc(L, LUA_GCCOUNT));
  }
  lua_gc(L, LUA_GCSTOP);
  return true;
}

}  // namespace

extern "C" void lrt_json_push(
    lua_State *L, lrt_runtime *rt, const char *text, size_t size, int list, int element) {
  job it = {rt, text, size, {rt->array_type, element, list}, rt->decoding};
  bool resting = size >= large && rest(L, rt);
  lua_pushlightuserdata(L, &it);
  int status;
  if (it.slowly) {
    bool unused;
    status = json_protected(L, &unused, decode, 1);
  } else {
    status = json_protected(L, &rt->decoding, decode, 1);
    if (size > kept_capacity) lrt_close_json(rt);
  }
  if (resting) lua_gc(L, LUA_GCRESTART);
  if (status != LUA_OK) lua_error(L);
}

extern "C" int lrt_json_decode(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_settop(L, 1);
  lrt_json_push(L, lrt_of(L), text, size, -1, -1);
  return 1;
}

extern "C" void lrt_close_json(lrt_runtime *rt) {
  delete (simdjson::dom::parser *)rt->json;
  rt->json = nullptr;
}
