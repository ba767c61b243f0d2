local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- One that was given its program on the command line.
local function is_one_liner(process)
  return match.has_arg(process, "-c", "-e", "-E", "-r", "--eval", "-")
end

return {
  id = "imds",
  summary = "Instance metadata service asked by a shell or a tool",
  why = "There is none on Fargate, and elsewhere it gives the rights of the machine: a try by hand is somebody looking for them.",
  on = { "socket.connect" },
  severity = "high",
  attack = { "T1552.005" },
  message = "{process.cmdline} asks {socket.remote_address}",
  references = { "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html" },
  false_positives = { "Start scripts of images made for EC2" },
  where = {
    { addresses = { "169.254.169.254", "fd00:ec2::254", "168.63.129.16" },
      names = { lists.shells, lists.intruder_tools, lists.netcats, lists.interpreters } },
    { addresses = { "169.254.169.254", "fd00:ec2::254", "168.63.129.16" }, is = "dropped" },
  },
  match = function(event)
    local process = event.process
    return not match.named(process, lists.interpreters) or is_one_liner(process) or process.dropped == true
  end,
  throttle = { by = { "process.parent" }, period_s = 60 },
  examples = {
    { expect = true, event = { process = { name = "curl" }, socket = { remote_address = "169.254.169.254", remote_port = 80 } } },
    { expect = true, event = { process = { name = "python3", argv = { "python3", "-c", "x" } },
      socket = { remote_address = "169.254.169.254", remote_port = 80 } } },
    { expect = true, event = { process = { name = "x", dropped = true }, socket = { remote_address = "169.254.169.254" } } },
    { note = "an SDK without credentials tries it", expect = false, event = { process = { name = "python3",
      argv = { "python3", "app.py" } }, socket = { remote_address = "169.254.169.254", remote_port = 80 } } },
    { expect = false, event = { process = { name = "java" }, socket = { remote_address = "169.254.169.254", remote_port = 80 } } },
    { expect = false, event = { process = { name = "curl" }, socket = { remote_address = "10.0.0.1", remote_port = 80 } } },
    { expect = true, event = { process = { name = "python3", argv = { "python3", "x.py" }, dropped = true },
      socket = { remote_address = "169.254.169.254" } } },
  },
}
