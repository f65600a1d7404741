#include "CJSON.h"

#include <cstring>
#include <new>
#include <simdjson.h>

// The cursor walks simdjson's tape (doc/tape.md of simdjson): one 64-bit word a value, its upper
// eight bits the type, the rest the payload; numbers take a second word.
struct cjson_document {
  simdjson::dom::parser parser;
  const uint64_t *tape = nullptr;
  const uint8_t *strings = nullptr;
  size_t at = 1;
  size_t end = 1;
};

namespace {

constexpr uint64_t payload_mask = 0x00ffffffffffffffULL;

cjson_status status_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::SUCCESS: return CJSON_OK;
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY: return CJSON_MEMORY;
    case simdjson::DEPTH_ERROR: return CJSON_DEPTH;
    case simdjson::UTF8_ERROR: return CJSON_UTF8;
    default: return CJSON_SYNTAX;
  }
}

}  // namespace

extern "C" cjson_document *cjson_parse(const uint8_t *bytes, size_t length, size_t max_depth,
                                       cjson_status *status) {
  cjson_document *document = new (std::nothrow) cjson_document;
  *status = CJSON_MEMORY;
  if (document == nullptr) return nullptr;
  try {
    // The document itself counts as a level.
    auto error = document->parser.allocate(length > 0 ? length : 1, max_depth + 1);
    if (!error) error = document->parser.parse(bytes, length).error();
    *status = status_of(error);
  } catch (...) {
    *status = CJSON_MEMORY;
  }
  if (*status != CJSON_OK) {
    delete document;
    return nullptr;
  }
  document->tape = document->parser.doc.tape.get();
  document->strings = document->parser.doc.string_buf.get();
  // Word 0 is the root; its payload is the index behind the closing root word.
  document->end = static_cast<size_t>(document->tape[0] & payload_mask) - 1;
  return document;
}

extern "C" cjson_token cjson_next(cjson_document *document) {
  cjson_token token = {};
  if (document->at >= document->end) return token;
  const uint64_t word = document->tape[document->at++];
  const uint64_t payload = word & payload_mask;
  switch (static_cast<char>(word >> 56)) {
    case 'n': token.kind = CJSON_NULL; break;
    case 'f': token.kind = CJSON_FALSE; break;
    case 't': token.kind = CJSON_TRUE; break;
    case 'l':
      token.kind = CJSON_INTEGER;
      std::memcpy(&token.integer, &document->tape[document->at++], sizeof token.integer);
      break;
    case 'u':
      token.kind = CJSON_REAL;
      token.real = static_cast<double>(document->tape[document->at++]);
      break;
    case 'd':
      token.kind = CJSON_REAL;
      std::memcpy(&token.real, &document->tape[document->at++], sizeof token.real);
      break;
    case '"': {
      uint32_t length = 0;
      std::memcpy(&length, document->strings + payload, sizeof length);
      token.kind = CJSON_STRING;
      token.text = reinterpret_cast<const char *>(document->strings + payload + sizeof length);
      token.length = length;
      break;
    }
    case '[':
    case '{':
      token.kind = static_cast<char>(word >> 56) == '[' ? CJSON_ARRAY_BEGIN : CJSON_OBJECT_BEGIN;
      token.length = static_cast<size_t>((payload >> 32) & 0xffffff);
      break;
    case ']': token.kind = CJSON_ARRAY_END; break;
    case '}': token.kind = CJSON_OBJECT_END; break;
    default: break;
  }
  return token;
}

extern "C" void cjson_free(cjson_document *document) { delete document; }
