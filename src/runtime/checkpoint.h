#pragma once
/*
 * checkpoint - write a running container to files, through criu, and bring it back.
 *
 *      struct checkpoint_options o = { .id = "box", .criu = { .image_path = "/tmp/images", ... }, .status_fd = -1 };
 *      container_checkpoint(root_fd, &o, &warning, &err);      // the container is gone, its images are there
 *      container_restore(root_fd, &r, &status, &warning, &err);
 *
 * Both need root on the host, and the program criu.
 */

#include "runtime/container.h"
#include "runtime/criu_options.h"

struct checkpoint_options {
        const char *id;
        const struct log *log;          /* NULL: nobody listens */
        struct criu_options criu;
        const char *parent_path;        /* images of a pre-dump, relative to the image path; NULL: none */
        const char *page_server;        /* address to send memory to; NULL: into the images */
        uint32_t page_server_port;
        int status_fd;                  /* is told, with a zero byte, when lazy pages can be asked for; -1: none */
        bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
};

/*
 * The container ends and is removed, as `delete` does, unless it is left running or
 * this was a pre-dump. On failure it goes on. `warning`: what went wrong when it was
 * removed, or a poststop hook; code 0 if nothing.
 */
int container_checkpoint(int root_fd, const struct checkpoint_options *opts, struct error *warning,
                         struct error *err) MUST_CHECK;

struct restore_options {
        struct container_options make;  /* id, bundle, pid_file, console_socket, no_pivot, detach */
        struct criu_options criu;
        const char *lsm_profile;        /* "apparmor:NAME", "selinux:LABEL"; NULL: as it was */
        const char *lsm_mount_context;
};

/* From images to a running container, under an id that is free. Otherwise like container_run(). */
int container_restore(int root_fd, const struct restore_options *opts, int *ret_status, struct error *warning,
                      struct error *err) MUST_CHECK;
