# A local network of one machine, in the namespaces of whoever starts this, and avahi-daemon in it with its services in
# FOLDER. `lan.sh FOLDER COMMAND...` then becomes the command. The machine's network and files are not touched.
set -eu
folder=$1
shift
ip link set lo up
if ! ip link add lan0 type dummy 2>/dev/null; then
    ip link add lan0 type veth peer name lan1
    ip link set lan1 up
fi
ip address add 192.0.2.7/24 dev lan0
ip link set lan0 up multicast on
ip route add 224.0.0.0/4 dev lan0
mount --bind "$folder" /etc/avahi/services
mount -t tmpfs none /run
# avahi-daemon wants an account of its own, which a user namespace may not have
printf '%s\n' root:x:0:0::/:/bin/sh avahi:x:0:0::/:/bin/sh >/run/passwd
printf '%s\n' root:x:0: avahi:x:0: >/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
printf '%s\n' '[server]' host-name=car1 enable-dbus=no allow-interfaces=lan0 >/run/avahi.conf
avahi-daemon --file /run/avahi.conf --no-drop-root --no-chroot --no-rlimits >&2 &
exec "$@"
