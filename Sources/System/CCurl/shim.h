#pragma once
#include <curl/curl.h>
#include <pthread.h>
#include <time.h>

// glibc's own, shown by its headers with _GNU_SOURCE only. Declared here because libcurl's threads are
// what is waited for.
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until);

// Swift cannot call variadic functions; each of these fixes the type of the last argument.

static inline CURLcode curl_easy_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_easy_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_easy_set_address(CURL *easy, CURLU *address) {
  return curl_easy_setopt(easy, CURLOPT_CURLU, address);
}

// Bytes that end with a zero.
static inline struct curl_slist *curl_slist_append_line(struct curl_slist *list,
                                                        const unsigned char *line) {
  return curl_slist_append(list, (const char *)line);
}

static inline CURLcode curl_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_easy_set_transfer(
    CURL *easy, CURLoption option,
    size_t (*function)(char *bytes, size_t size, size_t count, void *context)) {
  return curl_easy_setopt(easy, option, function);
}

static inline CURLcode curl_easy_set_seek(CURL *easy, curl_seek_callback function) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}

static inline CURLcode curl_easy_set_prereq(CURL *easy, curl_prereq_callback function) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode curl_easy_set_opensocket(CURL *easy, curl_opensocket_callback function) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline CURLcode curl_easy_set_closesocket(CURL *easy, curl_closesocket_callback function) {
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
}

static inline CURLcode curl_easy_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode curl_easy_get_socket(CURL *easy, CURLINFO info, curl_socket_t *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode curl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode curl_multi_set_socket_function(
    CURLM *multi, curl_socket_callback function) {
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}

static inline CURLSHcode curl_share_set_long(CURLSH *share, CURLSHoption option, long value) {
  return curl_share_setopt(share, option, value);
}

// A union member that Swift would import as a computed property of unsafe type.
static inline CURLcode curl_message_result(const CURLMsg *message) {
  return message->data.result;
}

// unistd.h shows it under _GNU_SOURCE only, which a clang module cannot switch on for itself.
extern int pipe2(int *ends, int flags);
