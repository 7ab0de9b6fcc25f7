#include "CJansson.h"

void cjansson_release(json_t *value) {
    json_decref(value);
}
