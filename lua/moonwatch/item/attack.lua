--- Names of MITRE ATT&CK's tactics and techniques, for formats that give them with the ids: those that detections of containers
--- name.  A technique that is not here has its id alone.
---
--- © The MITRE Corporation; reproduced and distributed with its permission: https://attack.mitre.org/resources/legal-and-branding/

---@class moonwatch.item.attack
local M = {}

--- Of what ids are given in: a rule may name techniques of several versions.
M.version = "19.1"

---@type table<string, { id: string, name: string }>
M.tactics = {
  initial_access = { id = "TA0001", name = "Initial Access" },
  execution = { id = "TA0002", name = "Execution" },
  persistence = { id = "TA0003", name = "Persistence" },
  privilege_escalation = { id = "TA0004", name = "Privilege Escalation" },
  defense_evasion = { id = "TA0005", name = "Defense Evasion" },
  credential_access = { id = "TA0006", name = "Credential Access" },
  discovery = { id = "TA0007", name = "Discovery" },
  lateral_movement = { id = "TA0008", name = "Lateral Movement" },
  collection = { id = "TA0009", name = "Collection" },
  exfiltration = { id = "TA0010", name = "Exfiltration" },
  command_and_control = { id = "TA0011", name = "Command and Control" },
  impact = { id = "TA0040", name = "Impact" },
}

-- Name, and the tactic it mostly serves here.
local techniques = {
  T1003 = { "OS Credential Dumping", "credential_access" },
  ["T1003.007"] = { "Proc Filesystem", "credential_access" },
  ["T1003.008"] = { "/etc/passwd and /etc/shadow", "credential_access" },
  T1014 = { "Rootkit", "defense_evasion" },
  ["T1021.004"] = { "SSH", "lateral_movement" },
  T1027 = { "Obfuscated Files or Information", "defense_evasion" },
  ["T1027.004"] = { "Compile After Delivery", "defense_evasion" },
  T1033 = { "System Owner/User Discovery", "discovery" },
  T1036 = { "Masquerading", "defense_evasion" },
  ["T1036.004"] = { "Masquerade Task or Service", "defense_evasion" },
  ["T1036.005"] = { "Match Legitimate Resource Name or Location", "defense_evasion" },
  ["T1036.006"] = { "Space after Filename", "defense_evasion" },
  ["T1036.007"] = { "Double File Extension", "defense_evasion" },
  ["T1037.004"] = { "RC Scripts", "persistence" },
  T1040 = { "Network Sniffing", "discovery" },
  T1041 = { "Exfiltration Over C2 Channel", "exfiltration" },
  T1046 = { "Network Service Discovery", "discovery" },
  T1048 = { "Exfiltration Over Alternative Protocol", "exfiltration" },
  T1053 = { "Scheduled Task/Job", "persistence" },
  ["T1053.002"] = { "At", "persistence" },
  ["T1053.003"] = { "Cron", "persistence" },
  T1055 = { "Process Injection", "privilege_escalation" },
  ["T1055.008"] = { "Ptrace System Calls", "privilege_escalation" },
  ["T1055.009"] = { "Proc Memory", "privilege_escalation" },
  T1059 = { "Command and Scripting Interpreter", "execution" },
  ["T1059.004"] = { "Unix Shell", "execution" },
  ["T1059.006"] = { "Python", "execution" },
  T1068 = { "Exploitation for Privilege Escalation", "privilege_escalation" },
  T1070 = { "Indicator Removal", "defense_evasion" },
  ["T1070.002"] = { "Clear Linux or Mac System Logs", "defense_evasion" },
  ["T1070.003"] = { "Clear Command History", "defense_evasion" },
  ["T1070.004"] = { "File Deletion", "defense_evasion" },
  ["T1070.006"] = { "Timestomp", "defense_evasion" },
  T1071 = { "Application Layer Protocol", "command_and_control" },
  T1072 = { "Software Deployment Tools", "execution" },
  T1082 = { "System Information Discovery", "discovery" },
  T1083 = { "File and Directory Discovery", "discovery" },
  ["T1087.001"] = { "Local Account", "discovery" },
  T1090 = { "Proxy", "command_and_control" },
  T1095 = { "Non-Application Layer Protocol", "command_and_control" },
  T1098 = { "Account Manipulation", "persistence" },
  ["T1098.004"] = { "SSH Authorized Keys", "persistence" },
  T1102 = { "Web Service", "command_and_control" },
  T1105 = { "Ingress Tool Transfer", "command_and_control" },
  T1136 = { "Create Account", "persistence" },
  ["T1136.001"] = { "Local Account", "persistence" },
  T1140 = { "Deobfuscate/Decode Files or Information", "defense_evasion" },
  T1190 = { "Exploit Public-Facing Application", "initial_access" },
  ["T1195.002"] = { "Compromise Software Supply Chain", "initial_access" },
  T1204 = { "User Execution", "execution" },
  ["T1204.002"] = { "Malicious File", "execution" },
  T1205 = { "Traffic Signaling", "command_and_control" },
  T1485 = { "Data Destruction", "impact" },
  T1486 = { "Data Encrypted for Impact", "impact" },
  T1489 = { "Service Stop", "impact" },
  T1496 = { "Resource Hijacking", "impact" },
  ["T1497.001"] = { "System Checks", "discovery" },
  ["T1505.003"] = { "Web Shell", "persistence" },
  T1528 = { "Steal Application Access Token", "credential_access" },
  T1543 = { "Create or Modify System Process", "persistence" },
  ["T1543.002"] = { "Systemd Service", "persistence" },
  ["T1546.004"] = { "Unix Shell Configuration Modification", "persistence" },
  ["T1546.018"] = { "Python Startup Hooks", "persistence" },
  ["T1547.006"] = { "Kernel Modules and Extensions", "persistence" },
  T1548 = { "Abuse Elevation Control Mechanism", "privilege_escalation" },
  ["T1548.001"] = { "Setuid and Setgid", "privilege_escalation" },
  ["T1548.003"] = { "Sudo and Sudo Caching", "privilege_escalation" },
  T1552 = { "Unsecured Credentials", "credential_access" },
  ["T1552.001"] = { "Credentials In Files", "credential_access" },
  ["T1552.004"] = { "Private Keys", "credential_access" },
  ["T1552.005"] = { "Cloud Instance Metadata API", "credential_access" },
  ["T1552.007"] = { "Container API", "credential_access" },
  T1555 = { "Credentials from Password Stores", "credential_access" },
  ["T1556.003"] = { "Pluggable Authentication Modules", "credential_access" },
  ["T1557.002"] = { "ARP Cache Poisoning", "credential_access" },
  ["T1560.001"] = { "Archive via Utility", "collection" },
  ["T1562.001"] = { "Disable or Modify Tools", "defense_evasion" },
  ["T1562.003"] = { "Impair Command History Logging", "defense_evasion" },
  ["T1562.004"] = { "Disable or Modify System Firewall", "defense_evasion" },
  T1564 = { "Hide Artifacts", "defense_evasion" },
  ["T1564.001"] = { "Hidden Files and Directories", "defense_evasion" },
  T1567 = { "Exfiltration Over Web Service", "exfiltration" },
  T1571 = { "Non-Standard Port", "command_and_control" },
  T1572 = { "Protocol Tunneling", "command_and_control" },
  T1574 = { "Hijack Execution Flow", "persistence" },
  ["T1574.006"] = { "Dynamic Linker Hijacking", "persistence" },
  T1580 = { "Cloud Infrastructure Discovery", "discovery" },
  T1609 = { "Container Administration Command", "execution" },
  T1610 = { "Deploy Container", "execution" },
  T1611 = { "Escape to Host", "privilege_escalation" },
  T1613 = { "Container and Resource Discovery", "discovery" },
  T1620 = { "Reflective Code Loading", "defense_evasion" },
  T1622 = { "Debugger Evasion", "defense_evasion" },
  T1651 = { "Cloud Administration Command", "execution" },
}

---@class moonwatch.item.Technique
---@field id string          T1059 or T1059.004
---@field name string?
---@field parent string?     of a sub-technique: the id above it
---@field parent_name string?
---@field tactic { id: string, name: string }?

--- The techniques that a rule names, as far as they are texts.
---@param rule table|userdata
---@return moonwatch.item.Technique[]
function M.of(rule)
  local found = {}
  for _, id in ipairs(type(rule.attack) == "table" and rule.attack or {}) do
    if type(id) == "string" then
      local known = techniques[id]
      local parent = #id > 5 and id:sub(1, 5) or nil
      local above = parent and techniques[parent]
      found[#found + 1] = {
        id = id,
        name = known and known[1],
        parent = parent,
        parent_name = above and above[1],
        tactic = known and M.tactics[known[2]],
      }
    end
  end
  return found
end

return M
