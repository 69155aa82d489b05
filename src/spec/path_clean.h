#pragma once
/*
 * path_clean - paths as texts; no system calls.
 */

#include "base/arena.h"

/*
 * The path below "/" that `path` spells, without ".", ".." and doubled slashes:
 * "a//b/../c/" is "/a/c", "../../x" is "/x", "" is "/". Only the text is looked
 * at, so a symlink in front of ".." is not seen. NULL: no memory.
 */
char *path_clean(struct arena *arena, const char *path);
