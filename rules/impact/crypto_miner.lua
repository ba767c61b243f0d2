local lists = require "moonwatch.lists"

local signs = { "stratum+tcp://", "stratum+ssl://", "stratum2+tcp://", "--donate-level", "--randomx-", "--coin=monero" }

return {
  id = "crypto_miner",
  summary = "Crypto-currency miner",
  why = "Stolen processor time is the most common price of a hole in a container.",
  on = { "process.exec" },
  severity = "critical",
  attack = { "T1496" },
  message = "{process.parent.name} started a miner: {process.cmdline}",
  where = { { names = lists.miners }, { cmdline = signs } },
  examples = {
    { expect = true, event = { process = { name = "xmrig" } } },
    { expect = true, event = { process = { name = "x", argv = { "./x", "-o", "stratum+tcp://pool:3333" } } } },
    { expect = false, event = { process = { name = "node", argv = { "node", "mine.js" } } } },
  },
}
