/*
 * callnr NUMBER... - make system calls by their numbers, with arguments that are of no use, and print what each fails
 * with, as numbers; 0 for one that does not. Static, for a rootfs without libraries.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        char line[256] = "";
        for (int i = 1; i < argc && strlen(line) < sizeof(line) - 8; i++) {
                errno = 0;
                int code = syscall(atol(argv[i]), -1, 0, 0, 0, 0, 0) < 0 ? errno : 0;
                char digits[] = { (char) ('0' + code / 100), (char) ('0' + code / 10 % 10), (char) ('0' + code % 10), 0 };
                const char *number = digits;
                while (number[0] == '0' && number[1])
                        number++;
                strcat(line, number);
                strcat(line, i + 1 < argc ? " " : "\n");
        }
        return write(1, line, strlen(line)) == (ssize_t) strlen(line) ? 0 : 1;
}
