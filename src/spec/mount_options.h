#pragma once
/*
 * mount_options - the option words of a mount and what they mean.
 *
 * The words are those of mount(8) and config.md ("Linux mount options"). What
 * is not among them belongs to the file system ("size=64k").
 */

#include <stddef.h>

#include "spec/spec.h"

enum mount_word {
        MOUNT_WORD_KNOWN,               /* applied to the mount */
        MOUNT_WORD_DATA,                /* for the file system: belongs into spec_mount.data */
        MOUNT_WORD_REFUSED,             /* known, not supported */
};

/* Apply one word. Of words that exclude each other the last wins, as with mount(8). */
enum mount_word mount_option_apply(struct spec_mount *mount, const char *word);

/* The n-th word that is supported, in alphabetical order; NULL behind the last. For `features`. */
const char *mount_option_word(size_t n);
