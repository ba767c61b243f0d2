local match = require "moonwatch.match"

return {
  id = "decode_payload",
  summary = "Encoded data decoded on the command line",
  why = "Payloads travel encoded, so that filters and logs do not show what they are.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1140", "T1027" },
  message = "{process.parent.name} decodes: {process.cmdline}",
  false_positives = { "Start scripts that decode a certificate or a key from the environment" },
  where = {
    { names = { "base64", "base32" }, arguments = { "-d", "-D", "--decode", "-di" } },
    { names = "xxd", arguments = "-r" },
    { names = "openssl", arguments = "enc" },
  },
  match = function(event)
    local process = event.process
    return process.name ~= "openssl" or match.has_arg(process, "-d")
  end,
  examples = {
    { expect = true, event = { process = { name = "base64", argv = { "base64", "-d" } } } },
    { expect = true, event = { process = { name = "openssl", argv = { "openssl", "enc", "-d", "-aes-256-cbc" } } } },
    { expect = false, event = { process = { name = "base64", argv = { "base64", "file" } } } },
    { expect = false, event = { process = { name = "openssl", argv = { "openssl", "x509" } } } },
    { expect = true, event = { process = { name = "xxd", argv = { "xxd", "-r", "x" } } } },
    { expect = false, event = { process = { name = "openssl", argv = { "openssl", "enc", "-e", "-in", "x" } } } },
  },
}
