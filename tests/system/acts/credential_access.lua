-- Keys and passwords.

---@type system.Acts
return {
  prepare = [[
mkdir -p /root/.aws /root/.kube /root/.ssh /srv/app /home/a/.ssh
echo '[default]' >/root/.aws/credentials
echo 'clusters: []' >/root/.kube/config
echo key >/root/.ssh/id_rsa
echo key >/home/a/.ssh/id_ed25519
echo aws_secret_access_key=x >/srv/app/env
# As the kubelet mounts it: names that lead to a folder with a date.
token=/run/secrets/kubernetes.io/serviceaccount
mkdir -p $token/..2026_01_01
echo token >$token/..2026_01_01/token
ln -s ..2026_01_01 $token/..data
ln -s ..data/token $token/token
]],
  { "cred_harvest_burst", "cat /root/.aws/credentials /root/.ssh/id_rsa /etc/shadow", says = "the last: /etc/shadow", also = {
    read_cloud_creds = "the first of them", read_ssh_keys = "the second", read_shadow = "the third" } },
  { "imds", "curl -s http://169.254.169.254/latest/meta-data/iam/security-credentials/", says = "asks 169.254.169.254" },
  { "imds", [[/usr/bin/python3 -c 'import urllib.request; urllib.request.urlopen("http://169.254.169.254/latest/api/token")']],
    how = "by an interpreter", says = "asks 169.254.169.254" },
  { "read_cloud_creds", "cat /root/.kube/config", says = "cat opened /root/.kube/config" },
  { "read_environ", "cat /proc/1/environ", says = "cat /proc/1/environ" },
  { "read_environ", "while read -r line; do :; done </proc/1/environ", how = "by a shell", says = "reads an environment" },
  { "read_shadow", "cat /etc/shadow", says = "cat /etc/shadow opened /etc/shadow" },
  { "read_ssh_keys", "cp /home/a/.ssh/id_ed25519 /srv/key", says = "opened /home/a/.ssh/id_ed25519" },
  { "sa_token_read", "cat /var/run/secrets/kubernetes.io/serviceaccount/token", says = "cat /var/run/secrets/", also = {
    read_cloud_creds = "it is a mounted secret, and cat a general tool" } },
  { "search_secrets", "grep -r aws_secret_access_key /srv", says = "aws_secret_access_key" },
  { "search_secrets", "find / -xdev -name id_rsa", how = "by name", says = "find / -xdev -name id_rsa" },
  { "task_credentials", "curl -s http://169.254.170.2/v2/credentials/00000000-0000", says = "asks 169.254.170.2" },
}
