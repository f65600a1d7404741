#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed text with a cursor on it. One thread at a time.
typedef struct cjson_document cjson_document;

typedef enum cjson_status {
  CJSON_OK = 0,
  CJSON_MEMORY,
  CJSON_DEPTH,
  CJSON_UTF8,
  CJSON_SYNTAX,
} cjson_status;

typedef enum cjson_kind {
  CJSON_END = 0,
  CJSON_NULL,
  CJSON_FALSE,
  CJSON_TRUE,
  /// `integer` holds the value.
  CJSON_INTEGER,
  /// `real` holds the value; integers of 64 bits without sign arrive here too.
  CJSON_REAL,
  /// `text` and `length`; a member's key is a string before its value.
  CJSON_STRING,
  /// `length` is the number of elements or members, at most 0xffffff.
  CJSON_ARRAY_BEGIN,
  CJSON_ARRAY_END,
  CJSON_OBJECT_BEGIN,
  CJSON_OBJECT_END,
} cjson_kind;

typedef struct cjson_token {
  cjson_kind kind;
  int64_t integer;
  double real;
  /// Not ended by a zero; lives as long as the document.
  const char *text;
  size_t length;
} cjson_token;

/// Parses a whole text, copying it. NULL with a status when it is no JSON of at most `max_depth`
/// nested arrays and objects. No C++ exception leaves this function.
cjson_document *cjson_parse(const uint8_t *bytes, size_t length, size_t max_depth,
                            cjson_status *status);

/// The next token; `CJSON_END` for ever after the last.
cjson_token cjson_next(cjson_document *document);

void cjson_free(cjson_document *document);

#ifdef __cplusplus
}
#endif
