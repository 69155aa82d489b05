#pragma once
/*
 * report - what a job did, for people and for programs. The only file of the
 * launcher, besides the command line, that chooses words for the terminal.
 */

#include <stddef.h>

#include "launcher/job.h"

/* The status line: "running 5, done 195, failed 0, waiting 0, 3 s". */
void report_status(const struct job *job, char *buf, size_t size);

/* The summary on stderr (unless --quiet) and the file of --report. */
void report_job(struct job *job, int status);

/* The report as JSON; the caller frees it. NULL: no memory. */
char *report_json(const struct job *job, int status);
