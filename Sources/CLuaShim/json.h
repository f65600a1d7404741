// What the JSON files share. Every C++ local that is alive while Lua may raise is trivially
// destructible: what owns memory belongs to the runtime, which frees it.
#pragma once

#include "internal.h"

// Levels of arrays and objects in each other, both ways; what simdjson allows by default.
enum { JSON_DEPTH = 1024 };

#ifdef __cplusplus
extern "C" {
#endif

typedef struct json_types {
  int array;           // registry reference: metatable of arrays
  int element;         // metatable of the objects in a top-level array, or -1
  int list;            // metatable of a top-level array instead of `array`, or -1
} json_types;

// Pushes the value of a text by a plain recursive parser, or raises an error with its position. It
// judges what simdjson refuses: integers beyond 64 bits, and all errors.
void json_push_slowly(lua_State *L, const char *text, size_t size, json_types types);

// Runs `function` protected for one result, `*busy` set meanwhile: a finalizer that uses JSON in
// the middle of our work must not use the same parser or buffer.
int json_protected(lua_State *L, bool *busy, lua_CFunction function, int arguments);

#ifdef __cplusplus
}
#endif
