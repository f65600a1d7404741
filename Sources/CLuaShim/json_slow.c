// A plain JSON parser (RFC 8259) for what simdjson refuses: it takes integers of any size, and
// says where and why a text is wrong.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

typedef struct parser {
  lua_State *L;
  const char *start, *at, *end;
  json_types types;
  int depth;
} parser;

static int fail_at(parser *p, const char *where, const char *what) {
  int line = 1;
  const char *line_start = p->start;
  for (const char *c = p->start; c < where; c++) {
    if (*c == '\n') {
      line++;
      line_start = c + 1;
    }
  }
  // Level 0 is the protected function of json_protected, 1 the one that Lua called.
  luaL_where(p->L, 2);
  lua_pushfstring(
      p->L, "invalid JSON at line %d, column %d: %s", line, (int)(where - line_start) + 1, what);
  lua_concat(p->L, 2);
  return lua_error(p->L);
}

static int fail(parser *p, const char *what) {
  if (p->at >= p->end) return fail_at(p, p->end, "the text ends too early");
  return fail_at(p, p->at, what);
}

static void skip_space(parser *p) {
  while (p->at < p->end &&
         (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) {
    p->at++;
  }
}

static bool take(parser *p, char c) {
  if (p->at >= p->end || *p->at != c) return false;
  p->at++;
  return true;
}

static bool is_digit(const parser *p) { return p->at < p->end && *p->at >= '0' && *p->at <= '9'; }

static void push_number(parser *p) {
  const char *start = p->at;
  bool whole = true;
  take(p, '-');
  if (!is_digit(p)) fail(p, "a digit expected");
  if (take(p, '0')) {
    if (is_digit(p)) fail(p, "a number must not begin with 0");
  } else {
    while (is_digit(p)) p->at++;
  }
  if (take(p, '.')) {
    whole = false;
    if (!is_digit(p)) fail(p, "a digit expected");
    while (is_digit(p)) p->at++;
  }
  if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
    whole = false;
    p->at++;
    if (!take(p, '+')) take(p, '-');
    if (!is_digit(p)) fail(p, "a digit expected");
    while (is_digit(p)) p->at++;
  }
  // A copy with an end mark, on the Lua stack.
  const char *digits = lua_pushlstring(p->L, start, (size_t)(p->at - start));
  if (whole) {
    errno = 0;
    long long value = strtoll(digits, NULL, 10);
    if (errno == 0) {
      lua_pop(p->L, 1);
      lua_pushinteger(p->L, value);
      return;
    }
  }
  double value = strtod(digits, NULL);
  if (isinf(value)) fail_at(p, start, "number too large");
  lua_pop(p->L, 1);
  lua_pushnumber(p->L, value);
}

static unsigned hex4(parser *p) {
  unsigned value = 0;
  for (int i = 0; i < 4; i++, p->at++) {
    char c = p->at < p->end ? *p->at : 0;
    if (c >= '0' && c <= '9') {
      value = value * 16 + (unsigned)(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      value = value * 16 + (unsigned)((c | 32) - 'a') + 10;
    } else {
      fail(p, "four hexadecimal digits expected after \\u");
    }
  }
  return value;
}

static void add_utf8(luaL_Buffer *buffer, unsigned code) {
  char bytes[4];
  size_t size;
  if (code < 0x80) {
    bytes[0] = (char)code;
    size = 1;
  } else if (code < 0x800) {
    bytes[0] = (char)(0xC0 | code >> 6);
    bytes[1] = (char)(0x80 | (code & 0x3F));
    size = 2;
  } else if (code < 0x10000) {
    bytes[0] = (char)(0xE0 | code >> 12);
    bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
    bytes[2] = (char)(0x80 | (code & 0x3F));
    size = 3;
  } else {
    bytes[0] = (char)(0xF0 | code >> 18);
    bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (code & 0x3F));
    size = 4;
  }
  luaL_addlstring(buffer, bytes, size);
}

static unsigned escaped_code(parser *p) {
  const char *start = p->at - 2;
  unsigned code = hex4(p);
  if (code >= 0xDC00 && code < 0xE000) fail_at(p, start, "half a surrogate pair");
  if (code < 0xD800 || code >= 0xE000) return code;
  if (!take(p, '\\') || !take(p, 'u')) fail_at(p, start, "half a surrogate pair");
  unsigned low = hex4(p);
  if (low < 0xDC00 || low >= 0xE000) fail_at(p, start, "half a surrogate pair");
  return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

// The length of the valid UTF-8 sequence here (Unicode 15, table 3-7); 0: there is none.
static size_t sequence(const parser *p) {
  const unsigned char *c = (const unsigned char *)p->at;
  size_t left = (size_t)(p->end - p->at);
  if (c[0] < 0x80) return 1;
  size_t size = c[0] >= 0xC2 && c[0] < 0xE0 ? 2 : c[0] >= 0xE0 && c[0] < 0xF0 ? 3
                : c[0] >= 0xF0 && c[0] < 0xF5 ? 4 : 0;
  if (!size || left < size) return 0;
  for (size_t i = 1; i < size; i++) {
    if ((c[i] & 0xC0) != 0x80) return 0;
  }
  if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) ||
      (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F)) {
    return 0;
  }
  return size;
}

static void push_string(parser *p) {
  const char *start = p->at;
  if (!take(p, '"')) fail(p, "a string expected");
  luaL_Buffer buffer;
  luaL_buffinit(p->L, &buffer);
  for (;;) {
    if (p->at >= p->end) fail_at(p, start, "a string without its closing quote");
    unsigned char c = (unsigned char)*p->at;
    if (c == '"') break;
    if (c < 0x20) fail(p, "a control character in a string must be escaped");
    if (c != '\\') {
      size_t size = sequence(p);
      if (!size) fail(p, "invalid UTF-8");
      luaL_addlstring(&buffer, p->at, size);
      p->at += size;
      continue;
    }
    p->at++;
    char escape = p->at < p->end ? *p->at : 0;
    p->at++;
    switch (escape) {
      case '"': case '\\': case '/': luaL_addchar(&buffer, escape); break;
      case 'b': luaL_addchar(&buffer, '\b'); break;
      case 'f': luaL_addchar(&buffer, '\f'); break;
      case 'n': luaL_addchar(&buffer, '\n'); break;
      case 'r': luaL_addchar(&buffer, '\r'); break;
      case 't': luaL_addchar(&buffer, '\t'); break;
      case 'u': add_utf8(&buffer, escaped_code(p)); break;
      default: p->at--; fail(p, "an unknown escape");
    }
  }
  p->at++;
  luaL_pushresult(&buffer);
}

static void push_value(parser *p, int metatable);

static void push_array(parser *p) {
  lua_State *L = p->L;
  bool top = p->depth == 1;
  lua_newtable(L);
  skip_space(p);
  if (!take(p, ']')) {
    for (lua_Integer i = 1;; i++) {
      push_value(p, top ? p->types.element : -1);
      if (top && p->types.element >= 0 && lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 0);  // as in json_decode.cpp
      }
      lua_rawseti(L, -2, i);
      skip_space(p);
      if (take(p, ']')) break;
      if (!take(p, ',')) fail(p, "',' or ']' expected");
    }
  }
  lua_rawgeti(
      L, LUA_REGISTRYINDEX, top && p->types.list >= 0 ? p->types.list : p->types.array);
  lua_setmetatable(L, -2);
}

static void push_object(parser *p, int metatable) {
  lua_State *L = p->L;
  lua_newtable(L);
  skip_space(p);
  if (!take(p, '}')) {
    for (;;) {
      skip_space(p);
      push_string(p);
      skip_space(p);
      if (!take(p, ':')) fail(p, "':' expected");
      push_value(p, -1);
      if (lua_isnil(L, -1)) {
        lua_pop(L, 2);
      } else {
        lua_rawset(L, -3);
      }
      skip_space(p);
      if (take(p, '}')) break;
      if (!take(p, ',')) fail(p, "',' or '}' expected");
    }
  }
  if (metatable >= 0) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
    lua_setmetatable(L, -2);
  }
}

static void expect_word(parser *p, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size)) fail(p, "a value expected");
  p->at += size;
}

static void push_value(parser *p, int metatable) {
  skip_space(p);
  if (p->at >= p->end) fail(p, "a value expected");
  luaL_checkstack(p->L, 10, "JSON nested too deeply");
  switch (*p->at) {
    case '{': case '[': {
      if (p->depth++ >= JSON_DEPTH) fail(p, "nested deeper than 1024 levels");
      if (*p->at++ == '{') {
        push_object(p, metatable);
      } else {
        push_array(p);
      }
      p->depth--;
      break;
    }
    case '"': push_string(p); break;
    case 't': expect_word(p, "true"); lua_pushboolean(p->L, 1); break;
    case 'f': expect_word(p, "false"); lua_pushboolean(p->L, 0); break;
    case 'n': expect_word(p, "null"); lua_pushnil(p->L); break;
    default:
      if (*p->at != '-' && !is_digit(p)) fail(p, "a value expected");
      push_number(p);
  }
}

void json_push_slowly(lua_State *L, const char *text, size_t size, json_types types) {
  parser p = {.L = L, .start = text, .at = text, .end = text + size, .types = types};
  push_value(&p, -1);
  skip_space(&p);
  if (p.at < p.end) fail(&p, "more text after the value");
}
