--- One JSON object a line, all fields; see core/event/event_shapes.c for them.

local event = require "moonwatch.event"

return event.json
