#pragma once
/*
 * copy - a directory's contents, into another one, by descriptors.
 *
 * For tmpcopyup: a tmpfs begins with what the image has in its place. Files,
 * directories, links, devices, their owners, modes and times; a file with two
 * names becomes two files. Extended attributes are not copied.
 */

#include <stdbool.h>

/* Both are directories open for reading. `depth`: 0. -ELOOP if the tree is too deep for our stack. */
int copy_tree(int from_dir, int to_dir, unsigned depth);
