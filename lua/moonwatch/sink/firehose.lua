--- Amazon Data Firehose: PutRecordBatch, a line a record, so that what it makes of them are files of lines.
local cjson = require "cjson"
local options = require "moonwatch.sink.options"
local records = require "moonwatch.sink.aws_records"
local text = require "moonwatch.text"

local kind = {
  service = "firehose",
  target = "Firehose_20150804.PutRecordBatch",
  action = "firehose:PutRecordBatch",
  arn = "deliverystream",
  record_bytes = 1000 << 10,
  answers = "RequestResponses",
  size = function(line)
    return #line + 1
  end,
  record = function(line)
    return ('{"Data":"%s"}'):format(text.base64(line .. "\n"))
  end,
  name = function(part)
    return ('"DeliveryStreamName":%s'):format(cjson.encode(part.stream))
  end,
}

---@class moonwatch.sink.firehose
local M = {
  is_network = true,
  wants_target = true,
  target = "STREAM or its ARN",
  options = options.join(options.network, { region = { kind = "text" } }),
}

function M.check(part)
  return records.check(part, kind)
end

function M.connect(part)
  -- 500 records, 4 MiB a call.
  return { max_rows = 500, max_bytes = 3 << 20, send = records.connect(part, kind) }
end

return M
