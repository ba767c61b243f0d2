-- What is done in the end.

---@type system.Acts
return {
  prepare = "tool xmrig mkfs.ext4; mkdir /srv/data; echo x >/srv/data/wiped; for i in $(seq 0 19); do echo x >/srv/data/$i.xls; done",
  { "crypto_miner", "xmrig -a rx", says = "started a miner: xmrig" },
  { "crypto_miner", "/usr/bin/python3 - -o stratum+tcp://203.0.113.9:3333 </dev/null", how = "by its pool", says = "stratum+tcp://" },
  { "data_wipe", "shred /srv/data/wiped", says = "ran shred /srv/data/wiped as root" },
  { "data_wipe", "mkfs.ext4 -F /dev/sdb", how = "of a disk", says = "mkfs.ext4 -F /dev/sdb" },
  { "mass_kill", "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 & kill=$!; /bin/kill -9 $kill; done", says = "/bin/kill -9" },
  { "ransom", [[cd /srv/data; /usr/bin/python3 -c '
import os
for i in range(20):
    with open("%d.db" % i, "wb") as f:
        f.write(b"encrypted")
    os.rename("%d.db" % i, "%d.db.locked" % i)
']], says = "19.db.locked" },
  { "ransom", "cd /srv/data; for file in *.xls; do base64 $file >$file.new; mv $file.new $file; mv $file $file.locked; done",
    how = "by a shell", says = "xls.locked" },
}
