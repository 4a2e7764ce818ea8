# Keeps the two hosts of a cluster, each with network, mounts, processes and a name of its own, for as long as stdin is
# open: that ends when the tests end, however they end. Then nothing stays behind, which is this script's to see to.
#   $1: folder that is removed at the end
#   $2: name of the control groups that are removed then, below each of the other arguments
# Prints the pids of the hosts, and "up" for each once its first process runs.
set -u
folder=$1 name=$2
shift 2
exec 3<&0

# With its first process everything in a namespace of processes ends; unshare ends after that. Until then the first
# process waits for whatever lost its parent, as an init does.
init='echo up; cat <&3 >/dev/null & wait'
host() {
  unshare --net --mount --uts --pid --fork --mount-proc sh -c "$init" &
}

host && node=$!
host && far=$!
echo "$node $far"
wait
for parent in "$@"; do
  [ ! -d "$parent/$name" ] || find "$parent/$name" -depth -type d -exec rmdir {} +
done
rm -rf --one-file-system "$folder"
