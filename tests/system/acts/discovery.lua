-- Looking around, in the container and in the network behind it.

---@type system.Acts
return {
  hosts = "10.96.0.1 kubernetes.default.svc\n",
  prepare = "tool nmap tcpdump",
  { "container_probing", "cat /proc/1/cgroup; ls /.dockerenv; cat /proc/self/mountinfo; cat /proc/1/status", says = "/status" },
  { "discovery_burst", "whoami; id; uname -a; hostname; ps aux", says = "asked ps aux and more" },
  { "host_scan", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do nc -z -w 1 10.1.0.$i 22; done", says = "10.1.0.20:22" },
  { "kubernetes_api", "curl -s http://kubernetes.default.svc:8080/api/v1/namespaces", says = "/api/v1/namespaces" },
  { "network_recon_tool", "nmap -p 22 10.1.0.1", says = "ran nmap -p 22 10.1.0.1" },
  { "network_recon_tool", "tcpdump -i eth0", how = "by listening", says = "ran tcpdump" },
  { "port_scan", "nc -z -w 1 10.1.0.1 1-25", says = "10.1.0.1:20" },
  { "task_metadata", "curl -s http://169.254.170.2/v4/x/task", says = "169.254.170.2/v4/x/task" },
}
