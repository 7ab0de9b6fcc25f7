#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call:
// one function here for each type of argument.
CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode ccurl_set_function(CURL *easy, CURLoption option, curl_write_callback value);
CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

// The result of the one transfer of `multi` if it is complete; -1 while it is not. (The message of
// libcurl is a union, whose members Swift reads only as unsafe.)
int ccurl_result(CURLM *multi);

#endif
