// Lua values as JSON text: keys sorted, integers whole, floats with the fewest digits that read back
// the same. Runs no code of the user: fields are read raw.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "json.h"

namespace {

struct key {
  const char *start;
  size_t size;
  lua_Integer place;  // in the table that holds it
};

bool before(const key &a, const key &b) {
  int order = std::memcmp(a.start, b.start, std::min(a.size, b.size));
  return order ? order < 0 : a.size < b.size;
}

// One level on the way to the value that is being written.
struct step {
  const void *table;
  const char *name;  // nullptr: `index`
  lua_Integer index;
};

// One for each runtime, so that its memory is used again; a finalizer that encodes while another
// encoding is under way gets one of its own.
struct encoder {
  char *text;
  size_t size, space;
  key *keys;
  size_t key_count, key_space;
  int depth, indent;
  lrt_runtime *rt;
  step *path;
  int path_space;
};

// More memory for one of the three; they are plain data.
template <typename T>
void grow(lua_State *L, T *&array, size_t count) {
  T *larger = (T *)std::realloc((void *)array, count * sizeof(T));
  if (!larger) luaL_error(L, "not enough memory");
  array = larger;
}

char *room(lua_State *L, encoder *e, size_t more) {
  if (e->space - e->size < more) {
    size_t space = std::max(e->space * 2, e->size + more + 256);
    grow(L, e->text, space);
    e->space = space;
  }
  return e->text + e->size;
}

void add(lua_State *L, encoder *e, const char *bytes, size_t size) {
  std::memcpy(room(L, e, size), bytes, size);
  e->size += size;
}

void add_char(lua_State *L, encoder *e, char c) {
  *room(L, e, 1) = c;
  e->size++;
}

void new_line(lua_State *L, encoder *e) {
  if (e->indent < 0) return;
  size_t spaces = (size_t)e->indent * (size_t)e->depth;
  char *to = room(L, e, spaces + 1);
  *to = '\n';
  std::memset(to + 1, ' ', spaces);
  e->size += spaces + 1;
}

// Raises `cannot encode WHAT (at .a[3])`.
int fail(lua_State *L, encoder *e, const char *what) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  luaL_addstring(&buffer, "cannot encode ");
  luaL_addstring(&buffer, what);
  if (e->depth > 0) {
    luaL_addstring(&buffer, " (at ");
    int shown = std::min(e->depth, 8);
    for (int i = 0; i < shown; i++) {
      const step &s = e->path[i];
      char position[32];
      if (s.name) {
        luaL_addchar(&buffer, '.');
        luaL_addlstring(&buffer, s.name, strnlen(s.name, 40));
      } else {
        snprintf(position, sizeof position, "[%lld]", (long long)s.index);
        luaL_addstring(&buffer, position);
      }
    }
    luaL_addstring(&buffer, shown < e->depth ? "…)" : ")");
  }
  luaL_pushresult(&buffer);
  luaL_where(L, 2);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

void add_string(lua_State *L, encoder *e, const char *text, size_t size) {
  if (!simdjson::validate_utf8(text, size)) {
    fail(
        L, e,
        "a string that is not valid UTF-8; JSON holds text only (encode bytes as hexadecimal or "
        "Base64 first)");
  }
  char *to = room(L, e, size * 6 + 2);
  char *begin = to;
  *to++ = '"';
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (likely(c >= 0x20 && c != '"' && c != '\\')) {
      *to++ = (char)c;
      continue;
    }
    *to++ = '\\';
    switch (c) {
      case '"': case '\\': *to++ = (char)c; break;
      case '\b': *to++ = 'b'; break;
      case '\f': *to++ = 'f'; break;
      case '\n': *to++ = 'n'; break;
      case '\r': *to++ = 'r'; break;
      case '\t': *to++ = 't'; break;
      default: {
        static const char digits[] = "0123456789abcdef";
        std::memcpy(to, "u00", 3);
        to[3] = digits[c >> 4];
        to[4] = digits[c & 15];
        to += 5;
      }
    }
  }
  *to++ = '"';
  e->size += (size_t)(to - begin);
}

void add_number(lua_State *L, encoder *e, int index) {
  char *to = room(L, e, 40);
  if (lua_isinteger(L, index)) {
    e->size += (size_t)(std::to_chars(to, to + 40, (long long)lua_tointeger(L, index)).ptr - to);
    return;
  }
  double value = lua_tonumber(L, index);
  if (!std::isfinite(value)) {
    fail(L, e, std::isnan(value) ? "nan: JSON has no such number" : "inf: JSON has no such number");
  }
  char *end = std::to_chars(to, to + 40, value).ptr;
  // A float stays a float when it is read again.
  if (!std::memchr(to, '.', (size_t)(end - to)) && !std::memchr(to, 'e', (size_t)(end - to))) {
    *end++ = '.';
    *end++ = '0';
  }
  e->size += (size_t)(end - to);
}

void add_value(lua_State *L, encoder *e);

// What a table is, by its metatable's `__jsontype` or by its keys.
enum class kind { array, object };

struct shape {
  kind what;
  lua_Integer length;  // highest index
  size_t names;
};

shape classify(lua_State *L, encoder *e) {
  bool array = false, object = false;
  if (luaL_getmetafield(L, -1, "__jsontype") != LUA_TNIL) {
    const char *type = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    array = !std::strcmp(type, "array");
    object = !std::strcmp(type, "object");
    lua_pop(L, 1);
  }
  lua_Integer items = 0, highest = 0;
  size_t names = 0;
  const char *name = nullptr;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      names++;
      name = lua_tostring(L, -1);
    } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1) {
      items++;
      highest = std::max(highest, lua_tointeger(L, -1));
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
      fail(L, e, lua_pushfstring(L, "a table with the key %s; keys are strings, or 1, 2, …",
                                 luaL_tolstring(L, -1, nullptr)));
    } else {
      fail(L, e, lua_pushfstring(L, "a table with a %s as key; keys are strings, or 1, 2, …",
                                 luaL_typename(L, -1)));
    }
  }
  if (names && items) {
    fail(L, e, lua_pushfstring(
                   L, "a table with both list items and named fields ('%s'); use two tables", name));
  }
  if (names && array) {
    fail(L, e, lua_pushfstring(L, "an array with a named field ('%s')", name));
  }
  if (items && object) fail(L, e, "an object with list items");
  if (items && !array && items != highest) {
    fail(L, e, lua_pushfstring(
                   L, "a list with holes (%I values up to index %I); fill them with json.null, or "
                      "use strings as keys", (LUAI_UACINT)items, (LUAI_UACINT)highest));
  }
  if (array && highest / 10 > items + 100) {
    fail(L, e, lua_pushfstring(L, "an array of %I values up to index %I: too many holes",
                               (LUAI_UACINT)items, (LUAI_UACINT)highest));
  }
  return {items || array ? kind::array : kind::object, highest, names};
}

void add_array(lua_State *L, encoder *e, lua_Integer length) {
  add_char(L, e, '[');
  int here = e->depth - 1;
  e->path[here].name = nullptr;
  for (lua_Integer i = 1; i <= length; i++) {
    if (i > 1) add_char(L, e, ',');
    new_line(L, e);
    e->path[here].index = i;
    lua_rawgeti(L, -1, i);
    add_value(L, e);
    lua_pop(L, 1);
  }
  e->depth--;
  if (length) new_line(L, e);
  add_char(L, e, ']');
}

void add_object(lua_State *L, encoder *e, size_t names) {
  add_char(L, e, '{');
  int here = e->depth - 1;
  size_t first = e->key_count;
  if (e->key_space - first < names) {
    size_t space = std::max(e->key_space * 2, first + names);
    grow(L, e->keys, space);
    e->key_space = space;
  }
  // A table of our own holds the keys, so that their bytes stay where they are: a finalizer may
  // empty the other one. From here to the values nothing allocates, and so no finalizer runs.
  int table = lua_gettop(L);
  lua_createtable(L, (int)std::min(names, (size_t)INT_MAX), 0);
  lua_pushnil(L);
  while (e->key_count - first < names && lua_next(L, table)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    key *k = &e->keys[e->key_count++];
    k->start = lua_tolstring(L, -1, &k->size);
    k->place = (lua_Integer)(e->key_count - first);
    lua_pushvalue(L, -1);
    lua_rawseti(L, table + 1, k->place);
  }
  lua_settop(L, table + 1);
  std::sort(e->keys + first, e->keys + e->key_count, before);
  size_t end = e->key_count;
  for (size_t i = first; i < end; i++) {
    key k = e->keys[i];
    if (i > first) add_char(L, e, ',');
    new_line(L, e);
    e->path[here].name = k.start;
    add_string(L, e, k.start, k.size);
    add_char(L, e, ':');
    if (e->indent >= 0) add_char(L, e, ' ');
    lua_rawgeti(L, table + 1, k.place);
    lua_rawget(L, table);
    add_value(L, e);
    lua_pop(L, 1);
  }
  lua_settop(L, table);
  e->key_count = first;
  e->depth--;
  if (names) new_line(L, e);
  add_char(L, e, '}');
}

void add_plain_table(lua_State *L, encoder *e) {
  const void *table = lua_topointer(L, -1);
  for (int i = 0; i < e->depth; i++) {
    if (e->path[i].table == table) fail(L, e, "a table that contains itself");
  }
  if (e->depth >= JSON_DEPTH) fail(L, e, "tables nested deeper than 1024 levels");
  luaL_checkstack(L, 8, "JSON nested too deeply");
  shape s = classify(L, e);
  if (e->depth == e->path_space) {
    int space = e->path_space ? e->path_space * 2 : 8;
    grow(L, e->path, (size_t)space);
    e->path_space = space;
  }
  e->path[e->depth++].table = table;
  if (s.what == kind::array) {
    add_array(L, e, s.length);
  } else {
    add_object(L, e, s.names);
  }
}

// A table may stand for another value: its metatable's `__jsonvalue(table)`, asked once.
void add_table(lua_State *L, encoder *e) {
  luaL_checkstack(L, 8, "JSON nested too deeply");
  if (luaL_getmetafield(L, -1, "__jsonvalue") == LUA_TNIL) return add_plain_table(L, e);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) == LUA_TTABLE) {
    add_plain_table(L, e);
  } else {
    add_value(L, e);
  }
  lua_pop(L, 1);
}

void add_value(lua_State *L, encoder *e) {
  switch (lua_type(L, -1)) {
    case LUA_TNIL: add(L, e, "null", 4); return;
    case LUA_TBOOLEAN:
      if (lua_toboolean(L, -1)) {
        add(L, e, "true", 4);
      } else {
        add(L, e, "false", 5);
      }
      return;
    case LUA_TNUMBER: add_number(L, e, -1); return;
    case LUA_TSTRING: {
      size_t size;
      const char *text = lua_tolstring(L, -1, &size);
      add_string(L, e, text, size);
      return;
    }
    case LUA_TTABLE: add_table(L, e); return;
    case LUA_TLIGHTUSERDATA:
      // lua-cjson's null.
      if (!lua_touserdata(L, -1)) {
        add(L, e, "null", 4);
        return;
      }
      break;
    case LUA_TUSERDATA: {
      lua_rawgeti(L, LUA_REGISTRYINDEX, e->rt->null_value);
      bool null = lua_rawequal(L, -1, -2);
      lua_pop(L, 1);
      if (null) {
        add(L, e, "null", 4);
        return;
      }
      break;
    }
    default: break;
  }
  fail(L, e, lua_pushfstring(L, "a %s", luaL_typename(L, -1)));
}

int encode(lua_State *L) {
  encoder *e = (encoder *)lua_touserdata(L, 1);
  lua_settop(L, 2);
  add_value(L, e);
  lua_pushlstring(L, e->text, e->size);
  return 1;
}

constexpr size_t kept_space = 1 << 20;

void free_encoder(encoder *e) {
  std::free(e->text);
  std::free(e->keys);
  std::free(e->path);
  *e = encoder();
}

int check_indent(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return -1;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING && !std::strcmp(lua_tostring(L, -1), "indent")) continue;
    luaL_argerror(
        L, index, lua_pushfstring(L, "unknown option '%s' (did you mean 'indent'?)",
                                  luaL_tolstring(L, -1, nullptr)));
  }
  if (lua_getfield(L, index, "indent") == LUA_TNIL) return -1;
  int exact;
  lua_Integer indent = lua_tointegerx(L, -1, &exact);
  luaL_argcheck(
      L, exact && indent >= 0 && indent <= 16, index, "indent must be an integer from 0 to 16");
  return (int)indent;
}

// Encodes the value at 1; the text, or an error, is pushed.
int run(lua_State *L, encoder *e, lrt_runtime *rt, int indent, bool *busy) {
  e->size = e->key_count = 0;
  e->depth = 0;
  e->indent = indent;
  e->rt = rt;
  lua_pushlightuserdata(L, e);
  lua_pushvalue(L, 1);
  return json_protected(L, busy, encode, 2);
}

}  // namespace

extern "C" int lrt_json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  int indent = check_indent(L, 2);
  lua_settop(L, 1);
  lrt_runtime *rt = lrt_of(L);
  if (rt->encoding) {
    encoder own = encoder();
    bool unused;
    int status = run(L, &own, rt, indent, &unused);
    free_encoder(&own);
    return status == LUA_OK ? 1 : lua_error(L);
  }
  if (!rt->encoder) rt->encoder = std::calloc(1, sizeof(encoder));
  encoder *e = (encoder *)rt->encoder;
  if (!e) return luaL_error(L, "not enough memory");
  int status = run(L, e, rt, indent, &rt->encoding);
  if (e->space > kept_space) free_encoder(e);
  return status == LUA_OK ? 1 : lua_error(L);
}

extern "C" void lrt_close_encoder(lrt_runtime *rt) {
  if (rt->encoder) free_encoder((encoder *)rt->encoder);
  std::free(rt->encoder);
}
