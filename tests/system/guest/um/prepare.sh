#!/bin/bash
# Builds (once; a few minutes) what run.sh starts: a user-mode Linux kernel from Debian's source, with
# the vivid test camera and Debian's v4l2loopback as modules. Result: $VMDIR/linux and $VMDIR/lib/modules.
# Needs: apt-get install --no-install-recommends gcc make flex bison bc patch xz-utils kmod
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
D=${VMDIR:-$here/cache}; S=6.12
# Beside the folder, which is made anew; held until this script and all that it starts have ended.
mkdir -p "$(dirname "$D")"; exec 9> "$D.lock"
flock -w 2 9 || { echo "$D is being prepared by another prepare.sh: wait until it has ended, or set VMDIR to another folder" >&2; exit 1; }
[ -e "$D/ready" ] && cmp -s "$here/kernel.config" "$D/ready" && { echo "already prepared in $D"; exit 0; }
rm -rf "$D"; mkdir -p "$D/w"; cd "$D/w"
apt-get download -qq "linux-source-$S" v4l2loopback-dkms 2> /dev/null
for f in *.deb; do dpkg -x "$f" .; done; rm ./*.deb
# leave out most of what a user-mode kernel cannot use (1.4 GB to 0.5 GB)
tar xJf "usr/src/linux-source-$S.tar.xz" --wildcards --exclude='*/Documentation/*/*' --exclude='*/drivers/gpu/*.[ch]' \
  --exclude='*/drivers/net/*/*.[ch]' --exclude='*/sound/*.[ch]' --exclude='*/arch/[!ux]*/*.[chS]' --exclude='*/tools/testing/*' --exclude='*.dts*'
rm -r usr/src/linux-source-*
cd "linux-source-$S"
patch -p1 -s < "$here/xstate.patch"
mk() { make -s ARCH=um O="$D/w/b" "$@"; }
mkdir ../b
mk KCONFIG_ALLCONFIG="$here/kernel.config" allnoconfig > /dev/null
while read -r l; do case $l in CONFIG_*) grep -qxF "$l" ../b/.config || { echo "kernel.config: not taken: $l"; exit 1; };; esac; done < "$here/kernel.config"
mk -j"${JOBS:-$(nproc)}" KCFLAGS=-w linux modules
M=$(echo "$D"/w/usr/src/v4l2loopback-*)
mk M="$M" KCFLAGS=-Dstrlcpy=strscpy modules     # strlcpy went away in Linux 6.8
mk INSTALL_MOD_PATH="$D" INSTALL_MOD_STRIP=1 modules_install
mk M="$M" INSTALL_MOD_PATH="$D" INSTALL_MOD_STRIP=1 modules_install
strip -o "$D/linux" ../b/linux
cd "$D"; rm -rf w; rm -f lib/modules/*/build
cp "$here/kernel.config" ready; du -sh "$D"
