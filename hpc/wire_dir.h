#pragma once
/* wire_dir - the server's directory, in which the ranks could write. */

/* Remove everything below an open directory, never through a link and never into
 * another mount. Best effort: what cannot be removed stays. */
void wire_dir_empty(int dir_fd);
