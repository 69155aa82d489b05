#include "spec/mount_options.h"

#include <stdlib.h>
#include <string.h>

#include <linux/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000       /* headers before 5.14 */
#endif

enum kind {
        SET, CLEAR,             /* an attribute of this mount */
        REC_SET, REC_CLEAR,     /* an attribute of this mount and those below it */
        SB_SET, SB_CLEAR,       /* a flag of the file system */
        PROPAGATION,
        BIND, RBIND,
        COPY_UP,
        COPY_LINK, NOFOLLOW,
        IDMAP,
        NOTHING,
        REFUSED,
};

enum { SOURCE, DESTINATION };

struct option {
        const char *word;
        enum kind kind;
        unsigned long flag;
};

/* Sorted by word. MOUNT_ATTR_RELATIME is 0: only its place in MOUNT_ATTR__ATIME says something. */
static const struct option options[] = {
        { "async", SB_CLEAR, MS_SYNCHRONOUS },
        { "atime", CLEAR, MOUNT_ATTR_NOATIME },
        { "bind", BIND, 0 },
        { "copy-symlink", COPY_LINK, 0 },
        { "defaults", NOTHING, 0 },
        { "dest-nofollow", NOFOLLOW, DESTINATION },
        { "dev", CLEAR, MOUNT_ATTR_NODEV },
        { "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
        { "dirsync", SB_SET, MS_DIRSYNC },
        { "exec", CLEAR, MOUNT_ATTR_NOEXEC },
        { "idmap", IDMAP, IDMAP_MOUNT },
        { "iversion", SB_SET, MS_I_VERSION },
        { "lazytime", SB_SET, MS_LAZYTIME },
        { "loud", SB_CLEAR, MS_SILENT },
        { "mand", SB_SET, MS_MANDLOCK },
        { "noatime", SET, MOUNT_ATTR_NOATIME },
        { "nodev", SET, MOUNT_ATTR_NODEV },
        { "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
        { "noexec", SET, MOUNT_ATTR_NOEXEC },
        { "noiversion", SB_CLEAR, MS_I_VERSION },
        { "nolazytime", SB_CLEAR, MS_LAZYTIME },
        { "nomand", SB_CLEAR, MS_MANDLOCK },
        { "norelatime", CLEAR, MOUNT_ATTR_RELATIME },
        { "nostrictatime", CLEAR, MOUNT_ATTR_STRICTATIME },
        { "nosuid", SET, MOUNT_ATTR_NOSUID },
        { "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "private", PROPAGATION, MS_PRIVATE },
        { "ratime", REC_CLEAR, MOUNT_ATTR_NOATIME },
        { "rbind", RBIND, 0 },
        { "rdev", REC_CLEAR, MOUNT_ATTR_NODEV },
        { "rdiratime", REC_CLEAR, MOUNT_ATTR_NODIRATIME },
        { "relatime", SET, MOUNT_ATTR_RELATIME },
        { "remount", REFUSED, 0 },
        { "rexec", REC_CLEAR, MOUNT_ATTR_NOEXEC },
        { "ridmap", IDMAP, IDMAP_RECURSIVE },
        { "rnoatime", REC_SET, MOUNT_ATTR_NOATIME },
        { "rnodev", REC_SET, MOUNT_ATTR_NODEV },
        { "rnodiratime", REC_SET, MOUNT_ATTR_NODIRATIME },
        { "rnoexec", REC_SET, MOUNT_ATTR_NOEXEC },
        { "rnorelatime", REC_CLEAR, MOUNT_ATTR_RELATIME },
        { "rnostrictatime", REC_CLEAR, MOUNT_ATTR_STRICTATIME },
        { "rnosuid", REC_SET, MOUNT_ATTR_NOSUID },
        { "rnosymfollow", REC_SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "ro", SET, MOUNT_ATTR_RDONLY },
        { "rprivate", PROPAGATION, MS_PRIVATE | MS_REC },
        { "rrelatime", REC_SET, MOUNT_ATTR_RELATIME },
        { "rro", REC_SET, MOUNT_ATTR_RDONLY },
        { "rrw", REC_CLEAR, MOUNT_ATTR_RDONLY },
        { "rshared", PROPAGATION, MS_SHARED | MS_REC },
        { "rslave", PROPAGATION, MS_SLAVE | MS_REC },
        { "rstrictatime", REC_SET, MOUNT_ATTR_STRICTATIME },
        { "rsuid", REC_CLEAR, MOUNT_ATTR_NOSUID },
        { "rsymfollow", REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC },
        { "rw", CLEAR, MOUNT_ATTR_RDONLY },
        { "shared", PROPAGATION, MS_SHARED },
        { "silent", SB_SET, MS_SILENT },
        { "slave", PROPAGATION, MS_SLAVE },
        { "src-nofollow", NOFOLLOW, SOURCE },
        { "strictatime", SET, MOUNT_ATTR_STRICTATIME },
        { "suid", CLEAR, MOUNT_ATTR_NOSUID },
        { "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "sync", SB_SET, MS_SYNCHRONOUS },
        { "tmpcopyup", COPY_UP, 0 },
        { "unbindable", PROPAGATION, MS_UNBINDABLE },
};
#define OPTIONS (sizeof(options) / sizeof(*options))

static int compare(const void *word, const void *option)
{
        return strcmp(word, ((const struct option *) option)->word);
}

static bool is_atime(unsigned long flag)
{
        return flag == (flag & MOUNT_ATTR__ATIME);
}

/*
 * The access time setting is a number inside the flags, not a set of bits:
 * mount_setattr(2) demands that whoever touches it clears all of it first. So
 * each of its words stands for the whole field.
 */
static void set_attr(uint64_t *set, uint64_t *clear, unsigned long flag)
{
        if (is_atime(flag)) {
                *set &= ~(uint64_t) MOUNT_ATTR__ATIME;
                *clear |= MOUNT_ATTR__ATIME;
        } else {
                *clear &= ~(uint64_t) flag;
        }
        *set |= flag;
}

/* A negative word of the access time takes back what was set before, and says nothing else: mount(8) does the same. */
static void clear_attr(uint64_t *set, uint64_t *clear, unsigned long flag)
{
        if (!is_atime(flag)) {
                *set &= ~(uint64_t) flag;
                *clear |= flag;
        } else if ((*set & MOUNT_ATTR__ATIME) == flag) {
                *set &= ~(uint64_t) MOUNT_ATTR__ATIME;
                *clear &= ~(uint64_t) MOUNT_ATTR__ATIME;
        }
}

/* Recursively, it returns to the kernel's default (relatime); "rnorelatime" asks for no other setting. */
static void clear_rec_attr(uint64_t *set, uint64_t *clear, unsigned long flag)
{
        clear_attr(set, clear, flag);
        if (is_atime(flag) && flag != MOUNT_ATTR_RELATIME)
                *clear |= MOUNT_ATTR__ATIME;
}

enum mount_word mount_option_apply(struct spec_mount *m, const char *word)
{
        const struct option *o = bsearch(word, options, OPTIONS, sizeof(*options), compare);
        if (!o)
                return MOUNT_WORD_DATA;
        switch (o->kind) {
        case SET:
                set_attr(&m->attr_set, &m->attr_clear, o->flag);
                m->attr_named = true;
                break;
        case CLEAR:
                clear_attr(&m->attr_set, &m->attr_clear, o->flag);
                m->attr_named = true;
                break;
        case REC_SET:
                set_attr(&m->rec_set, &m->rec_clear, o->flag);
                break;
        case REC_CLEAR:
                clear_rec_attr(&m->rec_set, &m->rec_clear, o->flag);
                break;
        case SB_SET:
                m->sb_flags |= o->flag;
                break;
        case SB_CLEAR:
                m->sb_flags &= ~o->flag;
                break;
        case PROPAGATION:
                m->propagation = o->flag;
                break;
        case RBIND:
                m->rbind = true;
                m->bind = true;
                break;
        case BIND:
                m->bind = true;
                break;
        case IDMAP:
                m->idmap = (enum spec_idmap) o->flag;
                break;
        case COPY_UP:
                m->copy_up = true;
                break;
        case COPY_LINK:
                m->copy_symlink = true;
                break;
        case NOFOLLOW:
                *(o->flag == SOURCE ? &m->source_nofollow : &m->destination_nofollow) = true;
                break;
        case NOTHING:
                break;
        case REFUSED:
                return MOUNT_WORD_REFUSED;
        }
        return MOUNT_WORD_KNOWN;
}

const char *mount_option_word(size_t n)
{
        for (size_t i = 0; i < OPTIONS; i++)
                if (options[i].kind != REFUSED && n-- == 0)
                        return options[i].word;
        return NULL;
}
