# shellcheck shell=bash disable=SC2034
# user.sh - an ordinary user, in our private mount namespace only: $USER_ID, with a range of ids from $USER_RANGE on,
# a home and a runtime directory.

USER_ID=61234 USER_RANGE=6100000
USER_NAME=berth-tester
: "${USER_CGROUP:=berth-user.$$}" # not $RUN_ID, which is what cases leave

user_world() {
  # another file of the same run may have made it
  grep -q "^$USER_NAME:" /etc/passwd || make_user_world
  ROOTS_DIRECTORY=$(roots_directory)
}

# root's default state directory, which is none of the user's business: when something was last made in it
roots_directory() { stat -c %y /run/berth 2>/dev/null || echo none; }

make_user_world() {
  local file
  mkdir -p "$WORK/etc"
  for file in passwd group subuid subgid; do cat "/etc/$file" >"$WORK/etc/$file" 2>/dev/null; done
  echo "$USER_NAME:x:$USER_ID:$USER_ID::/run/user/$USER_ID/home:/bin/sh" >>"$WORK/etc/passwd"
  echo "$USER_NAME:x:$USER_ID:" >>"$WORK/etc/group"
  echo "$USER_NAME:$USER_RANGE:65536" | tee -a "$WORK/etc/subuid" >>"$WORK/etc/subgid"
  for file in passwd group subuid subgid; do
    [[ -e /etc/$file ]] || touch "/etc/$file"
    mount --bind "$WORK/etc/$file" "/etc/$file"
  done
  mountpoint -q /run || mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/user
  install -d -m 700 -o $USER_ID -g $USER_ID /run/user/$USER_ID /run/user/$USER_ID/home
  awk '{ print "mount " $5 }' /proc/self/mountinfo | sort -u >"$WORK/mounts"
}

user_env() {
  echo HOME=/run/user/$USER_ID/home XDG_RUNTIME_DIR=/run/user/$USER_ID USER=$USER_NAME LOGNAME=$USER_NAME
}

hierarchies() { awk '$5 ~ "^/sys/fs/cgroup" && / - cgroup2? / { print $5 }' /proc/self/mountinfo; }

# Cgroups that are his, as a login session has it: NAME, and in it NAME/session, which he is in.
delegate() { # NAME
  local top file
  for top in $(hierarchies); do
    mkdir "$top/$1" "$top/$1/session"
    for file in {,session/}cpuset.{cpus,mems}; do
      [[ ! -e $top/tasks || ! -e $top/$1/$file ]] || cat "$top/${file##*/}" >"$top/$1/$file"
    done
    chown $USER_ID "$top/$1" "$top/$1/session"
    for file in cgroup.procs cgroup.threads cgroup.subtree_control tasks; do
      [[ ! -e $top/$1/$file ]] || chown $USER_ID "$top/$1/$file" "$top/$1/session/$file"
    done
  done
}
undelegate() { # NAME
  local top
  for top in $(hierarchies); do rmdir "$top/$1/session" "$top/$1"; done
}
# The same of a run that was interrupted: with whoever is still there.
abandon() { # NAME
  local top i
  for top in $(hierarchies); do
    for ((i = 0; i < 100; i++)); do
      [[ -d $top/$1 ]] || break
      # shellcheck disable=SC2046
      kill -KILL $(find "$top/$1" -name cgroup.procs -exec cat {} +) 2>/dev/null
      find "$top/$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep .05
    done
  done
}

become_user() { # NAME=VALUE... COMMAND...: instead of this shell
  # shellcheck disable=SC2046
  cd / && exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups --inh-caps=-all env $(user_env) "$@"
}
as_user() { (become_user "$@"); } # NAME=VALUE... COMMAND...
export USER_ID USER_NAME USER_RANGE USER_CGROUP # for shells of script(1)

# For CHECK_USER: $BERTH and runc as programs that become the user in cgroups of his own, whoever starts them.
user_programs() {
  local program tops
  export CHECK_PROGRAM=$BERTH
  delegate "$USER_CGROUP"
  tops=$(hierarchies | tr '\n' ' ')
  mkdir "$WORK/as-user"
  for program in "$BERTH" "$(command -v runc)"; do
    # before Linux 6.2 who comes into another cpuset forgets what he was bound to
    printf '%s\n' '#!/bin/sh' 'umask 022' "bound=\$(taskset -p \$\$)" \
      "for top in $tops; do echo 0 >\$top/$USER_CGROUP/session/cgroup.procs; done" \
      "taskset -p \"\${bound##* }\" \$\$ >/dev/null" \
      "exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups --inh-caps=-all env $(user_env) $program \"\$@\"" \
      >"$WORK/as-user/${program##*/}"
    chmod 755 "$WORK/as-user/${program##*/}"
  done
  chown $USER_ID "$ROOT"
  BERTH=$WORK/as-user/${BERTH##*/} PATH=$WORK/as-user:$PATH
}
