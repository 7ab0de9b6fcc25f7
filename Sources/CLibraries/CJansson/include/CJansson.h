#ifndef CJANSSON_H
#define CJANSSON_H

#include <jansson.h>

// json_decref is a static function over atomic builtins; this one can be called.
void cjansson_release(json_t *value);

#endif
